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
///            │ nothing pending ──► (after an unclean shutdown: a check)       → current
///            │ the image is older ► downs, a snapshot, or as it is            → downgraded, ahead, failed
///            ▼ pending
///     held by an earlier failure ─────────────────────────────────────────────► restored
///            ▼
///     upgrade: snapshot, steps, verify, commit ──────────────────────────────► migrated
///            │ failed ──► rolled back, or the snapshot put back               → restored, rebuilt, failed
///            ▼ damaged ─► recover
///
/// After a power cut anywhere the next boot's run begins again at the top and ends at one of these; no state in between is ever
/// reported.
public struct RepositoryBoot {
    /// Where a repository's migrations come from.
    public typealias Load = (Repository) throws(MigrationError) -> MigrationSet

    let repository: Repository
    let state: RepositoryState
    let reporter: Reporter
    let load: Load
    var goal = Goal.end
    /// Try again what rests after a failure: a person asks, not a boot.
    var retryHeld = false
    /// The filesystem was repaired by force.
    var isRepaired = false
    var report: RepositoryReport
    /// What the boot before had begun and this one finished.
    var finished: Outcome?
    /// Begun again from the top after an error that passes.
    var isSecondTry = false
    /// Whether an image of ours had run for the database before this boot; nil until that matters.
    var livedBefore: Bool?
    /// The snapshot from before steps that met damage. A rollback gives every page back but those that were free, which SQLite never journals; and of
    /// a damaged database it is not certain which are.
    var evidence: Int64?
    /// What the check behind the steps found that was wrong before them.
    var damage: [String] = []
    /// What cannot be read of a database that could not be copied whole.
    var unreadable: String?

    /// - Parameter load: reads the set; by default the files in `repository.migrations`.
    public init(_ repository: Repository, reporter: Reporter, load: @escaping Load = RepositoryBoot.load) {
        self.repository = repository
        self.reporter = reporter
        self.load = load
        state = RepositoryState(database: repository.path)
        report = RepositoryReport(name: repository.name, path: repository.path, outcome: .failed)
    }

    /// The files in `repository.migrations`.
    public static func load(_ repository: Repository) throws(MigrationError) -> MigrationSet {
        try MigrationSet(directory: repository.migrations)
    }

    /// Runs it to its end. Nothing is thrown: what goes wrong is in the report.
    ///
    /// - Parameters:
    ///   - unclean: the filesystem was not unmounted before this boot, so a check is worth its time.
    ///   - repaired: the filesystem was repaired by force: a check of every entry of every index is.
    ///   - afterLoss: why the process that tried before did not end by itself; then no migration is tried again in this boot.
    ///   - distrusted: even a process that only looked at the database crashed: it goes to quarantine unopened, and the ladder is climbed.
    ///   - goal: how far to migrate; short of the end, that version counts as the wanted one.
    ///   - retryHeld: tries a plan that rests after a failure.
    public mutating func run(
        unclean: Bool = false, repaired: Bool = false, afterLoss: String? = nil, distrusted: Bool = false, to goal: Goal = .end,
        retryHeld: Bool = false
    ) -> RepositoryReport {
        self.goal = goal
        self.retryHeld = retryHeld
        isRepaired = repaired
        return reported { (boot) throws(MigrationError) in
            try boot.boot(unclean: unclean, afterLoss: afterLoss, distrusted: distrusted)
        }
    }

    /// Runs `work`, with an error turned into the report's.
    mutating func reported(_ work: (inout RepositoryBoot) throws(MigrationError) -> Void) -> RepositoryReport {
        let start = Clock.milliseconds
        let strangers = state.setStrangersAside()
        warn(strangers)
        if !strangers.isEmpty { state.pruneQuarantine(keep: repository.quarantine) }
        let fresh = self
        do throws(MigrationError) {
            do throws(MigrationError) {
                try work(&self)
            } catch {
                // An interrupted call, a moment without memory or descriptors: begun again from the top, where every boot begins.
                guard error.passes else { throw error }
                reporter.log.warning("\(error.text); once more from the beginning")
                let lived = livedBefore
                self = fresh
                livedBefore = lived
                isSecondTry = true
                try work(&self)
            }
        } catch {
            end(.failed, reason: "\(error.text); the database is left as it is")
        }
        handOverUnlessAnotherWorks()
        Ballast(state: state, log: reporter.log).release(changed: report.outcome != .current)
        report.durationMilliseconds = Clock.milliseconds - start
        return report
    }

    /// What `run` would do to the schema, writing nothing. A database with a hot journal is recovered, since nothing can be read before.
    /// - Throws: `.noMigrations` or `.file` without a set, `.goal` for a step that it does not have, `.database` when the file cannot
    ///   be read as a database.
    public func plan(to goal: Goal = .end) throws(MigrationError) -> Plan {
        let set = try load(repository)
        try checkGoal(set, goal)
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        switch found.file {
        case .database:
            var plan = Plan(set, try readHistory(found, set), goal: goal)
            if !plan.pending.isEmpty, let hold = holdNow(set, plan) { plan.held = hold }
            return plan
        case .missing, .empty, .short: return Plan(set, History(), goal: goal)
        case .foreign: throw .history(database: repository.path, reason: "it is not a SQLite database (encrypted?)")
        }
    }

    private mutating func boot(unclean: Bool, afterLoss: String?, distrusted: Bool) throws(MigrationError) {
        try finishIntent()
        if let suspect = try? FileSystem.readText(state.suspectPath) { warn(Array(Text.lines(suspect).prefix(1))) }
        guard repository.runMigrations else { return end(.skipped, reason: "migrations are switched off") }
        let set: MigrationSet
        do throws(MigrationError) {
            set = try load(repository)
        } catch {
            reporter.log.error("\(error.text); \(repository.path) is left as it is")
            return end(.skipped, reason: "no-migrations: \(error.text)")
        }
        try checkGoal(set, goal)
        report.wanted = set.newest

        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        switch found.file {
        case .database where distrusted:
            try recover(set, "opening \(repository.path): \(afterLoss ?? "the worker crashed")", damaged: false)
        case .database where found.tornJournal:
            try keepTornJournal()
            let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
            try bootExisting(set, found, unclean: true, afterLoss: afterLoss)
        case .database:
            try bootExisting(set, found, unclean: unclean, afterLoss: afterLoss)
        case .missing, .empty, .short:
            if found.sidecars || found.file == .short {
                try setAside(found)
            }
            if try hasLived() {
                try recover(set, "\(repository.path) is gone or empty, and it was there before", damaged: false)
            } else if isRepaired {
                // With it went all that would say whether there was one.
                try recover(set, "nothing of \(repository.path) is left behind the repair of its filesystem", damaged: false)
            } else {
                try create(set)
            }
        case .foreign:
            if !distrusted, try isHealed(byIts: found) {
                warn(["its first page is torn, and its \(found.hotJournal ? "journal" : "WAL") has it whole"])
                return try bootExisting(set, found, unclean: unclean, afterLoss: afterLoss)
            }
            // An encrypted database looks the same: only proof of an earlier life makes it damage (RULES.md S5).
            if try hasLived() {
                try recover(set, "\(repository.path) no longer begins like a SQLite database", damaged: false)
            } else {
                end(
                    .failed,
                    reason: "\(repository.path) is not a SQLite database and never was one of ours (encrypted?); "
                        + "it is left as it is")
            }
        }
    }

    private func checkGoal(_ set: MigrationSet, _ goal: Goal) throws(MigrationError) {
        guard case .version(let version) = goal else { return }
        if !set.migrations.contains(where: { $0.version == version }) {
            throw .goal(reason: "there is no step \(version) in \(set.directory)")
        }
    }

    // ---- An existing database ----

    mutating func bootExisting(
        _ set: MigrationSet, _ found: Inspection, unclean: Bool, afterLoss: String?
    ) throws(MigrationError) {
        let history: History
        do throws(MigrationError) {
            history = try readHistory(found, set)
            // Made by the application in the place of one that was gone when a boot failed, say.
            if !history.isKept, try system({ () throws(LinuxError) in try state.isBorn() }) {
                let cause = "\(repository.path) is not the database that was there before: it has no history of migrations"
                if try hasKnownHistory() { return try recover(set, cause, damaged: false) }
                try tellOfAnother(cause)
            }
            if unclean || found.isUnclean || FileSystem.exists(state.damagedPath) || isStrange(history, set) { try checkHealth(found) }
        } catch {
            guard try isDamaged(error) else { throw error }
            return try recover(set, error.text, damaged: true)
        }
        let plan = Plan(set, history, goal: goal)
        report.schema = plan.schema
        report.wanted = plan.wanted
        report.pending = Int64(plan.pending.count)
        warn(plan.warnings)

        if !plan.unknown.isEmpty {
            return try bootOlder(set, plan, history, afterLoss: afterLoss)
        }
        if plan.pending.isEmpty {
            try system { () throws(LinuxError) in if !(try state.isBorn()) { try prepareState() } }
            return end(report.quarantine == nil ? .current : .migrated)
        }
        if try takeUpPinned(set) {
            let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
            return try bootExisting(set, found, unclean: false, afterLoss: afterLoss)
        }
        try forward(set, plan, afterLoss: afterLoss)
    }

    func warn(_ warnings: [String], into report: inout RepositoryReport) {
        report.warnings += warnings
        for warning in warnings { reporter.log.warning("\(repository.path): \(warning)") }
    }

    mutating func warn(_ warnings: [String]) { warn(warnings, into: &report) }

    /// Reads the history in the way that writes least (RULES.md S23).
    func readHistory(_ found: Inspection, _ set: MigrationSet) throws(MigrationError) -> History {
        let database = try sqlite { () throws(SQLiteError) in try RepositoryBoot.open(repository.path, found) }
        return try History.read(database, adopt: repository.adopt, set: set)
    }

    static func open(_ path: String, _ found: Inspection, defensive: Bool = true) throws(SQLiteError) -> Database {
        // A journal without a header, as PERSIST leaves it, holds nothing that immutable would miss.
        if !found.isUnclean { return try Database(path, .immutable, defensive: defensive) }
        let database = try Database(path, .readWrite, defensive: defensive)
        // Who has it open now has it for long.
        try database.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA busy_timeout=200")
        do throws(SQLiteError) {
            // The lock is taken with the first read.
            _ = try database.integer("SELECT 1 FROM sqlite_schema LIMIT 1")
            try database.execute("PRAGMA busy_timeout=2000")
        } catch {
            // A supervisor that was started again finds the application at work: it is read as the application reads it.
            if error.kind == .busy { return try Database(path, .readWrite, defensive: defensive) }
            // Damage is the caller's to find.
            if error.kind.isMachine { throw error }
        }
        if found.leftoverWAL && !found.hotJournal { database.keepWALOnClose() }
        return database
    }

    // ---- Creating ----

    mutating func create(_ set: MigrationSet) throws(MigrationError) {
        let plan = Plan(set, History(), goal: goal)
        report.wanted = plan.wanted
        try system { () throws(LinuxError) in try prepareState(born: false, durable: false) }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let seal: Seal
        do throws(MigrationError) {
            seal = try fresh(plan.pending).build()
        } catch {
            reporter.log.error("\(repository.path): creating failed: \(error.text)")
            report.pending = Int64(plan.pending.count)
            return end(.failed, reason: "\(error.text); there was no database before, and none was made")
        }
        _ = try Swap(.replace, state, seal: seal).perform(state)
        try system { () throws(LinuxError) in try state.markBorn() }
        _ = consume lock
        report.schema = plan.pending.last?.version
        try snapshotAfterwards()
        end(.migrated)
    }

    // ---- Pieces ----

    func fresh(_ steps: [Migration]) -> FreshDatabase {
        FreshDatabase(state: state, repository: repository, steps: steps, reporter: reporter)
    }

    /// The snapshot from before a run in the place of what the run has left.
    func putBack(_ snapshot: Snapshot) throws(MigrationError) -> String? {
        makeRoom(snapshot.seal.size)
        let quarantine = try Swap(.undo, state, source: snapshot.path, seal: snapshot.seal).perform(state)
        state.pruneQuarantine(keep: repository.quarantine)
        return quarantine
    }

    /// Best effort: whether the copy fits shows as it is made.
    func makeRoom(_ bytes: Int64) {
        _ = Room(state: state, log: reporter.log, keepsSnapshots: true).make(bytes + Ballast.size)
    }

    /// Puts a snapshot in the database's place, under the lock.
    ///
    /// - Parameters:
    ///   - told: what it costs.
    ///   - announce: what has to be on the disk before the first file moves.
    /// - Returns: false when its seal does not hold; then nothing has been moved, and no later boot tries it again.
    mutating func putInPlace(
        _ snapshot: Snapshot, _ told: Told? = nil,
        announce: (Swap) throws(MigrationError) -> Void = { (_) throws(MigrationError) in }
    ) throws(MigrationError) -> Bool {
        let lock = try system { () throws(LinuxError) in try state.lock() }
        defer { _ = lock.raw }
        makeRoom(snapshot.seal.size)
        do throws(MigrationError) {
            let swap = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told)
            try announce(swap)
            report.quarantine = try swap.perform(state)
        } catch {
            guard case .seal = error else { throw error }
            reporter.log.error("\(error.text); it is not put in place")
            try system { () throws(LinuxError) in try Swap.clear(state) }
            return false
        }
        // Whole again, whatever the database was that has gone.
        try? FileSystem.remove(state.suspectPath)
        // From before the first step: it has no history, and need not have one.
        if snapshot.seal.schema == 0 { try? FileSystem.remove(state.bornPath) }
        state.pruneQuarantine(keep: repository.quarantine)
        if let told { note(told) }
        return true
    }

    /// Takes into the report what a swap that has just been done costs.
    mutating func note(_ told: Told) {
        report.untold = true
        try? FileSystem.remove(state.damagedPath)
        // What an earlier boot could not tell is told here, too.
        report.lost = Told.joined(told.lost, report.lost)
        if let snapshot = told.snapshot { report.snapshot = snapshot }
        if let lost = told.lost { reporter.log.warning("\(repository.path): lost: \(lost)") }
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

    /// SQLite deletes a journal whose header is torn, as one of which nothing had been synced. Flash that goes bad tears it as well, and then
    /// the pages from before are nowhere else: it goes to quarantine, and the database is looked at.
    private mutating func keepTornJournal() throws(MigrationError) {
        let place = try system { () throws(LinuxError) in
            try prepareState(born: false)
            let lock = try state.lock()
            defer { _ = lock.raw }
            _ = try FileDescriptor.open(state.damagedPath, .create, permissions: 0o600)
            let place = try state.makeQuarantine(try state.nextSequence())
            try FileSystem.rename(state.database + "-journal", to: "\(place)/\(Text.name(of: state.database))-journal")
            try FileSystem.syncDirectory(place)
            try FileSystem.syncDirectory(state.directory)
            try FileSystem.syncDirectory(state.databaseDirectory)
            return place
        }
        warn(["the header of its journal is damaged; the journal is in \(place)"])
        state.pruneQuarantine(keep: repository.quarantine)
    }

    /// The generation to come back to should the flash go bad tomorrow. The database is good without it, so trouble is only told.
    mutating func snapshotAfterwards() throws(MigrationError) {
        do throws(MigrationError) {
            let snapshot = try takeSnapshot()
            if report.snapshot == nil { report.snapshot = snapshot.title }
            state.snapshots.prune(keep: repository.snapshots, and: evidence)
        } catch {
            warn(["no snapshot after migrating: \(error.text)"])
        }
    }

    /// A snapshot of a database that nobody else has open.
    mutating func takeSnapshot() throws(MigrationError) -> Snapshot {
        reporter.progress(.working, "snapshot of \(repository.path)")
        let database = try sqlite { () throws(SQLiteError) in
            let database = try Database(repository.path, .readWrite)
            try database.execute("PRAGMA locking_mode=EXCLUSIVE")
            if try database.text("PRAGMA journal_mode") == "wal" { try Upgrade.checkpoint(database) }
            try database.execute("BEGIN IMMEDIATE")
            return database
        }
        let size = try sqlite { () throws(SQLiteError) in try database.fileSize() }
        guard Room(state: state, log: reporter.log).make(size + Upgrade.headroom) else {
            throw .system(LinuxError("snapshot", repository.path, code: LinuxError.full))
        }
        let sequence = try system { () throws(LinuxError) in try state.nextSequence() }
        let snapshot = try state.snapshots.take(of: database, sequence: sequence)
        try? database.execute("ROLLBACK")
        return snapshot
    }

    mutating func end(_ outcome: Outcome, reason: String? = nil) {
        report.outcome = outcome
        if let reason { report.reason = reason }
        // Of the end of a boot that could not tell it any more and that of this one, the worse is told.
        if let finished, finished > outcome { report.outcome = finished }
    }
}
