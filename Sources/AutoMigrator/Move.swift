internal import Linux
internal import SQLite

/// One step in one direction: what a run carries out.
struct Move {
    enum Direction: Equatable { case up, down }

    let direction: Direction
    let version: Int64
    /// `20240301120000_add_sensors`
    let title: String
    let file: String
    let action: Migration.Action
    let options: Migration.Options
    /// What goes into the history; nil for a step that only the database knows.
    let migration: Migration?

    init(up migration: Migration) {
        direction = .up
        version = migration.version
        title = migration.title
        file = migration.file
        action = migration.up
        options = migration.options
        self.migration = migration
    }

    /// Nil for a step without a down.
    init?(down migration: Migration) {
        guard let down = migration.down else { return nil }
        direction = .down
        version = migration.version
        title = migration.title
        file = if case .sql(let script) = down, let file = script.file { file } else { migration.file }
        action = down
        options = migration.downOptions
        self.migration = migration
    }

    /// From the down SQL that travels in the database; nil where none does.
    init?(stored step: History.Step) {
        guard let down = step.down else { return nil }
        direction = .down
        version = step.version
        title = Migration.title(step.version, step.name ?? "")
        file = "the stored down of \(title)"
        (options, action) = StoredDown.read(down)
        migration = nil
    }

    /// Runs it under the authorizer that keeps a step to its own database and its own transaction.
    ///
    /// - Throws: `.step` or `.refused`, with the file's line. The caller's transaction may then be gone already: SQLite rolls back by
    ///   itself on a full disk (RULES.md S27).
    /// - Returns: whether it wants the database in WAL mode once its transaction is committed.
    @discardableResult
    func run(on database: borrowing Database) throws(MigrationError) -> Bool {
        let alone = !options.transaction
        let stepGuard = StepGuard(alone: alone)
        database.authorize { stepGuard.allows($0) }
        defer { database.authorize(nil) }
        switch action {
        case .sql(let script):
            let wantsWAL = try ScriptRunner(title: title, file: file, alone: alone, stepGuard: stepGuard)
                .run(script, on: database)
            // Else the steps of one boot would not do what they do in two.
            if stepGuard.switched { try sqlite { () throws(SQLiteError) in try database.resetPragmas() } }
            return wantsWAL
        case .code(let code):
            do throws(SQLiteError) {
                try code(database)
            } catch {
                if error.kind == .refused, let refusal = stepGuard.refusal {
                    throw .refused(title: title, file: file, line: nil, reason: refusal)
                }
                throw .step(title: title, file: file, line: nil, error: error)
            }
            if database.isAutocommit != alone {
                throw .refused(
                    title: title, file: file, line: nil,
                    reason: alone ? "it leaves a transaction open" : "it ended the transaction that all pending steps run in")
            }
            return false
        }
    }
}
