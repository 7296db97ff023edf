#if Lab
import CSQLite
import Foundation

/// Plain SQLite, as any application opens its database: the oracle asks it and none of the migrator's own code.
final class HostileConnection {
    private let handle: OpaquePointer?
    /// The extended result code of what failed last; 0 when nothing did.
    private(set) var code: Int32 = 0
    private(set) var message = ""

    /// Opens for reading and writing; what cannot be opened shows at the first statement.
    init(_ path: String, create: Bool = false) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0)
        code = sqlite3_open_v2(path, &opened, flags, nil)
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        // A database made to be hostile can make its own check run for hours.
        sqlite3_progress_handler(handle, 20_000_000, { _ in 1 }, nil)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Runs one or several statements; false when one failed.
    @discardableResult
    func execute(_ sql: String) -> Bool {
        note(sqlite3_exec(handle, sql, nil, nil, nil))
        return code == SQLITE_OK
    }

    /// The first column of every row, NULL left out; nil when the statement failed, even after some rows.
    func column(_ sql: String) -> [String]? {
        var values: [String] = []
        return each(sql) { statement in
            if let text = sqlite3_column_text(statement, 0) { values.append(String(cString: text)) }
        } ? values : nil
    }

    /// The first column of the first row; nil without one.
    func bytes(_ sql: String) -> Data? {
        var bytes: Data?
        let done = each(sql) { statement in
            let start = sqlite3_column_blob(statement, 0)
            bytes = start.map { Data(bytes: $0, count: Int(sqlite3_column_bytes(statement, 0))) } ?? Data()
        }
        return done ? bytes : nil
    }

    private func each(_ sql: String, _ body: (OpaquePointer?) -> Void) -> Bool {
        var statement: OpaquePointer?
        note(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
        defer { sqlite3_finalize(statement) }
        if code != SQLITE_OK { return false }
        while true {
            let step = sqlite3_step(statement)
            if step == SQLITE_ROW {
                body(statement)
                continue
            }
            note(step == SQLITE_DONE ? SQLITE_OK : step)
            return step == SQLITE_DONE
        }
    }

    private func note(_ result: Int32) {
        code = result
        if result != SQLITE_OK { message = String(cString: sqlite3_errmsg(handle)) }
    }
}
#endif
