#if Lab
import Foundation

/// What plain SQLite reads in a database: versions, rows, and its own opinion of the file.
struct HostileContents: Equatable {
    /// A table, and the columns by which its rows are told.
    struct Table: Hashable, Sendable {
        let name: String
        let columns: [String]
    }

    /// Versions in schema_migrations; nil when they cannot be read.
    let versions: [Int64]?
    /// The extended result code of that; 0 when they can.
    let historyCode: Int32
    /// Every row of a table as text; nil for a table that cannot be read to its end.
    let rows: [String: Data?]
    /// Rows of integrity_check, `ok` left out; nil when it cannot be asked.
    let findings: [String]?
    /// Whether the full-text index finds every note; nil without notes. Its books are not compared: it may have been made again.
    let findsNotes: Bool?
    /// Why the first thing that failed did; empty when all could be read.
    let trouble: String

    static func == (a: HostileContents, b: HostileContents) -> Bool { a.versions == b.versions && a.rows == b.rows }

    var isSound: Bool { findings?.isEmpty ?? false }

    /// - Parameter tables: which rows to read; nil reads every table that the schema names.
    init(_ path: String, _ tables: [Table]? = nil) {
        let database = HostileConnection(path)
        var trouble = ""
        func note() { if trouble.isEmpty { trouble = "\(database.message) (\(database.code))" } }

        versions = database.column("SELECT version FROM schema_migrations ORDER BY version")?.map { Int64($0) ?? 0 }
        historyCode = database.code
        if versions == nil { note() }
        var rows: [String: Data?] = [:]
        for table in tables ?? HostileContents.tables(database) {
            let columns = table.columns.map { "quote(\(Self.quoted($0)))" }.joined(separator: "||','||")
            // One value a table: compared as bytes. By no index: that is another file's worth of pages.
            let sql = "SELECT group_concat(\(columns), char(10)) FROM \(Self.quoted(table.name)) NOT INDEXED"
            let read = database.bytes(sql)
            if read == nil { note() }
            rows.updateValue(read, forKey: table.name)
        }
        self.rows = rows
        findsNotes = database.column("SELECT count(*) FROM notes_content")?.first.map { count in
            database.column("SELECT count(*) FROM notes WHERE notes MATCH 'meter'")?.first == count
        }
        findings = database.column("PRAGMA integrity_check(20)")?.filter { $0 != "ok" }
        if findings == nil { note() }
        self.trouble = trouble
    }

    /// The tables of a schema, our own bookkeeping and virtual tables left out.
    static func tables(_ database: HostileConnection) -> [Table] {
        let names = database.column(
            """
            SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%'
            AND name NOT IN ('schema_migrations', 'firstlight_migrations', 'notes_data', 'notes_idx', 'notes_docsize', 'notes_config') LIMIT 40
            """)
        return (names ?? []).compactMap { name in
            let columns = database.column("SELECT name FROM pragma_table_info('\(name.replacing("'", with: "''"))')") ?? []
            return columns.isEmpty ? nil : Table(name: name, columns: columns)
        }
    }

    private static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    /// Rows that were in no order before may be in order now.
    static func sameRows(_ one: Data?, _ other: Data?) -> Bool {
        if one == other { return true }
        guard let one, let other, one.count == other.count else { return false }
        func sorted(_ rows: Data) -> [Data.SubSequence] { rows.split(separator: 0x0A).sorted { $0.lexicographicallyPrecedes($1) } }
        return sorted(one) == sorted(other)
    }

    /// The first table whose rows are not those of `other`; one that `other` could not read is no difference.
    func difference(from other: HostileContents) -> String? {
        for (name, theirs) in other.rows.sorted(by: { $0.key < $1.key }) {
            guard let theirs else { continue }
            guard let ours = rows[name] ?? nil else { return "\(name) cannot be read: \(trouble)" }
            if !Self.sameRows(ours, theirs) { return "\(name) has other rows (\(ours.count) bytes of them, not \(theirs.count))" }
        }
        return nil
    }
}
#endif
