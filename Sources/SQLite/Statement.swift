internal import CSQLite

/// A prepared statement, finalized when the value goes. It must not outlive its database.
public struct Statement: ~Copyable {
    /// Nil for a text of blanks and comments only.
    private let handle: OpaquePointer?
    private let database: OpaquePointer
    private let path: String
    /// Where the statement ends in the script it was prepared from, in bytes.
    public let end: Int

    init(handle: OpaquePointer?, database: OpaquePointer, path: String, end: Int = 0) {
        self.end = end
        self.handle = handle
        self.database = database
        self.path = path
    }

    deinit { sqlite3_finalize(handle) }

    /// Whether there was nothing but blanks and comments.
    public var isEmpty: Bool { handle == nil }

    /// Runs to the next row; false when there is none left.
    public func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            throw SQLiteError(
                operation: "run", database: path, code: sqlite3_extended_errcode(database),
                message: String(cString: sqlite3_errmsg(database)))
        }
    }

    /// Runs to the end.
    public func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Ready to run again; bindings stay.
    public func reset() { sqlite3_reset(handle) }

    /// Binds parameter `index`, counted from 1.
    public func bind(_ value: Int64?, at index: Int32) {
        if let value { sqlite3_bind_int64(handle, index, value) } else { sqlite3_bind_null(handle, index) }
    }

    public func bind(_ value: String?, at index: Int32) {
        if let value {
            _ = csqlite_bind_text(handle, index, value, Int32(value.utf8.count))
        } else {
            sqlite3_bind_null(handle, index)
        }
    }

    /// Column `index`, counted from 0; nil for NULL.
    public func integer(_ index: Int32) -> Int64? {
        sqlite3_column_type(handle, index) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, index)
    }

    public func text(_ index: Int32) -> String? {
        guard let text = sqlite3_column_text(handle, index) else { return nil }
        return String(cString: text)
    }

    public var columnCount: Int32 { sqlite3_column_count(handle) }
}
