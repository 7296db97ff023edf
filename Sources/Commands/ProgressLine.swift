internal import AutoMigrator
internal import Linux

/// How far a run is, for a person at a terminal: one line on standard error that is written over while a step runs, and log lines above it.
///
/// Unchecked: SQLite calls back on the thread that runs the statement, and there is only that one.
final class ProgressLine: @unchecked Sendable {
    private let isTerminal = standardErrorIsTerminal
    private var step = 0
    private var stepBegan: Int64 = 0
    private var shownSecond: Int64 = 0

    /// Below a second a step is over before anybody has read its line; the log names it anyway.
    func show(_ progress: Progress) -> Bool {
        guard isTerminal else { return true }
        let now = Clock.milliseconds
        if progress.step != step {
            step = progress.step
            stepBegan = now
            shownSecond = 0
        }
        let second = (now - stepBegan) / 1000
        if second == shownSecond { return true }
        shownSecond = second
        let line = "step \(progress.step) of \(progress.count): \(progress.title)"
        // A line that wraps could not be written over.
        let start = String(decoding: line.utf8.prefix(68), as: UTF8.self)
        standardError("\r\u{1B}[K\(start), \(second) s")
        return true
    }

    func clear() {
        if isTerminal && shownSecond > 0 { standardError("\r\u{1B}[K") }
        shownSecond = 0
    }

    /// - Parameter level: less urgent lines are left out.
    func log(_ level: LogLevel) -> Log {
        Log { [self] lineLevel, text in
            if lineLevel.rawValue > level.rawValue { return }
            clear()
            standardErrorLine(text)
        }
    }
}
