/// What a boot would do to a database: the image's set held against the database's history. Pure: it reads nothing.
public struct Plan: Sendable {
    /// Steps of the image that the database does not have, in order. One older than the newest applied step is among them:
    /// out of order, applied all the same and reported.
    public let pending: [Migration]
    /// Steps of the database that the image does not know: the image is older.
    public let unknown: [History.Step]
    /// Steps whose file is not what was applied: reported, never fatal on a device.
    public let changed: [Migration]
    /// The newest applied version; nil in a database without history.
    public let schema: Int64?
    /// The newest version of the image.
    public let wanted: Int64?

    public init(_ set: MigrationSet, _ history: History) {
        var applied: [Int64: History.Step] = [:]
        for step in history.applied { applied[step.version] = step }
        var known: Set<Int64> = []
        var pending: [Migration] = []
        var changed: [Migration] = []
        for migration in set.migrations {
            known.insert(migration.version)
            guard let step = applied[migration.version] else {
                pending.append(migration)
                continue
            }
            if let ran = step.checksum, let now = migration.checksum, ran != now { changed.append(migration) }
        }
        self.pending = pending
        self.changed = changed
        unknown = history.applied.filter { !known.contains($0.version) }
        schema = history.schema
        wanted = set.newest
    }

    /// Pending steps older than what is already applied.
    public var outOfOrder: [Migration] {
        guard let schema else { return [] }
        return pending.filter { $0.version < schema }
    }

    /// What a person holding the log should know, none of it fatal.
    public var warnings: [String] {
        changed.map { "\($0.file) was changed after it was applied; the database keeps what ran then" }
            + outOfOrder.map { "\($0.file) is older than the newest applied step and runs out of order" }
    }
}
