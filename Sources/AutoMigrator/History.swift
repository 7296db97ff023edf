internal import Linux
public import SQLite

/// What a database says has been applied to it.
///
/// `schema_migrations(version INTEGER PRIMARY KEY, inserted_at TEXT)` is exactly Ecto's, so that a device can move from an Elixir
/// image to a Swift one and back. What Ecto does not keep lies beside it in `firstlight_migrations`: the down SQL travels in the
/// database, so that an older image can undo a step whose file it never saw.
public struct History: Sendable {
    public struct Step: Sendable {
        public let version: Int64
        /// The rest is nil or false for a step that Ecto applied.
        public let name: String?
        public let checksum: String?
        public let compatible: Bool
        public let down: String?
    }

    /// By version, ascending.
    public let applied: [Step]

    public init(applied: [Step] = []) { self.applied = applied }

    /// The newest version applied.
    public var schema: Int64? { applied.last?.version }

    public func contains(_ version: Int64) -> Bool { applied.contains { $0.version == version } }

    /// Reads it, writing nothing. No table is an empty history.
    /// - Throws: `.history` when the table is another tool's: dbmate and golang-migrate use the same name in other shapes.
    public static func read(_ database: borrowing Database) throws(MigrationError) -> History {
        guard try hasTable("schema_migrations", database) else { return History() }
        try checkShape(database)
        // A read-only step: whoever dropped our table (or never had it) still has Ecto's, and Ecto's is the truth.
        let own = try hasTable("firstlight_migrations", database)
        return try sqlite { () throws(SQLiteError) in
            let rows = try database.prepare(
                own
                    ? """
                    SELECT s.version, f.name, f.checksum, f.compatible, f.down FROM schema_migrations s
                    LEFT JOIN firstlight_migrations f ON f.version = s.version ORDER BY s.version
                    """
                    : "SELECT version, NULL, NULL, NULL, NULL FROM schema_migrations ORDER BY version")
            var applied: [Step] = []
            while try rows.step() {
                guard let version = rows.integer(0) else { continue }
                applied.append(
                    Step(
                        version: version, name: rows.text(1), checksum: rows.text(2).flatMap { $0.utf8.isEmpty ? nil : $0 },
                        compatible: rows.integer(3) == 1, down: rows.text(4)))
            }
            return History(applied: applied)
        }
    }

    /// Makes the tables where they are missing, inside the caller's transaction.
    static func prepare(_ database: borrowing Database) throws(MigrationError) {
        if try hasTable("schema_migrations", database) { try checkShape(database) }
        try sqlite { () throws(SQLiteError) in
            try database.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT);
                CREATE TABLE IF NOT EXISTS firstlight_migrations (
                    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
                    compatible INTEGER NOT NULL, down TEXT);
                CREATE TRIGGER IF NOT EXISTS firstlight_forget AFTER DELETE ON schema_migrations BEGIN
                    DELETE FROM firstlight_migrations WHERE version = OLD.version;
                END;
                """)
        }
    }

    /// Records a step in the transaction that applied it: history and schema can never disagree.
    static func record(_ migration: Migration, in database: borrowing Database) throws(MigrationError) {
        try sqlite { () throws(SQLiteError) in
            let row = try database.prepare(
                "INSERT INTO schema_migrations (version, inserted_at) VALUES (?, strftime('%Y-%m-%dT%H:%M:%S', 'now'))")
            row.bind(migration.version, at: 1)
            try row.run()
            let own = try database.prepare(
                """
                INSERT OR REPLACE INTO firstlight_migrations (version, name, checksum, compatible, down)
                VALUES (?, ?, ?, ?, ?)
                """)
            own.bind(migration.version, at: 1)
            own.bind(migration.name, at: 2)
            own.bind(migration.checksum ?? "", at: 3)
            own.bind(migration.options.compatible ? 1 : 0, at: 4)
            own.bind(StoredDown.text(of: migration), at: 5)
            try own.run()
        }
    }

    private static func hasTable(_ name: String, _ database: borrowing Database) throws(MigrationError) -> Bool {
        try sqlite { () throws(SQLiteError) in
            try database.integer("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '\(name)' COLLATE NOCASE")
        } != nil
    }

    /// By column names and the integer key, not by the DDL's text: ecto_sqlite3 also writes `inserted_at TEXT_DATETIME`.
    private static func checkShape(_ database: borrowing Database) throws(MigrationError) {
        let path = database.path
        let (columns, integerKey) = try sqlite { () throws(SQLiteError) in
            let rows = try database.prepare(
                "SELECT lower(name), upper(type), pk FROM pragma_table_info('schema_migrations')")
            var columns: [String] = []
            var integerKey = false
            while try rows.step() {
                let name = rows.text(0) ?? ""
                columns.append(name)
                if name == "version" && rows.text(1) == "INTEGER" && rows.integer(2) == 1 { integerKey = true }
            }
            return (columns, integerKey)
        }
        guard integerKey && columns.contains("inserted_at") else {
            throw .history(
                database: path,
                reason: "schema_migrations has the columns \(columns.joined(separator: ", ")), another tool's shape; "
                    + "it is left alone")
        }
    }
}
