internal import Linux

/// A command of the configuration, which /bin/sh runs beside the loop: an updater marks its slot good there; the board is rebooted.
final class Hook {
    /// Its section and key.
    let name: String
    private let child: ChildProcess
    /// When it is to be looked at again, in Clock.milliseconds.
    private(set) var due: Int64
    private var isKilled = false

    /// What it starts is not to be the last that a shortage of memory takes, as the supervisor is.
    private static let unprotected = "echo 0 > /proc/self/oom_score_adj 2>/dev/null; "

    /// In milliseconds: an updater writes a few bytes.
    static let limit: Int64 = 60_000

    /// - Parameter environment: lines of `NAME=value`, as env has them.
    init(_ name: String, _ command: String, environment: String, now: Int64) throws(LinuxError) {
        self.name = name
        due = now + Hook.limit
        child = try ChildProcess.start(
            "/bin/sh", ["-c", Hook.unprotected + command], group: true, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + Text.lines(environment))
    }

    /// How it went, once it has ended; it is killed when it takes too long.
    func poll(now: Int64) -> ChildProcess.End? {
        if now >= due {
            isKilled = true
            // One that hangs in the kernel may take a while to go.
            due = now + 1000
            child.killGroup()
        }
        // A process that cannot be waited for is not ours any more.
        do throws(LinuxError) { return try child.poll() } catch { return .killed(signal: 0) }
    }

    /// For the log: what a person has to know of how it ended; nil for nothing.
    func complaint(_ end: ChildProcess.End) -> String? {
        if isKilled { return "\(name): killed, since it took longer than \(Hook.limit / 1000) s" }
        return end == .exited(0) ? nil : "\(name): \(end.text)"
    }
}
