/// What a boot would do to a database: the image's set held against the database's history. Pure: it reads nothing.
public struct Plan: Sendable {
    /// Steps of the image that the database does not have, in order, as far as the goal. One older than the newest applied step is among
    /// them: out of order, applied all the same and reported.
    public let pending: [Migration]
    /// Steps of the database that the image does not know: the image is older.
    public let unknown: [History.Step]
    /// Steps whose file is not what was applied: reported, never fatal on a device.
    public let changed: [Migration]
    /// The newest applied version; nil in a database without history.
    public let schema: Int64?
    /// The newest version of the image, or the goal's.
    public let wanted: Int64?
    /// Why a boot would not try the pending steps; nil when it would.
    public internal(set) var held: Hold?
    /// Whether image and database have an applied step in common; a history that shares nothing is another application's.
    let isRelated: Bool

    /// - Parameter goal: how far a run is to go; pending steps beyond it are left out.
    public init(_ set: MigrationSet, _ history: History, goal: Goal = .end) {
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
        unknown = history.applied.filter { !known.contains($0.version) }
        isRelated = history.applied.isEmpty || unknown.count < history.applied.count
        schema = history.schema
        self.changed = changed
        switch goal {
        case .end:
            self.pending = pending
            wanted = set.newest
        case .version(let version):
            self.pending = pending.filter { $0.version <= version }
            wanted = version
        case .steps(let count):
            self.pending = Array(pending.prefix(count))
            let end = self.pending.last?.version ?? 0
            wanted = max(end, history.schema ?? 0)
        }
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

    /// The steps of a rollback, newest first.
    /// - Throws: `.goal` when the goal cannot be reached: an unknown version, or a step without a down.
    static func back(_ set: MigrationSet, _ history: History, to goal: Goal) throws(MigrationError) -> [Move] {
        let newestFirst = history.applied.reversed()
        let steps: [History.Step]
        switch goal {
        case .end: steps = Array(newestFirst)
        case .steps(let count): steps = Array(newestFirst.prefix(count))
        case .version(let version):
            guard version == 0 || history.contains(version) else {
                throw .goal(reason: "version \(version) is not applied to this database; nothing was undone")
            }
            steps = newestFirst.filter { $0.version > version }
        }
        var moves: [Move] = []
        for step in steps {
            // The image's own file first: it may have been mended since.
            let known = set.migrations.first { $0.version == step.version }
            guard let move = known.flatMap({ Move(down: $0) }) ?? Move(stored: step) else {
                throw .goal(
                    reason: "step \(Migration.title(step.version, step.name ?? known?.name ?? "")) has no down; nothing was undone")
            }
            moves.append(move)
        }
        return moves
    }
}
