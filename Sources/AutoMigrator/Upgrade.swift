internal import Linux
internal import SQLite

/// Takes one existing database from its schema to another, up or down: snapshot, all moves, verify, commit.
///
/// One unit of moves is the rule, and then SQLite's transaction is all the protection it takes. With several, the schema is
/// between two versions from the first commit to the last, so that an intent names the snapshot to go back to for that long.
struct Upgrade {
    /// What an upgrade that failed leaves behind.
    struct Failure: Error {
        let cause: MigrationError
        /// The file no longer holds the schema from before: `undo` has to be put back.
        let undo: Snapshot?
    }

    /// What to run, given the history as it is under the lock: between a plan and the lock somebody may have migrated.
    typealias Course = (History) throws(MigrationError) -> [Move]

    /// Bytes to leave free beside snapshot and journal.
    static let headroom: Int64 = 1 << 20

    let state: RepositoryState
    let repository: Repository
    let set: MigrationSet
    let course: Course
    let reporter: Reporter
    /// Damage that was there before the steps does not stop them, for lack of anything better.
    let toleratesDamage: Bool
    /// Called as the run enters a stage, for who has to know how far it was.
    let entered: (String) -> Void

    /// The snapshot taken before the first step; nil when there was no room for it.
    private(set) var snapshot: Snapshot?
    /// The newest applied version when all is done; nil for none.
    private(set) var schema: Int64?
    /// What speaks against the database and did so before: no reason to undo the run, and a reason to look at the device.
    private(set) var findings: [String] = []
    /// The rows of the check that say so.
    private(set) var damage: [String] = []
    /// Whether something of an unfinished run may be on the disk.
    private var committedPart = false
    /// Whether the COMMIT that failed was the last one.
    private var lastCommitFailed = false
    /// What the history says when all is done.
    private var expected: [Int64] = []

    init(
        _ state: RepositoryState, _ repository: Repository, _ set: MigrationSet, reporter: Reporter,
        toleratesDamage: Bool = true, entered: @escaping (String) -> Void = { _ in }, course: @escaping Course
    ) {
        self.state = state
        self.repository = repository
        self.set = set
        self.reporter = reporter
        self.toleratesDamage = toleratesDamage
        self.entered = entered
        self.course = course
    }

    /// Runs it. On return every move is committed and on the disk; the connection is closed.
    ///
    /// After a power cut inside the one unit of most upgrades SQLite rolls back and the next boot begins again; with several, the
    /// intent brings the snapshot back first.
    mutating func run() throws(Failure) {
        do throws(MigrationError) {
            let database = try repository.open(state.database, .readWrite)
            try runUnits(on: database)
        } catch {
            // The connection is closed here: what the disk holds can be looked at.
            if !wasCommittedAllTheSame() {
                repository.hooks.afterRun?(error)
                throw Failure(cause: error, undo: committedPart ? snapshot : nil)
            }
        }
        if committedPart {
            do throws(LinuxError) { try Swap.clear(state) } catch { throw Failure(cause: .system(error), undo: snapshot) }
        }
        repository.hooks.afterRun?(nil)
    }

    /// COMMIT can fail with the commit in place (RULES.md S6). Then the page cache may hold what never reached the disk, so it is
    /// dropped, and the new state counts only if it is read back from the device and a sync of it succeeds (S7, S29).
    private func wasCommittedAllTheSame() -> Bool {
        guard lastCommitFailed else { return false }
        for suffix in RepositoryState.suffixes {
            if let file = try? FileDescriptor.open(state.database + suffix, .read) { file.dropCache() }
        }
        guard let history = try? readHistory(), history.applied.map({ $0.version }) == expected,
            let file = try? FileDescriptor.open(state.database, .readWrite), (try? file.sync()) != nil
        else { return false }
        reporter.log.warning("\(state.database): COMMIT reported an error, but the new schema is on the disk")
        return true
    }

    private func readHistory() throws(MigrationError) -> History {
        let database = try sqlite { () throws(SQLiteError) in
            let database = try Database(state.database, .readWrite)
            try database.execute("PRAGMA locking_mode=EXCLUSIVE")
            return database
        }
        return try History.read(database, adopt: repository.adopt, set: set)
    }

    private mutating func runUnits(on database: borrowing Database) throws(MigrationError) {
        try prepare(database)
        let history = try History.read(database, adopt: repository.adopt, set: set)
        let moves = try course(history)
        expect(moves, history)
        if moves.isEmpty { return }
        let units = Unit.split(moves)

        // The snapshot is read under the very lock that the first unit runs under: nobody can write in between.
        try begin(database, foreignKeys: units.first?.foreignKeys ?? false)
        try takeSnapshot(database, needed: units.count > 1 || units.contains { $0.alone })
        repository.hooks.beforeRun?(moves.map { $0.title })
        entered("the steps")
        let baseline = try snapshot == nil ? check(database) : nil
        try History.prepare(database, taking: history)

        var runner = StepRunner(repository, count: moves.count, reporter: reporter)
        for (index, unit) in units.enumerated() {
            let last = index == units.count - 1
            if unit.alone {
                // The lock of the snapshot; what History.prepare made is committed with it.
                if !database.isAutocommit { try commit(database, last: false) }
                try announcePart()
                try sqlite { () throws(SQLiteError) in
                    try database.execute("PRAGMA foreign_keys=\(unit.foreignKeys ? "ON" : "OFF")")
                }
            } else if database.isAutocommit {
                try begin(database, foreignKeys: unit.foreignKeys)
            }
            for move in unit.moves { try runner.run(move, on: database) }
            try runner.finish(on: database)
            if last {
                try compare(database, baseline: baseline)
                if let move = moves.last { try confirm(move, database) }
            }
            if !unit.alone {
                if !last { try announcePart() }
                try commit(database, last: last)
            }
        }
        settle(database, wantsWAL: runner.wantsWAL)
    }

    private mutating func expect(_ moves: [Move], _ history: History) {
        var versions = history.applied.map { $0.version }
        for move in moves {
            versions.removeAll { $0 == move.version }
            if move.direction == .up { versions.append(move.version) }
        }
        Text.sort(&versions) { $0 < $1 }
        expected = versions
        schema = versions.last
    }

    /// The connection, before the first read: alone, and syncing what a commit must not lose.
    private func prepare(_ database: borrowing Database) throws(MigrationError) {
        try sqlite { () throws(SQLiteError) in
            // Exclusive locking needs no -shm, which a full disk turns into SIGBUS (RULES.md S17, S20).
            try database.execute("PRAGMA locking_mode=EXCLUSIVE")
            // In DELETE mode only EXTRA syncs the directory after the unlink that is the commit (RULES.md S1).
            try database.execute("PRAGMA synchronous=EXTRA")
            try database.execute("PRAGMA temp_store=FILE")
            if try database.text("PRAGMA journal_mode") == "wal" { try Upgrade.checkpoint(database) }
            // SQLite would write behind the end of a file that has been cut short, and roll back to a size that it never had.
            let pages = try database.integer("PRAGMA page_count") ?? 0
            if try pages * (database.integer("PRAGMA page_size") ?? 0) > database.fileSize() {
                throw SQLiteError(
                    operation: "migrate", database: database.path, code: SQLiteError.corrupt,
                    message: "its header counts \(pages) pages, more than the file has")
            }
        }
    }

    /// Empties the WAL into the file and reads the answer: a checkpoint that could not finish returns no error (RULES.md S18).
    static func checkpoint(_ database: borrowing Database) throws(SQLiteError) {
        if try database.integer("PRAGMA wal_checkpoint(TRUNCATE)") != 0 {
            throw SQLiteError(
                operation: "wal_checkpoint", database: database.path, code: SQLiteError.busy,
                message: "another connection keeps the WAL from being emptied")
        }
    }

    private func begin(_ database: borrowing Database, foreignKeys: Bool) throws(MigrationError) {
        try sqlite { () throws(SQLiteError) in
            // Nothing inside a transaction, and with foreign keys on a table rebuild cascades its children away (RULES.md S9).
            try database.execute("PRAGMA foreign_keys=\(foreignKeys ? "ON" : "OFF")")
            try database.execute("BEGIN IMMEDIATE")
        }
    }

    private mutating func takeSnapshot(_ database: borrowing Database, needed: Bool) throws(MigrationError) {
        let size = try sqlite { () throws(SQLiteError) in try database.fileSize() }
        let room = Room(state: state, log: reporter.log)
        // The copy, and as much again for a journal of every page.
        if room.make(2 * size + Upgrade.headroom) {
            reporter.progress(.working, "snapshot of \(state.database)")
            entered("the snapshot")
            snapshot = try state.snapshots.take(
                of: database, sequence: try system { () throws(LinuxError) in try state.nextSequence() })
        } else if needed {
            throw .system(LinuxError("snapshot", state.database, code: LinuxError.full))
        } else {
            reporter.log.warning("\(state.database): no room for a snapshot; the steps run in one transaction without")
        }
    }

    /// From here to the end of the run the file may hold a schema that no image ever had.
    private mutating func announcePart() throws(MigrationError) {
        if committedPart { return }
        guard let snapshot else { return }
        let intent = try Swap(.run, state, source: snapshot.path, seal: snapshot.seal)
        do throws(LinuxError) {
            try intent.write(to: state)
        } catch {
            // It may be there all the same, and nothing has been committed.
            try? Swap.clear(state)
            throw .system(error)
        }
        committedPart = true
    }

    private func check(_ database: borrowing Database) throws(MigrationError) -> Check {
        try sqlite { () throws(SQLiteError) in try Check(database, verify: repository.verify) }
    }

    /// Only what was not there before counts. The snapshot is the state before, so it is looked at only when there is anything
    /// to compare.
    private mutating func compare(_ database: borrowing Database, baseline: Check?) throws(MigrationError) {
        if repository.verify == .none { return }
        reporter.progress(.working, "check \(state.database)")
        entered("the check")
        let after = try check(database)
        for note in after.notes { reporter.log.warning("\(state.database): \(note)") }
        if after.news(since: Check()) == nil { return }
        let before: Check
        if let baseline {
            before = baseline
        } else if let snapshot {
            before = try check(try repository.open(snapshot.path, .immutable))
        } else {
            before = Check()
        }
        if !toleratesDamage, let first = before.worst { throw .damaged(finding: first) }
        if let news = after.news(since: before) { throw .check(reason: news) }
        damage = after.structure.filter { !DamageFinding(text: $0).isHarmless }
        if let first = after.structure.first { findings.append("it was damaged before the migrations, and still is: \(first)") }
    }

    /// A trigger of somebody's on the history's table may undo what is recorded there, and the steps would run again at every boot.
    private func confirm(_ move: Move, _ database: borrowing Database) throws(MigrationError) {
        let isThere = try History.read(database, adopt: repository.adopt, set: set).contains(move.version)
        if isThere != (move.direction == .up) {
            throw .check(reason: "schema_migrations does not keep that step \(move.title) was done (a trigger on it?)")
        }
    }

    private mutating func commit(_ database: borrowing Database, last: Bool) throws(MigrationError) {
        // A commit is not to be interrupted: whether it happened would have to be found out.
        database.onProgress(nil)
        entered("the commit")
        do throws(SQLiteError) {
            try database.execute("COMMIT")
        } catch {
            lastCommitFailed = last
            reporter.log.error("\(error.text); looking at the disk again on a fresh connection")
            try? database.execute("ROLLBACK")
            throw .database(error)
        }
    }

    /// Everything is committed and on the disk by now, so that trouble here is only told.
    private func settle(_ database: borrowing Database, wantsWAL: Bool) {
        database.onProgress(nil)
        do throws(SQLiteError) {
            let isWAL = try database.text("PRAGMA journal_mode") == "wal"
            if isWAL {
                try Upgrade.checkpoint(database)
            } else if wantsWAL {
                try database.execute("PRAGMA journal_mode=WAL")
            }
        } catch {
            reporter.log.warning("\(state.database): after the migrations: \(error.text)")
        }
    }
}
