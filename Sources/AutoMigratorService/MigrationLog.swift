#if ServiceLifecycle
internal import AutoMigrator
internal import Linux
internal import Logging

/// What the migrator tells, as lines of a swift-log logger.
struct MigrationLog: Sendable {
    private let logger: Logger
    private let repositories: [Repository]

    init(_ logger: Logger, _ repositories: [Repository]) {
        self.logger = logger
        self.repositories = repositories
    }

    var reporter: Reporter {
        Reporter(
            log: Log { logger.log(level: Self.level($0), "\($1)", metadata: metadata(of: $1)) },
            progress: { phase, text, _ in
                logger.debug("\(text)", metadata: metadata(of: text).merging(["phase": "\(phase.text)"]) { $1 })
            })
    }

    /// One repository's end.
    func end(_ report: RepositoryReport) {
        var metadata: Logger.Metadata = [
            "repository": "\(report.name)", "path": "\(report.path)", "outcome": "\(report.outcome.text)",
            "pending": "\(report.pending)", "duration_ms": "\(report.durationMilliseconds)",
        ]
        metadata["schema"] = report.schema.map { "\($0)" }
        metadata["wanted"] = report.wanted.map { "\($0)" }
        metadata["lost"] = report.lost.map { "\($0)" }
        metadata["snapshot"] = report.snapshot.map { "\($0)" }
        metadata["quarantine"] = report.quarantine.map { "\($0)" }
        let words = [report.name, report.outcome.text, report.reason].compactMap { $0 }
        logger.log(level: Self.level(report.outcome), "\(words.joined(separator: ": "))", metadata: metadata)
    }

    /// Whose line it is: a migrator tells it in words. Where one database's path begins another's, the longer one is
    /// meant.
    private func metadata(of text: String) -> Logger.Metadata {
        let named = repositories.filter { text.contains($0.path) || text.contains($0.migrations + "/") }
        let repository = repositories.count == 1 ? repositories.first : named.max { $0.path.count < $1.path.count }
        return repository.map { ["repository": "\($0.name)"] } ?? [:]
    }

    private static func level(_ level: LogLevel) -> Logger.Level {
        switch level {
        case .error: .error
        case .warning: .warning
        case .notice: .notice
        case .info: .info
        case .debug: .debug
        }
    }

    private static func level(_ outcome: Outcome) -> Logger.Level {
        switch outcome {
        case .current: .info
        case .migrated, .ahead, .downgraded, .skipped: .notice
        case .restored, .rebuilt, .volatile: .warning
        case .failed: .error
        }
    }
}
#endif
