internal import Linux
internal import SQLite

/// Runs moves one by one, each with its row in the history, and tells how far it is.
struct StepRunner {
    let repository: Repository
    let reporter: Reporter
    /// How many there are in all.
    let count: Int
    /// When the run is interrupted, by Clock.milliseconds; nil is never.
    let deadline: Int64?
    private(set) var done = 0
    /// Whether a step wanted the database in WAL mode, which no transaction can change.
    private(set) var wantsWAL = false
    /// Steps whose row of ours is still to be written.
    private var undescribed: [Migration] = []

    init(_ repository: Repository, count: Int, reporter: Reporter) {
        self.repository = repository
        self.reporter = reporter
        self.count = count
        deadline = repository.deadline.map { Clock.milliseconds + $0 }
    }

    /// One move and its row: in the caller's transaction, which `finish` has to end, or, for `transaction:false`, the row in one of its
    /// own.
    mutating func run(_ move: Move, on database: borrowing Database) throws(MigrationError) {
        done += 1
        let line = "\(repository.path): \(move.direction == .up ? "step" : "undo") \(done) of \(count): \(move.title)"
        reporter.progress(.working, line, percent: Int64(done - 1) * 100 / Int64(max(count, 1)))
        reporter.log.info(line)
        let progress = { [done, count] (instructions: Int64) in
            Progress(step: done, count: count, title: move.title, instructions: instructions)
        }
        if repository.hooks.progress?(progress(0)) == false {
            throw .step(title: move.title, file: move.file, line: nil, error: cancelled(database))
        }
        watch(database, progress)
        try hook(repository.hooks.beforeStep, progress(0), move, on: database)
        do throws(MigrationError) {
            if try move.run(on: database) { wantsWAL = true }
        } catch {
            throw timely(error)
        }
        let alone = !move.options.transaction
        if alone { try sqlite { () throws(SQLiteError) in try database.execute("BEGIN IMMEDIATE") } }
        try History.record(move, in: database)
        if move.direction == .up, let migration = move.migration { undescribed.append(migration) }
        if alone { try finish(on: database) }
        if alone { try sqlite { () throws(SQLiteError) in try database.execute("COMMIT") } }
        try hook(repository.hooks.afterStep, progress(0), move, on: database)
        if !alone && database.isAutocommit {
            throw .refused(
                title: move.title, file: move.file, line: nil, reason: "a hook ended the transaction that all steps run in")
        }
    }

    /// What is left to be recorded before the transaction is committed.
    mutating func finish(on database: borrowing Database) throws(MigrationError) {
        try History.describe(undescribed, in: database)
        undescribed = []
    }

    private func hook(
        _ hook: Hooks.Step?, _ progress: Progress, _ move: Move, on database: borrowing Database
    ) throws(MigrationError) {
        do throws(SQLiteError) {
            try hook?(progress, database)
        } catch {
            throw .step(title: move.title, file: move.file, line: nil, error: error)
        }
    }

    private func cancelled(_ database: borrowing Database) -> SQLiteError {
        SQLiteError(operation: "run", database: database.path, code: SQLiteError.interrupted, message: "cancelled")
    }

    /// SQLite says only that a statement was interrupted, not that the time for it was up.
    private func timely(_ error: MigrationError) -> MigrationError {
        guard case .step(let title, let file, let line, let cause) = error, cause.kind == .interrupted,
            let deadline, Clock.milliseconds >= deadline
        else { return error }
        return .step(
            title: title, file: file, line: line,
            error: SQLiteError(
                operation: cause.operation, database: cause.database, code: cause.code, message: "interrupted when its time was up"))
    }

    /// Movement inside a long statement, and the end of patience with it.
    private func watch(_ database: borrowing Database, _ progress: @escaping (Int64) -> Progress) {
        let interval: Int64 = 10_000
        let (deadline, tell) = (deadline, repository.hooks.progress)
        if deadline == nil && tell == nil { return }
        var instructions: Int64 = 0
        database.onProgress(every: Int32(interval)) {
            instructions += interval
            if let deadline, Clock.milliseconds >= deadline { return true }
            return tell?(progress(instructions)) == false
        }
    }
}
