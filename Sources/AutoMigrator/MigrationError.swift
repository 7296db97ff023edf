public import Linux
public import SQLite

/// What can go wrong between a migration file and a migrated database.
public enum MigrationError: Error, Sendable {
    /// A migration file is wrong: a bad name, a marker typo, a version twice.
    case file(path: String, line: Int64?, reason: String)
    /// There is no set to work from.
    case noMigrations(directory: String, reason: String)
    /// A step's SQL failed, at this line of its file; nil for a step in code.
    case step(title: String, file: String, line: Int64?, error: SQLiteError)
    /// A step's SQL does what a migration must not do.
    case refused(title: String, file: String, line: Int64?, reason: String)
    /// The database is not as sound after the steps as it was before.
    case check(reason: String)
    /// The check behind the steps found damage that was there before them; nothing of the run stays.
    case damaged(finding: String)
    /// SQLite, outside a step's own SQL.
    case database(SQLiteError)
    /// The kernel.
    case system(LinuxError)
    /// Bytes that are not what their seal says.
    case seal(path: String, reason: String)
    /// `schema_migrations` is somebody else's, in a shape that is not ours.
    case history(database: String, reason: String)
    /// The version or the number of steps that was asked for cannot be reached.
    case goal(reason: String)
    /// A step is older than what is applied, and strict order was asked for.
    case order(file: String, newest: Int64)
    /// An extension that the set needs was not loaded.
    case `extension`(path: String, reason: String)

    /// The thing, the operation and the cause, in one line.
    public var text: String {
        switch self {
        case .file(let path, let line, let reason):
            "\(MigrationError.place(path, line)): \(reason)"
        case .noMigrations(let directory, let reason): "no migrations in \(directory): \(reason)"
        case .step(_, let file, let line, let error): "\(MigrationError.place(file, line)): \(error.message)"
        case .refused(_, let file, let line, let reason): "\(MigrationError.place(file, line)): \(reason)"
        case .check(let reason): "check after migrating: \(reason)"
        case .damaged(let finding): "it was damaged before the migrations: \(finding)"
        case .database(let error): error.text
        case .system(let error): error.text
        case .seal(let path, let reason): "\(path) is not what its seal says: \(reason)"
        case .history(let database, let reason): "\(database): \(reason)"
        case .goal(let reason): reason
        case .order(let file, let newest):
            "\(file): older than step \(newest), which is applied, and strict order was asked for; nothing was migrated"
        case .extension(let path, let reason): "extension \(path): \(reason)"
        }
    }

    private static func place(_ file: String, _ line: Int64?) -> String { line.map { "\(file):\($0)" } ?? file }

    /// Whether the machine is in trouble (disk full, I/O error, no memory, busy) rather than the migration or the data.
    public var isMachine: Bool {
        switch self {
        case .step(_, _, _, let error), .database(let error): error.kind.isMachine
        case .system: true
        case .file, .noMigrations, .refused, .check, .damaged, .seal, .history, .goal, .order, .extension: false
        }
    }

    /// Whether its time was up, or somebody cancelled it.
    var isInterrupted: Bool {
        switch self {
        case .step(_, _, _, let error), .database(let error): error.kind == .interrupted
        default: false
        }
    }

    /// Whether it may be gone a moment later: trouble of the machine, but for a lock that was waited for and a run that was cancelled.
    var passes: Bool {
        switch self {
        case .step(_, _, _, let error), .database(let error):
            error.kind.isMachine && error.kind != .busy && error.kind != .interrupted
        case .system(let error): error.code != LinuxError.busy
        default: false
        }
    }

    /// Whether the same plan would fail in the same way again, so that it rests until something about it changes. Trouble of the machine
    /// passes; so does what a configuration can mend.
    var holds: Bool {
        switch self {
        case .step(_, _, _, let error): error.kind == .sql || error.kind == .refused
        case .refused, .check: true
        default: false
        }
    }

    /// Whether SQLite called the database damaged: a suspicion, to be confirmed (RULES.md S5).
    var suggestsDamage: Bool {
        switch self {
        case .step(_, _, _, let error), .database(let error):
            error.kind == .corrupt || error.kind == .notADatabase
        default: false
        }
    }

    /// Whether it is damage that steps have met, or the check behind them.
    var speaksOfDamage: Bool { if case .damaged = self { true } else { suggestsDamage } }
}

/// Runs SQLite calls where MigrationError is thrown.
func sqlite<T: ~Copyable>(_ body: () throws(SQLiteError) -> T) throws(MigrationError) -> T {
    do throws(SQLiteError) { return try body() } catch { throw .database(error) }
}

/// Runs system calls where MigrationError is thrown.
func system<T: ~Copyable>(_ body: () throws(LinuxError) -> T) throws(MigrationError) -> T {
    do throws(LinuxError) { return try body() } catch { throw .system(error) }
}
