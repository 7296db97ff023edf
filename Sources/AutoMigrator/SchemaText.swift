internal import Linux
internal import SQLite

/// A schema as text that can be compared: what CREATE statements say, without the white space, the quotes and the
/// comments that ALTER TABLE or a table made anew may change.
enum SchemaText {
    /// By `type name`; tables of SQLite's own and of migrators' histories are left out.
    static func read(_ database: borrowing Database) throws(SQLiteError) -> [String: String] {
        let rows = try database.prepare(
            """
            SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND tbl_name NOT IN ('schema_migrations', 'schema_migrations_dbmate', 'schema_migrations_golang_migrate',
                'firstlight_migrations', 'goose_db_version', 'grdb_migrations')
            """)
        var schema: [String: String] = [:]
        while try rows.step() {
            schema["\(rows.text(0) ?? "") \(rows.text(1) ?? "")"] = normalized(rows.text(2) ?? "")
        }
        return schema
    }

    private static func normalized(_ sql: String) -> String {
        let bytes = Array(sql.utf8)
        var kept: [UInt8] = []
        var i = 0
        /// The end of a quotation that is open.
        var close: UInt8?
        func isNext(_ a: UInt8, _ b: UInt8) -> Bool { i + 1 < bytes.count && bytes[i] == a && bytes[i + 1] == b }
        while i < bytes.count {
            let byte = bytes[i]
            if let end = close {
                if byte == end { close = nil }
            } else if isNext(0x2D, 0x2D) {
                while i < bytes.count && bytes[i] != 0x0A { i += 1 }
                continue
            } else if isNext(0x2F, 0x2A) {
                i += 2
                while i < bytes.count && !isNext(0x2A, 0x2F) { i += 1 }
                i += 2
                continue
            } else if byte == 0x27 || byte == 0x22 || byte == 0x60 {
                close = byte
            } else if byte == 0x5B {
                close = 0x5D
            }
            if !isSilent(byte) { kept.append(byte) }
            i += 1
        }
        return Text.lowercase(String(decoding: kept, as: UTF8.self))
    }

    private static func isSilent(_ byte: UInt8) -> Bool {
        Text.isBlank(byte) || byte == 0x22 || byte == 0x60 || byte == 0x5B || byte == 0x5D
    }
}
