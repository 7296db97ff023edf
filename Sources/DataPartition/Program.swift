internal import CLinux
import Linux

/// A program run to its end with its output read: e2fsck, mkfs.ext4, and f2fs's.
enum Program {
    struct Result {
        let end: ChildProcess.End
        /// The line that says most: its complaint when it failed, else its last.
        let line: String
        /// It met a read error: what it concludes from there on is about the reading, not about the filesystem.
        let readError: Bool

        /// It refused because something else had the device open: mke2fs's words, and e2fsck's.
        var isInUse: Bool { end != .exited(0) && (Text.contains(line, "in use by the system") || Text.contains(line, "Cannot continue, aborting")) }
        /// `exit 4: /dev/vda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.`
        var text: String { line.isEmpty ? end.text : "\(end.text): \(line)" }
    }

    /// How long a program may take with so many bytes: on a slow board and a slow card a minute for what is always to be done, and a GiB in 16 s.
    static func patience(_ size: Int64) -> Int64 { 60_000 + size / (64 << 20) * 1000 }

    /// Runs the first of `paths` (absolute, RULES.md F16) that there is. ENOENT when there is none.
    ///
    /// - Parameter deadline: it is killed after so many milliseconds: one that runs in a circle has a sign of life, too.
    static func run(_ paths: [String], _ arguments: [String], deadline: Int64, reporter: Reporter) throws(LinuxError) -> Result {
        guard let path = paths.first(where: { FileSystem.exists($0) }) else {
            throw LinuxError("spawn", paths.first ?? "", code: ENOENT)
        }
        var ends: [Int32] = [-1, -1]
        if linux_pipe(&ends) != 0 { throw .last("pipe", path) }
        let output = FileDescriptor(owning: ends[0], name: path)
        let child: ChildProcess
        do {
            // Ours must be closed once the child has its own, or reading would never end.
            let input = FileDescriptor(owning: ends[1], name: path)
            // English, since the lines are read; and no variable of ours (E2FSCK_FORCE…) reaches them.
            child = try ChildProcess.start(
                path, arguments, output: input.raw, bound: true,
                environment: ["LC_ALL=C", "PATH=/sbin:/usr/sbin:/bin:/usr/bin"])
        }
        reporter.child(child.id)
        var lines = OutputLines(program: Text.name(of: path))
        var chunk = [UInt8](repeating: 0, count: 4096)
        let end = Clock.milliseconds + deadline
        while true {
            var events = [pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)]
            let left = end - Clock.milliseconds
            if left <= 0 || poll(&events, 1, Int32(clamping: left)) == 0 {
                child.kill()
                _ = try child.wait()
                return Result(end: .killed(signal: SIGKILL), line: "killed, since it took longer than \(deadline / 1000) s", readError: lines.readError)
            }
            let n = try chunk.withUnsafeMutableBufferPointer { (buffer) throws(LinuxError) in
                try output.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if n == 0 { break }
            lines.take(chunk[0..<n])
        }
        lines.end()
        let ended = try child.wait()
        // mkfs fails with 1, which e2fsck says when it has put things right.
        var failed = true
        if case .exited(let code) = ended { failed = code >= 8 || (code != 0 && Text.name(of: path) != "e2fsck") }
        let line = failed && !lines.complaint.isEmpty ? lines.complaint : lines.last
        return Result(end: ended, line: line, readError: lines.readError)
    }
}
