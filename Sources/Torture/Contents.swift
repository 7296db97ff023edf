#if Lab
import Foundation
import Linux
import SQLite

/// What an application finds in its database: every row of every table, as a checksum, and what a person wants to see of it.
///
/// `heartbeat` is the application's own, for its life signs, and left out.
struct Contents: Equatable, CustomStringConvertible {
    let checksum: UInt64
    /// Rows by table.
    let rows: [String: Int64]

    static let none = Contents(checksum: 0, rows: [:])

    var description: String { rows.isEmpty ? "nothing" : rows.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }

    /// Reads them as an ordinary program would: with SQLite's defaults.
    init(_ database: borrowing Database) throws {
        var names: [String] = []
        let tables = try database.prepare(
            """
            SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND name NOT IN ('heartbeat', 'life', 'firstlight_migrations') ORDER BY name
            """)
        while try tables.step() { names.append(tables.text(0) ?? "") }
        var hash = XXH64()
        var rows: [String: Int64] = [:]
        for name in names {
            // When a step ran is not what it did.
            let columns = name == "schema_migrations" ? "version" : "*"
            let all = try database.prepare("SELECT \(columns) FROM \"\(name)\" NOT INDEXED ORDER BY 1")
            hash.update("\(name)\n")
            var count: Int64 = 0
            while try all.step() {
                for column in 0..<all.columnCount { hash.update("\(all.text(column) ?? "NULL")\u{1}") }
                hash.update("\n")
                count += 1
            }
            rows[name] = count
        }
        checksum = hash.digest
        self.rows = rows
    }

    init(checksum: UInt64, rows: [String: Int64]) {
        self.checksum = checksum
        self.rows = rows
    }
}

/// The application: opens its database without asking anybody, writes a row and reads it back.
struct Application {
    let path: String

    /// - Returns: what it found; nil where there is no database.
    /// - Throws: what an application cannot live with.
    func live() throws -> Contents? {
        guard FileSystem.exists(path) else { return nil }
        let database = try Database(path, .readWrite)
        let contents = try Contents(database)
        if contents.rows.isEmpty { return nil }
        if try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'heartbeat'") == 1 {
            try database.execute("INSERT INTO heartbeat (beat) VALUES ('alive')")
            guard try database.integer("SELECT count(*) FROM heartbeat WHERE beat = 'alive'") ?? 0 > 0 else {
                throw TortureError("what was just written is not there")
            }
        }
        return contents
    }

    /// A row whose COMMIT is acknowledged when it returns.
    func write(_ text: String) throws {
        let database = try Database(path, .readWrite)
        try database.execute("PRAGMA synchronous=EXTRA; INSERT INTO readings (name, value) VALUES ('\(text)', 1)")
    }

    /// A life sign, committed when it returns. Where there is no database SQLite makes one, as it does for every program that does not forbid it.
    func beat(_ text: String) throws {
        let database = try Database(path, .create)
        let table = try Self.table(database) ?? "life"
        try database.execute(
            "PRAGMA synchronous=EXTRA; CREATE TABLE IF NOT EXISTS \(table) (beat TEXT); INSERT INTO \(table) (beat) VALUES ('\(text)')")
    }

    func hasBeat(_ text: String) -> Bool {
        guard let database = try? Database(path, .readWrite), let table = try? Self.table(database) else { return false }
        return (try? database.integer("SELECT count(*) FROM \(table) WHERE beat = '\(text)'")) ?? 0 > 0
    }

    private static func table(_ database: borrowing Database) throws -> String? {
        try database.text("SELECT name FROM sqlite_schema WHERE name IN ('heartbeat', 'life') ORDER BY name LIMIT 1")
    }

    func execute(_ sql: String) throws { try Database(path, .create).execute(sql) }
}
#endif
