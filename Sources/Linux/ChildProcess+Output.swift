internal import CLinux

extension ChildProcess {
    /// Runs a program and reads what it says, on both outputs. In English, since somebody reads it; and no variable of ours reaches it.
    /// - Parameters:
    ///   - limit: it is killed after so many milliseconds: one that runs in a circle has a sign of life, too.
    ///   - started: is told the process.
    ///   - take: is given each piece.
    /// - Returns: nil when it was killed for the limit.
    public static func reading(
        _ path: String, _ arguments: [String], limit: Int64, started: (ChildProcess) -> Void = { _ in }, take: (ArraySlice<UInt8>) -> Void
    ) throws(LinuxError) -> End? {
        var ends: [Int32] = [-1, -1]
        if linux_pipe(&ends) != 0 { throw .last("pipe", path) }
        let output = FileDescriptor(owning: ends[0], name: path)
        let child: ChildProcess
        do {
            // Ours must be closed once the child has its own, or reading would never end.
            let input = FileDescriptor(owning: ends[1], name: path)
            child = try start(path, arguments, output: input.raw, bound: true, environment: ["LC_ALL=C", "PATH=/sbin:/usr/sbin:/bin:/usr/bin"])
        }
        started(child)
        var chunk = [UInt8](repeating: 0, count: 4096)
        let end = Clock.milliseconds + limit
        while true {
            var events = [pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)]
            let left = end - Clock.milliseconds
            if left <= 0 || CLinux.poll(&events, 1, Int32(clamping: left)) == 0 {
                child.kill()
                _ = try child.wait()
                return nil
            }
            let n = try chunk.withUnsafeMutableBufferPointer { (buffer) throws(LinuxError) in
                try output.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if n == 0 { return try child.wait() }
            take(chunk[0..<n])
        }
    }

    /// The same, with the last `longest` bytes of what it says.
    public static func output(
        of path: String, _ arguments: [String], limit: Int64, longest: Int
    ) throws(LinuxError) -> (end: End, text: [UInt8]) {
        var text: [UInt8] = []
        let end = try reading(path, arguments, limit: limit) { piece in
            text += piece
            if text.count > 2 * longest { text.removeFirst(text.count - longest) }
        }
        if text.count > longest { text.removeFirst(text.count - longest) }
        return (end ?? .killed(signal: SIGKILL), text)
    }
}
