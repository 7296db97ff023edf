internal import CLinux

/// Syslog's priorities, as `<N>` prefixes name them (RFC 5424; sd-daemon(3)).
public enum LogLevel: Int32, Sendable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7
}

/// Where log lines go: a closure, so that a worker sends them down its pipe, the daemon to the kernel's log and a test
/// into an array.
public struct Log {
    private let sink: (LogLevel, String) -> Void

    /// - Parameter sink: is given every line.
    public init(_ sink: @escaping (LogLevel, String) -> Void) { self.sink = sink }

    /// Something is wrong, and what becomes of it.
    public func error(_ text: String) { sink(.error, text) }
    /// Something a person should look at.
    public func warning(_ text: String) { sink(.warning, text) }
    /// Normal, and worth keeping.
    public func notice(_ text: String) { sink(.notice, text) }
    /// What is being done.
    public func info(_ text: String) { sink(.info, text) }
    /// A line of this priority.
    public func write(_ level: LogLevel, _ text: String) { sink(level, text) }

    /// Drops everything.
    public static var none: Log { Log { _, _ in } }
    /// Plain lines on standard error: a tool in somebody's terminal.
    public static func standardError(prefix: String) -> Log {
        Log { _, text in standardErrorLine("\(prefix)\(text)") }
    }
}

/// One line to standard error; nothing can be done about an error there.
public func standardErrorLine(_ text: String) { writeWhole(text + "\n", to: 2) }
/// Text to standard output, as it is.
public func standardOutput(_ text: String) { writeWhole(text, to: 1) }

/// Text to standard error, as it is.
public func standardError(_ text: String) { writeWhole(text, to: 2) }
/// Whether a person may be reading standard error as it is written.
public var standardErrorIsTerminal: Bool { isatty(2) == 1 }

private func writeWhole(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
        var done = 0
        while done < bytes.count {
            let n = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if n < 0 && linux_errno() != EINTR { return }
            if n > 0 { done += n }
        }
    }
}
