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
        var lines = OutputLines(program: Text.name(of: path))
        let ended = try ChildProcess.reading(path, arguments, limit: deadline, started: { reporter.child($0.id) }) { lines.take($0) }
        guard let ended else {
            return Result(end: .killed(signal: SIGKILL), line: "killed, since it took longer than \(deadline / 1000) s", readError: lines.readError)
        }
        lines.end()
        // mkfs fails with 1, which e2fsck says when it has put things right.
        var failed = true
        if case .exited(let code) = ended { failed = code >= 8 || (code != 0 && Text.name(of: path) != "e2fsck") }
        let line = failed && !lines.complaint.isEmpty ? lines.complaint : lines.last
        return Result(end: ended, line: line, readError: lines.readError)
    }
}
