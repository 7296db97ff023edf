public import Linux
internal import SQLite

/// One boot of one repository: from files in any state to a database the application can open, or a truthful word why not.
///
///     unfinished intent ──► finished first
///            │
///     look with read(2) ──► missing, empty ──────────────► create            → migrated
///            │              lost, damaged, not a database ► recover           → restored, rebuilt, failed
///            ▼
///     plan, writing nothing
///            │ nothing pending ──► (after an unclean shutdown: a check)       → current, ahead
///            ▼ pending
///     upgrade: snapshot, steps, verify, commit ──────────────────────────────► migrated
///            │ failed ──► rolled back, or the snapshot put back               → restored, failed
///            ▼ damaged ─► recover
///
/// After a power cut anywhere the next boot's run begins again at the top and ends at one of these; no state in between is ever
/// reported.
public struct RepositoryBoot {
    let repository: Repository
    let state: RepositoryState
    let reporter: Reporter
    var report: RepositoryReport

    /// The structural check after an unclean shutdown gives up after this many milliseconds: it is a look, not a proof.
    private static let healthDeadline: Int64 = 20_000

    public init(_ repository: Repository, reporter: Reporter) {
        self.repository = repository
        self.reporter = reporter
        state = RepositoryState(database: repository.path)
        report = RepositoryReport(name: repository.name, path: repository.path, outcome: .failed)
    }

    /// Runs it to its end. Nothing is thrown: what goes wrong is in the report.
    ///
    /// - Parameters:
    ///   - unclean: the filesystem was not unmounted before this boot, so a check is worth its time.
    ///   - afterLoss: why the process that tried before did not end by itself; then no migration is tried again in this boot.
    public mutating func run(unclean: Bool, afterLoss: String? = nil) -> RepositoryReport {
        let start = Clock.milliseconds
        do throws(MigrationError) {
            try boot(unclean: unclean, afterLoss: afterLoss)
        } catch {
            end(.failed, reason: "\(error.text); the database is left as it is")
        }
        report.durationMilliseconds = Clock.milliseconds - start
        return report
    }

    /// What `run` would do to the schema, writing nothing. A database with a hot journal is recovered, since nothing can be read before.
    /// - Throws: `.noMigrations` or `.file` without a set, `.database` when the file cannot be read as a database.
    public func plan() throws(MigrationError) -> Plan {
        let set = try MigrationSet(directory: repository.migrations)
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        switch found.file {
        case .database: return Plan(set, try readHistory(found))
        case .missing, .empty, .short: return Plan(set, History())
        case .foreign: throw .history(database: repository.path, reason: "it is not a SQLite database (encrypted?)")
        }
    }

    private mutating func boot(unclean: Bool, afterLoss: String?) throws(MigrationError) {
        // Before anything else, and whatever the policy: half a swap is nobody's database.
        if state.exists {
            let lock = try system { () throws(LinuxError) in try state.lock() }
            try finishIntent()
            _ = consume lock
        }
        guard repository.runMigrations else { return skip("migrations are switched off") }
        let set: MigrationSet
        do throws(MigrationError) {
            set = try MigrationSet(directory: repository.migrations)
        } catch {
            reporter.log.error("\(error.text); \(repository.path) is left as it is")
            return skip("no-migrations: \(error.text)")
        }
        report.wanted = set.newest

        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        switch found.file {
        case .database:
            try bootExisting(set, found, unclean: unclean, afterLoss: afterLoss)
        case .missing, .empty, .short:
            if found.sidecars || found.file == .short {
                try setAside(found)
            }
            if state.isBorn {
                try recover(set, "\(repository.path) is gone or empty, and it was there before")
            } else {
                try create(set)
            }
        case .foreign:
            // An encrypted database looks the same: only proof of an earlier life makes it damage (RULES.md S5).
            if state.isBorn || !state.snapshots.list().isEmpty {
                try recover(set, "\(repository.path) no longer begins like a SQLite database")
            } else {
                end(
                    .failed,
                    reason: "\(repository.path) is not a SQLite database and never was one of ours (encrypted?); "
                        + "it is left as it is")
            }
        }
    }

    // ---- Step 0: what a cut interrupted ----

    private mutating func finishIntent() throws(MigrationError) {
        switch try system({ () throws(LinuxError) in try Swap.read(state) }) {
        case .nothing:
            return
        case .unreadable:
            reporter.log.error("\(state.intentPath): checksum does not hold; it is removed, and the database judged as it is")
            try system { () throws(LinuxError) in try Swap.clear(state) }
        case .intent(var swap):
            reporter.progress(.recovering, "finish \(swap.operation.text) of \(repository.path)")
            if swap.operation == .run {
                reporter.log.warning(
                    "\(repository.path): a run of migrations was cut between two commits; the snapshot from before it "
                        + "is put back, and the run begins again")
                // The files may have changed since the intent: those that are there now are the ones to move.
                swap.operation = .replace
                swap.inodes = try system { () throws(LinuxError) in try Swap.inodes(state) }
                try carryOut(swap, begun: false)
            } else {
                reporter.log.warning("\(repository.path): finishing \(swap.operation.text) \(swap.sequence), cut short before")
                try carryOut(swap, begun: true)
            }
            state.pruneQuarantine(keep: repository.quarantine)
        }
    }

    /// A swap that cannot be done, because what it would put in place is damaged by now, must not stop this boot and every later one:
    /// the files are judged as they are.
    private mutating func carryOut(_ swap: Swap, begun: Bool) throws(MigrationError) {
        do throws(MigrationError) {
            report.quarantine = begun ? try swap.finish(state) : try swap.perform(state)
        } catch {
            guard case .seal = error else { throw error }
            reporter.log.error("\(error.text); the swap is given up, and the database judged as it is")
            try system { () throws(LinuxError) in try Swap.clear(state) }
        }
    }

    // ---- An existing database ----

    private mutating func bootExisting(
        _ set: MigrationSet, _ found: Inspection, unclean: Bool, afterLoss: String?
    ) throws(MigrationError) {
        let plan: Plan
        do throws(MigrationError) {
            plan = Plan(set, try readHistory(found))
            if unclean || found.isUnclean { try checkHealth(found) }
        } catch {
            guard try isDamaged(error) else { throw error }
            return try recover(set, error.text)
        }
        report.schema = plan.schema
        report.warnings += plan.warnings
        for warning in plan.warnings { reporter.log.warning("\(repository.path): \(warning)") }

        if plan.pending.isEmpty {
            if !state.isBorn { try system { () throws(LinuxError) in try prepareState() } }
            guard let newer = plan.unknown.last else { return end(report.quarantine == nil ? .current : .migrated) }
            return end(
                .ahead,
                reason: "the database has step \(newer.version), which this image does not know; it is used as it is")
        }
        if let afterLoss {
            report.pending = Int64(plan.pending.count)
            return end(
                .restored,
                reason: "migrating: \(afterLoss); the schema from before this image is kept, tried again at the next boot")
        }
        try upgrade(set, plan)
    }

    /// Reads the history in the way that writes least (RULES.md S23).
    func readHistory(_ found: Inspection) throws(MigrationError) -> History {
        let database = try open(found)
        return try History.read(database)
    }

    private func open(_ found: Inspection) throws(MigrationError) -> Database {
        try sqlite { () throws(SQLiteError) in
            // A journal without a header, as PERSIST leaves it, holds nothing that immutable would miss.
            if !found.isUnclean { return try Database(repository.path, .immutable) }
            let database = try Database(repository.path, .readWrite)
            try database.execute("PRAGMA locking_mode=EXCLUSIVE")
            if found.leftoverWAL && !found.hotJournal { database.keepWALOnClose() }
            return database
        }
    }

    private func checkHealth(_ found: Inspection) throws(MigrationError) {
        reporter.progress(.working, "check \(repository.path)")
        let database = try open(found)
        database.interrupt(at: Clock.milliseconds + RepositoryBoot.healthDeadline)
        let findings: [String]
        do throws(SQLiteError) {
            findings = try Check.structure(database, verify: .quick)
        } catch {
            // Too large to be looked at in the time there is: no finding, so no reason to stop.
            if error.kind == .interrupted { return }
            throw .database(error)
        }
        if let first = findings.first {
            throw .database(
                SQLiteError(
                    operation: "quick_check", database: repository.path, code: SQLiteError.corrupt, message: first))
        }
    }

    /// Whether SQLite's word that the database is damaged survives a second look (RULES.md S5): a read error also surfaces as
    /// CORRUPT, and so does a view that a newer SQLite wrote.
    private func isDamaged(_ suspicion: MigrationError) throws(MigrationError) -> Bool {
        guard suspicion.suggestsDamage else { return false }
        reporter.log.warning("\(suspicion.text); looking again")
        // An I/O error throws here, and then nothing is known about the bytes.
        _ = try system { () throws(LinuxError) in try Seal.checksum(FileDescriptor.open(repository.path, .read)) }
        do throws(SQLiteError) {
            let database = try Database(repository.path, .readWrite, defensive: false)
            try database.execute("PRAGMA writable_schema=ON")
            return try !Check.structure(database, verify: .quick).isEmpty
        } catch {
            if error.kind == .notADatabase { return state.isBorn || !state.snapshots.list().isEmpty }
            return error.kind == .corrupt
        }
    }

    // ---- Upgrading ----

    private mutating func upgrade(_ set: MigrationSet, _ plan: Plan) throws(MigrationError) {
        try system { () throws(LinuxError) in try prepareState() }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        var upgrade = Upgrade(state, set, verify: repository.verify, reporter: reporter)
        do throws(Upgrade.Failure) {
            try upgrade.run()
        } catch {
            reporter.log.error("\(repository.path): migrating failed: \(error.cause.text)")
            report.snapshot = upgrade.snapshot?.title
            report.pending = Int64(plan.pending.count)
            if try isDamaged(error.cause) {
                _ = consume lock
                return try recover(set, error.cause.text)
            }
            try undo(error)
            _ = consume lock
            return fallBack(plan, error.cause)
        }
        _ = consume lock
        report.snapshot = upgrade.snapshot?.title
        report.schema = set.newest
        try snapshotAfterwards()
        end(.migrated)
    }

    /// The database as it was before the run: SQLite has rolled back, or its snapshot goes back in place.
    private mutating func undo(_ failure: Upgrade.Failure) throws(MigrationError) {
        guard let snapshot = failure.undo else { return }
        reporter.progress(.recovering, "restore \(repository.path)")
        reporter.log.warning(
            "\(repository.path): steps were committed before the failure; snapshot \(snapshot.title) from before is put back")
        try system { () throws(LinuxError) in try Swap.clear(state) }
        report.quarantine = try replace(by: snapshot)
    }

    /// A failed migration loses nothing: the schema from before serves, unless the policy says otherwise.
    private mutating func fallBack(_ plan: Plan, _ cause: MigrationError) {
        let kept = "\(cause.text); the schema from before this image is kept"
        switch repository.onFailure.first ?? .restore {
        case .restore, .keep, .rebuild: end(.restored, reason: kept)
        case .stop: end(.failed, reason: kept)
        }
    }

    // ---- Creating ----

    private mutating func create(_ set: MigrationSet) throws(MigrationError) {
        try system { () throws(LinuxError) in try prepareState(born: false) }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let seal: Seal
        do throws(MigrationError) {
            seal = try fresh(set).build()
        } catch {
            reporter.log.error("\(repository.path): creating failed: \(error.text)")
            report.pending = Int64(set.migrations.count)
            return end(.failed, reason: "\(error.text); there was no database before, and none was made")
        }
        _ = try Swap(.replace, state, seal: seal).perform(state)
        try system { () throws(LinuxError) in try state.markBorn() }
        _ = consume lock
        report.schema = set.newest
        try snapshotAfterwards()
        end(.migrated)
    }

    // ---- Pieces ----

    func fresh(_ set: MigrationSet) -> FreshDatabase {
        FreshDatabase(state: state, set: set, verify: repository.verify, reporter: reporter)
    }

    mutating func replace(by snapshot: Snapshot) throws(MigrationError) -> String? {
        let quarantine = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal).perform(state)
        state.pruneQuarantine(keep: repository.quarantine)
        return quarantine
    }

    /// Moves a file that is no database, and its sidecars, out of SQLite's sight before anything opens it.
    private mutating func setAside(_ found: Inspection) throws(MigrationError) {
        try system { () throws(LinuxError) in try prepareState(born: false) }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        reporter.log.warning(
            "\(repository.path) is missing or too short for a database, with other files beside it; all of them go to "
                + "quarantine together")
        report.quarantine = try Swap(.setAside, state).perform(state)
        _ = consume lock
    }

    func prepareState(born: Bool = true) throws(LinuxError) {
        try state.prepare()
        if born { try state.markBorn() }
    }

    /// The generation to come back to should the flash go bad tomorrow. The database is good without it, so trouble is only told.
    mutating func snapshotAfterwards() throws(MigrationError) {
        do throws(MigrationError) {
            reporter.progress(.working, "snapshot of \(repository.path)")
            let database = try sqlite { () throws(SQLiteError) in
                let database = try Database(repository.path, .readWrite)
                try database.execute("PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE")
                return database
            }
            let size = try sqlite { () throws(SQLiteError) in try database.fileSize() }
            guard Room(state: state, log: reporter.log).make(size + Upgrade.headroom) else {
                throw .system(LinuxError("snapshot", repository.path, code: LinuxError.full))
            }
            let snapshot = try state.snapshots.take(of: database, sequence: state.nextSequence())
            try? database.execute("ROLLBACK")
            if report.snapshot == nil { report.snapshot = snapshot.title }
            state.snapshots.prune(keep: repository.snapshots)
        } catch {
            let text = "no snapshot after migrating: \(error.text)"
            reporter.log.warning("\(repository.path): \(text)")
            report.warnings.append(text)
        }
    }

    private mutating func skip(_ reason: String) { end(.skipped, reason: reason) }

    mutating func end(_ outcome: Outcome, reason: String? = nil) {
        report.outcome = outcome
        if let reason { report.reason = reason }
    }
}
