internal import Linux
internal import SQLite

/// The ladder for a database that is lost or damaged: the policy's rungs in order, the first that gives a database ends it.
///
/// The old files are moved only when the replacement is ready and sealed, and they go to quarantine byte for byte.
extension RepositoryBoot {
    /// - Parameter serves: the application can still open what is there, damaged as it is; then an empty database is no better.
    mutating func recover(_ set: MigrationSet, _ cause: String, serves: Bool = false) throws(MigrationError) {
        reporter.log.error("\(repository.path): \(cause)")
        reporter.progress(.recovering, "recover \(repository.path)")
        try system { () throws(LinuxError) in try prepareState() }
        for rung in repository.onFailure {
            switch rung {
            case .restore:
                if try restore(set, cause) { return }
            case .rebuild:
                if serves {
                    return end(
                        .restored,
                        reason: "\(cause); no snapshot is sound, and the damaged database is used as it is, with the schema from before")
                }
                if try rebuild(set, cause) { return }
            case .keep, .stop:
                return end(.failed, reason: "\(cause); the policy leaves it as it is")
            }
        }
        end(.failed, reason: "\(cause); no rung of the recovery ladder gave a database, the files are left as they are")
    }

    /// The newest snapshot whose seal holds, and then the pending steps in this same boot.
    private mutating func restore(_ set: MigrationSet, _ cause: String) throws(MigrationError) -> Bool {
        for snapshot in state.snapshots.list() {
            reporter.progress(.recovering, "restore snapshot \(snapshot.title)")
            guard isSound(snapshot) else {
                reporter.log.error("snapshot \(snapshot.title) was taken of a damaged database; the next older one is tried")
                continue
            }
            guard try putInPlace(snapshot) else { continue }
            let lost = "what was written after snapshot \(snapshot.title)"
            reporter.log.warning("\(repository.path): restored from snapshot \(snapshot.title); lost: \(lost)")
            report.lost = lost
            report.schema = snapshot.seal.schema == 0 ? nil : snapshot.seal.schema
            report.snapshot = snapshot.title
            try migrateRestored(set)
            end(.restored, reason: report.reason.map { "\(cause); \($0)" } ?? cause)
            return true
        }
        reporter.log.error("\(repository.path): no snapshot whose seal holds")
        return false
    }

    /// Its seal says that it is what was copied; that may have been damaged already.
    private func isSound(_ snapshot: Snapshot) -> Bool {
        do throws(SQLiteError) {
            return try Check.structure(try Database(snapshot.path, .immutable), verify: .quick).isEmpty
        } catch {
            return error.kind != .corrupt && error.kind != .notADatabase
        }
    }

    /// The pending steps of a database that has just been restored. What fails here is told, and the restored schema serves.
    mutating func migrateRestored(_ set: MigrationSet) throws(MigrationError) {
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        let plan = Plan(set, try readHistory(found, set))
        report.pending = Int64(plan.pending.count)
        if plan.pending.isEmpty { return }
        if let hold = try heldNow(set, plan) {
            report.reason = "the restored database is not migrated: \(hold)"
            return
        }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let failure = try attempt(set, plan) { (history) throws(MigrationError) in
            Plan(set, history).pending.map { Move(up: $0) }
        }
        _ = consume lock
        if let failure {
            report.reason = "the restored database could not be migrated: \(failure.text)"
        } else {
            report.pending = 0
        }
    }

    mutating func rebuild(_ set: MigrationSet, _ cause: String) throws(MigrationError) -> Bool {
        reporter.progress(.recovering, "rebuild \(repository.path)")
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let seal: Seal
        do throws(MigrationError) {
            seal = try fresh(set.migrations).build()
        } catch {
            reporter.log.error("\(repository.path): rebuilding failed: \(error.text)")
            report.reason = error.text
            return false
        }
        report.quarantine = try Swap(.replace, state, seal: seal).perform(state)
        _ = consume lock
        state.pruneQuarantine(keep: repository.quarantine)
        report.schema = set.newest
        report.wanted = set.newest
        report.pending = 0
        report.lost = "all rows; the old files are in \(report.quarantine ?? "no place, for there were none")"
        reporter.log.warning("\(repository.path): rebuilt, empty; lost: \(report.lost ?? "")")
        try snapshotAfterwards()
        end(.rebuilt, reason: cause)
        return true
    }
}
