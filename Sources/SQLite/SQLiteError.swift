internal import CSQLite

/// An error of SQLite: what was being done, to which database, the extended result code and SQLite's own message.
public struct SQLiteError: Error, Sendable {
    /// What was being done: `open`, `prepare`, `COMMIT`.
    public let operation: String
    /// The database's path.
    public let database: String
    /// The extended result code (rescode.html).
    public let code: Int32
    /// What sqlite3_errmsg said, at the moment of the error.
    public let message: String
    /// The byte in the SQL text the error is about, where SQLite knows it (sqlite3_error_offset).
    public let offset: Int?

    /// An error that a program reports in SQLite's terms.
    public init(operation: String, database: String, code: Int32, message: String, offset: Int? = nil) {
        self.operation = operation
        self.database = database
        self.code = code
        self.message = message
        self.offset = offset
    }

    /// What an error means for the data, which the code alone decides (RULES.md S5): only `corrupt` and `notADatabase`
    /// say anything about the bytes, and even they need confirming.
    public enum Kind: Sendable, Equatable {
        case corrupt
        case notADatabase
        case full
        case io
        case noMemory
        case busy
        case interrupted
        case readOnly
        case cannotOpen
        /// The authorizer said no.
        case refused
        /// The SQL is wrong, or a constraint does not hold.
        case sql

        /// Whether the machine is in trouble rather than the database or the SQL.
        public var isMachine: Bool {
            switch self {
            case .full, .io, .noMemory, .busy, .interrupted, .readOnly, .cannotOpen: true
            case .corrupt, .notADatabase, .refused, .sql: false
            }
        }
    }

    /// The code for damage that a check reported in rows, not in a code (RULES.md S10).
    public static var corrupt: Int32 { SQLITE_CORRUPT }
    /// The code for a lock that somebody else holds.
    public static var busy: Int32 { SQLITE_BUSY }
    /// The code for a run that was cancelled between two statements.
    public static var interrupted: Int32 { SQLITE_INTERRUPT }

    /// By the primary result code.
    public var kind: Kind {
        switch code & 0xFF {
        case SQLITE_CORRUPT: .corrupt
        case SQLITE_NOTADB: .notADatabase
        case SQLITE_FULL: .full
        case SQLITE_IOERR: .io
        case SQLITE_NOMEM: .noMemory
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_INTERRUPT: .interrupted
        case SQLITE_READONLY: .readOnly
        case SQLITE_CANTOPEN, SQLITE_PERM: .cannotOpen
        case SQLITE_AUTH: .refused
        default: .sql
        }
    }

    /// Whether it is about the values alone: a constraint does not hold, or a value is not of the type that its column insists on.
    public var isConstraint: Bool { [SQLITE_CONSTRAINT, SQLITE_MISMATCH].contains(code & 0xFF) }

    /// `COMMIT /data/app/app.db: database or disk is full (13)`
    public var text: String { "\(operation) \(database): \(message) (\(code))" }
}
