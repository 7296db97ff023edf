internal import Linux

/// How one repository's boot went: the fields of `repositories` in status.json.
public struct RepositoryReport: Sendable {
    /// The repository's.
    public let name: String
    /// The database file.
    public var path: String
    /// How it ended.
    public var outcome: Outcome
    /// Why it is not `current` or `migrated`: names the thing, the operation and the cause.
    public var reason: String?
    /// The newest version the database has; nil for none.
    public var schema: Int64?
    /// The newest version of the image; nil when it has no set.
    public var wanted: Int64?
    /// Steps that are still pending.
    public var pending: Int64 = 0
    /// What is gone, in words; nil when nothing is.
    public var lost: String?
    /// The snapshot taken before the steps, or the one that was restored.
    public var snapshot: String?
    /// Where the old files went.
    public var quarantine: String?
    /// Every later boot says so again until `RepositoryBoot.acknowledge`: a power cut must not keep a loss from being heard of.
    public var untold = false
    /// Boots until a plan that was cut short is tried again; nil when none rests, or when only another image changes that.
    public var heldForBoots: Int64?
    /// How long it took, in milliseconds.
    public var durationMilliseconds: Int64 = 0
    /// What a person should know and nothing depends on.
    public var warnings: [String] = []

    /// A report with nothing but its outcome.
    public init(name: String, path: String, outcome: Outcome) {
        self.name = name
        self.path = path
        self.outcome = outcome
    }

    /// With every text short enough for a status page: a set can have as many warnings, and damage cost as many tables, as there are bytes in a file.
    public var bounded: RepositoryReport {
        var report = self
        report.reason = reason.map { Text.short($0, longest: Self.longest) }
        report.lost = lost.map { Told.short($0, longest: Self.longest) }
        report.warnings = warnings.prefix(Self.mostWarnings).map { Text.short($0, longest: Self.longest / 8) }
        if warnings.count > Self.mostWarnings { report.warnings.append("\(warnings.count - Self.mostWarnings) more, in the log") }
        return report
    }

    private static let mostWarnings = 20
    /// In bytes.
    private static let longest = 4096

    /// Whether nothing went wrong that a recipe of last resort should act on. A newer schema that the image can live with, a database that was
    /// taken back, and migrations that are switched off are no failures; a step that failed is, although the schema from before serves.
    public var succeeded: Bool {
        switch outcome {
        case .current, .migrated, .ahead, .downgraded, .skipped, .rebuilt, .volatile: true
        case .restored: pending == 0 && schema == wanted
        case .failed: false
        }
    }
}
