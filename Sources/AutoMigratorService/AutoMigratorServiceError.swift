#if ServiceLifecycle
public import AutoMigrator

/// Why a group must not go on after the migrations.
public enum AutoMigratorServiceError: Error, Sendable, CustomStringConvertible {
    /// A repository ended as the program said it must not; the first of them.
    case outcome(RepositoryReport)

    /// The repository, its outcome and the reason, in one line.
    public var text: String {
        switch self {
        case .outcome(let report):
            "repository \(report.name) (\(report.path)) ended as \(report.outcome.text), which this program does not "
                + "accept: " + (report.reason ?? "no reason was given")
        }
    }

    public var description: String { text }
}
#endif
