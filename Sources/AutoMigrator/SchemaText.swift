internal import Linux
internal import SQLite

/// A schema as text that can be compared: what CREATE statements say, without the white space and the quotes that ALTER TABLE changes.
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
        let quotes: [UInt8] = [0x22, 0x60, 0x5B, 0x5D]
        return Text.lowercase(
            String(decoding: sql.utf8.filter { !Text.isBlank($0) && $0 != 0x0A && $0 != 0x0D && !quotes.contains($0) }, as: UTF8.self))
    }
}
