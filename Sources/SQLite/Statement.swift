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

    /// How many rows the last INSERT, UPDATE or DELETE on this statement's connection changed.
    public var changes: Int64 { Int64(sqlite3_changes(database)) }

    /// Binds parameter `index`, counted from 1.
    public func bind(_ value: Int64?, at index: Int32) throws(SQLiteError) {
        try bound(value.map { sqlite3_bind_int64(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
    }

    /// Binds parameter `index`, counted from 1; SQLite copies the text.
    public func bind(_ value: String?, at index: Int32) throws(SQLiteError) {
        try bound(value.map { csqlite_bind_text(handle, index, $0, Int32($0.utf8.count)) } ?? sqlite3_bind_null(handle, index))
    }

    /// Binds parameter `index`, counted from 1.
    public func bind(real value: Double?, at index: Int32) throws(SQLiteError) {
        try bound(value.map { sqlite3_bind_double(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
    }

    /// Binds parameter `index`, counted from 1; SQLite copies the bytes.
    public func bind(blob value: [UInt8]?, at index: Int32) throws(SQLiteError) {
        guard let value else { return try bound(sqlite3_bind_null(handle, index)) }
        let code = value.withUnsafeBufferPointer { bytes in
            // A null pointer would bind NULL where an empty blob is meant.
            guard let start = bytes.baseAddress, bytes.count > 0 else { return sqlite3_bind_zeroblob(handle, index, 0) }
            return csqlite_bind_blob(handle, index, start, Int32(bytes.count))
        }
        try bound(code)
    }

    /// Binds parameter `index`, counted from 1, to what column `column` of another statement's row holds, whatever its type.
    public func bind(column: Int32, of row: borrowing Statement, at index: Int32) throws(SQLiteError) {
        try bound(sqlite3_bind_value(handle, index, sqlite3_column_value(row.handle, column)))
    }

    /// A parameter that SQLite had no memory for stays NULL, and the statement would run with it.
    private func bound(_ code: Int32) throws(SQLiteError) {
        if code == SQLITE_OK { return }
        throw SQLiteError(operation: "bind", database: path, code: code, message: String(cString: sqlite3_errstr(code)))
    }

    /// Column `index`, counted from 0; nil for NULL.
    public func integer(_ index: Int32) -> Int64? {
        sqlite3_column_type(handle, index) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, index)
    }

    /// Nil for NULL; text and blobs are read as the number they begin with.
    public func double(_ index: Int32) -> Double? {
        sqlite3_column_type(handle, index) == SQLITE_NULL ? nil : sqlite3_column_double(handle, index)
    }

    /// Nil for NULL.
    public func blob(_ index: Int32) -> [UInt8]? {
        if sqlite3_column_type(handle, index) == SQLITE_NULL { return nil }
        // In this order: the pointer first converts, and the count is that of what was converted to (c3ref/column_blob.html).
        let start = sqlite3_column_blob(handle, index)
        let count = Int(sqlite3_column_bytes(handle, index))
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Nil for NULL; numbers are read as their text.
    public func text(_ index: Int32) -> String? {
        guard let text = sqlite3_column_text(handle, index) else { return nil }
        return String(cString: text)
    }

    /// How many columns a row has.
    public var columnCount: Int32 { sqlite3_column_count(handle) }
}
