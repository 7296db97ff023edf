internal import CSQLite
internal import Linux

/// A connection to one SQLite database, closed when the value goes.
///
/// Set up for files that anybody may have written (RULES.md S14): no memory mapping, no extensions, cell sizes checked, extended result
/// codes.
public struct Database: ~Copyable {
    let handle: OpaquePointer
    /// The path it was opened by.
    public let path: String
    private let callbacks: Callbacks

    /// How to open. What each writes by merely opening is in RULES.md S23.
    public enum Mode: Sendable {
        /// Read-only and `immutable=1`: takes no lock and writes nothing, not even for a clean WAL database. Never beside a
        /// sidecar that is not empty: a committed WAL would be ignored (RULES.md S13).
        case immutable
        /// Read and write, the file must be there.
        case readWrite
        /// Read and write, made where it is missing.
        case create
    }

    /// Opens the file and takes no lock yet. A file that is not a database shows only at the first statement.
    ///
    /// - Parameter defensive: SQLITE_DBCONFIG_DEFENSIVE; off only to judge damage with `writable_schema`.
    public init(_ path: String, _ mode: Mode, defensive: Bool = true) throws(SQLiteError) {
        handle = try Database.open(path, mode, defensive: defensive)
        self.path = path
        callbacks = Callbacks()
    }

    private static func open(_ path: String, _ mode: Mode, defensive: Bool) throws(SQLiteError) -> OpaquePointer {
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_URI
        switch mode {
        case .immutable: flags |= SQLITE_OPEN_READONLY
        case .readWrite: flags |= SQLITE_OPEN_READWRITE
        case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(uri(path, immutable: mode == .immutable), &opened, flags, nil)
        guard code == SQLITE_OK, let handle = opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            let extended = opened.map { sqlite3_extended_errcode($0) } ?? code
            sqlite3_close_v2(opened)
            throw SQLiteError(operation: "open", database: path, code: extended, message: message)
        }
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 2000)
        _ = csqlite_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, defensive ? 1 : 0)
        // Untrusted, a schema that indexes json_extract() is "malformed" (11) to SQLite before 3.41, and an intact database would be taken for
        // a damaged one (RULES.md S5, against S14). What a hostile schema could call here is SQLite's own, and what the set's owner added.
        _ = csqlite_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1)
        _ = csqlite_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
        sqlite3_exec(handle, "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON", nil, nil, nil)
        return handle
    }

    deinit { sqlite3_close_v2(handle) }

    /// A URI filename (uri.html): `?`, `#` and `%` in the path must not be taken for more than themselves.
    private static func uri(_ path: String, immutable: Bool) -> String {
        var uri = Array("file:".utf8)
        let digits = Array("0123456789abcdef".utf8)
        for byte in path.utf8 {
            switch byte {
            case 0x3F, 0x23, 0x25: uri += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: uri.append(byte)
            }
        }
        if immutable { uri += Array("?immutable=1".utf8) }
        return String(decoding: uri, as: UTF8.self)
    }

    /// Lets SQLite take random numbers before the kernel's pool is ready. Once, before the first database is opened: early boot has no
    /// entropy, and waiting for it costs a second (RULES.md B1).
    public static func neverWaitForEntropy() { csqlite_never_wait_for_entropy() }

    /// No more than `bytes` for all of SQLite in this process: a statement that wants more fails with `.noMemory`
    /// (c3ref/hard_heap_limit64.html).
    public static func limitMemory(_ bytes: Int64) { sqlite3_hard_heap_limit64(bytes) }

    /// SQLite's version at run time: `3.46.1`.
    public static var version: String { String(cString: sqlite3_libversion()) }

    /// The error the connection has just had.
    func lastError(_ operation: String) -> SQLiteError {
        let offset = sqlite3_error_offset(handle)
        return SQLiteError(
            operation: operation, database: path, code: sqlite3_extended_errcode(handle),
            message: String(cString: sqlite3_errmsg(handle)), offset: offset >= 0 ? Int(offset) : nil)
    }

    /// Runs one or several statements whose rows do not matter.
    public func execute(_ sql: String) throws(SQLiteError) {
        if sqlite3_exec(handle, sql, nil, nil, nil) != SQLITE_OK { throw lastError(sql) }
    }

    /// Compiles the first statement of a text.
    public func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        var statement: OpaquePointer?
        if sqlite3_prepare_v2(handle, sql, -1, &statement, nil) != SQLITE_OK { throw lastError("prepare") }
        return Statement(handle: statement, database: handle, path: path)
    }

    /// Prepares the first statement of a NUL-terminated script from `start` on.
    /// - Returns: the statement, empty when only blanks and comments were left; its `end` is the byte after it.
    public func prepare(
        script: UnsafeBufferPointer<CChar>, from start: Int
    ) throws(SQLiteError) -> Statement {
        var statement: OpaquePointer?
        var tail: UnsafePointer<CChar>?
        let text = script.baseAddress! + start
        // Length -1, not the rest's: with a length SQLite copies all of the rest for every statement.
        if sqlite3_prepare_v2(handle, text, -1, &statement, &tail) != SQLITE_OK { throw lastError("prepare") }
        return Statement(handle: statement, database: handle, path: path, end: start + (tail! - text))
    }

    /// The first column of the first row as an integer; nil without a row, or NULL.
    public func integer(_ sql: String) throws(SQLiteError) -> Int64? {
        let statement = try prepare(sql)
        guard try statement.step() else { return nil }
        return statement.integer(0)
    }

    /// The first column of the first row as text; nil without a row, or NULL.
    public func text(_ sql: String) throws(SQLiteError) -> String? {
        let statement = try prepare(sql)
        guard try statement.step() else { return nil }
        if let text = statement.text(0) { return text }
        // A conversion that there was no memory for is NULL as well; SQLite says so at the next step only.
        _ = try statement.step()
        return nil
    }

    /// Whether no transaction is open. After an error it may be so although nobody said ROLLBACK (RULES.md S27).
    public var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// Leaves a WAL where it is when the connection closes: closing then writes nothing.
    public func keepWALOnClose() { _ = csqlite_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1) }

    /// No trigger fires on this connection any more: rows that are copied are to be what they were.
    public func disableTriggers() { _ = csqlite_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0) }

    /// The main file's size in bytes, through SQLite's own handle.
    public func fileSize() throws(SQLiteError) -> Int64 {
        var size: Int64 = 0
        let code = csqlite_file_size(handle, &size)
        if code != SQLITE_OK {
            throw SQLiteError(
                operation: "size of", database: path, code: code, message: String(cString: sqlite3_errstr(code)))
        }
        return size
    }

    /// Reads the main file's bytes through SQLite's own handle: another open and close of the file would drop SQLite's
    /// locks (RULES.md S12). The range must be inside the file.
    public func readFile(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SQLiteError) {
        let code = csqlite_read_file(handle, buffer.baseAddress, Int32(buffer.count), offset)
        if code != SQLITE_OK {
            throw SQLiteError(
                operation: "read", database: path, code: code, message: String(cString: sqlite3_errstr(code)))
        }
    }

    /// Copies the whole database, page for page, into a new file, while others may use it (SQLite's backup API). The copy is not
    /// synced; one that was cut short is of no use.
    public func backup(to path: String) throws(SQLiteError) {
        let copy = try Database(path, .create)
        guard let backup = sqlite3_backup_init(copy.handle, "main", handle, "main") else { throw copy.lastError("backup to") }
        let limit = Clock.milliseconds + 10_000
        var code = sqlite3_backup_step(backup, -1)
        // A writer holds the lock for as long as its commit takes.
        while code == SQLITE_BUSY || code == SQLITE_LOCKED, Clock.milliseconds < limit {
            Clock.sleep(milliseconds: 50)
            code = sqlite3_backup_step(backup, -1)
        }
        sqlite3_backup_finish(backup)
        if code != SQLITE_DONE {
            throw SQLiteError(
                operation: "backup of", database: self.path, code: code, message: String(cString: sqlite3_errstr(code)))
        }
    }

    /// Asks `authorize` about every action that reaches beyond the database's own tables and transaction (`Action.Kind`), in every
    /// statement prepared from now on; nil asks nobody.
    ///
    /// Denying makes prepare fail with `.refused`. SQLITE_IGNORE is not offered: it crashes SQLite in VACUUM (RULES.md S26).
    public func authorize(_ authorize: ((Action) -> Bool)?) {
        callbacks.authorize = authorize
        if authorize == nil {
            sqlite3_set_authorizer(handle, nil, nil)
            return
        }
        sqlite3_set_authorizer(
            handle,
            { context, code, first, second, _, _ in
                // Reading a column is an action, too: thousands, and none of them worth a String.
                guard let kind = Action.Kind(code: code) else { return SQLITE_OK }
                let callbacks = Unmanaged<Callbacks>.fromOpaque(context!).takeUnretainedValue()
                let action = Action(
                    kind: kind, first: first.map { String(cString: $0) }, second: second.map { String(cString: $0) })
                return callbacks.authorize?(action) ?? true ? SQLITE_OK : SQLITE_DENY
            }, Unmanaged.passUnretained(callbacks).toOpaque())
    }

    /// Calls `handler` about every `operations` instructions of SQLite's virtual machine, while a statement runs; true interrupts it with
    /// `.interrupted`. Nil calls nobody. Some operations have no checkpoints: a truncating DELETE, ROLLBACK, the tail of VACUUM
    /// (RULES.md S30).
    public func onProgress(every operations: Int32 = 10_000, _ handler: (() -> Bool)?) {
        callbacks.progress = handler
        guard handler != nil else {
            sqlite3_progress_handler(handle, 0, nil, nil)
            return
        }
        sqlite3_progress_handler(
            handle, operations,
            { context in
                let callbacks = Unmanaged<Callbacks>.fromOpaque(context!).takeUnretainedValue()
                return callbacks.progress?() ?? false ? 1 : 0
            }, Unmanaged.passUnretained(callbacks).toOpaque())
    }

    /// Interrupts statements that are still running at `deadline` (Clock.milliseconds) with `.interrupted`; nil lifts it.
    public func interrupt(at deadline: Int64?) {
        guard let deadline else { return onProgress(nil) }
        onProgress { Clock.milliseconds >= deadline }
    }

    /// Sets back what a script may have switched on the connection for itself, so that the next one finds what the first did.
    public func resetPragmas() throws(SQLiteError) {
        try execute("PRAGMA legacy_alter_table=OFF; PRAGMA recursive_triggers=OFF; PRAGMA defer_foreign_keys=OFF")
    }

    /// Loads a run-time loadable extension (loadext.html) for this connection. SQL still cannot load any.
    public func loadExtension(_ path: String) throws(SQLiteError) {
        var message: UnsafeMutablePointer<CChar>?
        _ = csqlite_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1)
        let code = sqlite3_load_extension(handle, path, nil, &message)
        _ = csqlite_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
        if code == SQLITE_OK { return }
        let text = message.map { String(cString: $0) } ?? String(cString: sqlite3_errstr(code))
        sqlite3_free(message)
        // A static program's dlopen does not name what it was asked for.
        throw SQLiteError(operation: "load extension \(path) for", database: self.path, code: code, message: text)
    }

    /// The `sqlite3 *`, for calls of SQLite's C interface that this library does not have: registering functions and collations.
    /// It is closed with this value.
    public var connection: OpaquePointer { handle }

    private final class Callbacks {
        var authorize: ((Action) -> Bool)?
        var progress: (() -> Bool)?
    }

    /// What a statement is about to do, as sqlite3_set_authorizer tells it (c3ref/c_alter_table.html).
    public struct Action: Sendable {
        /// What the authorizer is asked about; anything else is allowed unasked.
        public enum Kind: Sendable, Equatable {
            case pragma, transaction, savepoint, attach, detach

            init?(code: Int32) {
                switch code {
                case SQLITE_PRAGMA: self = .pragma
                case SQLITE_TRANSACTION: self = .transaction
                case SQLITE_SAVEPOINT: self = .savepoint
                case SQLITE_ATTACH: self = .attach
                case SQLITE_DETACH: self = .detach
                default: return nil
                }
            }
        }

        /// What is about to be done.
        public let kind: Kind
        /// The pragma's name, the file attached, BEGIN or COMMIT.
        public let first: String?
        /// The pragma's value.
        public let second: String?
    }
}
