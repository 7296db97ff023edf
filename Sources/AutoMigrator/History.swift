internal import Linux
public import SQLite

/// What a database says has been applied to it.
///
/// `schema_migrations(version INTEGER PRIMARY KEY, inserted_at TEXT)` is exactly Ecto's, so that a device can move from an Elixir
/// image to a Swift one and back. What Ecto does not keep lies beside it in `firstlight_migrations`: the down SQL travels in the
/// database, so that an older image can undo a step whose file it never saw.
public struct History: Sendable {
    /// One applied step.
    public struct Step: Sendable {
        /// As in its file's name.
        public let version: Int64
        /// The rest is nil or false for a step that another tool applied.
        public let name: String?
        /// Of the up SQL that ran.
        public let checksum: String?
        /// Whether an image that lacks the step may go on using the database.
        public let compatible: Bool
        /// The SQL that undoes it, as `StoredDown` writes it.
        public let down: String?
    }

    /// By version, ascending.
    public let applied: [Step]
    /// The tool whose table says so, where it is not ours: the next run copies it into ours.
    public let tool: Adopt?
    /// Whether there is a table for it, empty or not.
    private(set) var isKept = true

    /// A history of our own tables'.
    public init(applied: [Step] = []) {
        self.applied = applied
        tool = nil
    }

    /// Versions that another tool's table names.
    init(_ versions: [Int64], of tool: Adopt) {
        applied = versions.map { Step(version: $0, name: nil, checksum: nil, compatible: false, down: nil) }
        self.tool = tool
    }

    /// The newest version applied.
    public var schema: Int64? { applied.last?.version }

    /// Whether this version is applied.
    public func contains(_ version: Int64) -> Bool { applied.contains { $0.version == version } }

    /// Reads it, writing nothing. No table is an empty history.
    ///
    /// - Parameters:
    ///   - adopt: whose history counts where there is none of ours.
    ///   - set: needed to understand a history that does not name each version: golang-migrate's and GRDB's.
    /// - Throws: `.history` when what is there is another tool's and may not or cannot be taken up.
    public static func read(
        _ database: borrowing Database, adopt: Adopt = .auto, set: MigrationSet? = nil
    ) throws(MigrationError) -> History {
        let shape = try Shape(of: database)
        if shape == .ecto {
            let own = try readOwn(database)
            let ours = try hasTable("firstlight_migrations", database)
            if ours || !own.applied.isEmpty || adopt == .ecto || adopt == .none { return own }
        }
        if let adopted = try Adoption(database: database.path, shape: shape, adopt: adopt, set: set).read(database) { return adopted }
        var none = History()
        none.isKept = try shape == .ecto ? true : hasTable("firstlight_migrations", database)
        return none
    }

    private static func readOwn(_ database: borrowing Database) throws(MigrationError) -> History {
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
                        version: version, name: rows.text(1),
                        checksum: rows.text(2).flatMap { $0.utf8.isEmpty ? nil : $0 },
                        compatible: rows.integer(3) == 1, down: rows.text(4)))
            }
            return History(applied: applied)
        }
    }

    /// The newest applied version as far as it can be told without a set; 0 for none. For a snapshot's name.
    static func newest(_ database: borrowing Database) throws(MigrationError) -> Int64 {
        do throws(MigrationError) {
            return try read(database).schema ?? 0
        } catch {
            guard case .history = error else { throw error }
            return 0
        }
    }

    /// Makes the tables where they are missing, and takes up `history` where it is another tool's, inside the caller's transaction.
    ///
    /// Nothing of the other tool's is lost: a `schema_migrations` in another shape goes on as `schema_migrations_dbmate` or
    /// `schema_migrations_golang_migrate`, and a table of another name stays.
    static func prepare(_ database: borrowing Database, taking history: History) throws(MigrationError) {
        let shape = try Shape(of: database)
        try sqlite { () throws(SQLiteError) in
            switch shape {
            case .dbmate: try database.execute("ALTER TABLE schema_migrations RENAME TO schema_migrations_dbmate")
            case .golangMigrate: try database.execute("ALTER TABLE schema_migrations RENAME TO schema_migrations_golang_migrate")
            default: break
            }
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
            if history.tool == nil { return }
            for step in history.applied { try insert(step.version, database) }
        }
    }

    /// Records that a move was done, in the transaction that did it: history and schema can never disagree.
    static func record(_ move: Move, in database: borrowing Database) throws(MigrationError) {
        try sqlite { () throws(SQLiteError) in
            if move.direction == .up { return try insert(move.version, database) }
            // Ours goes with it, by the trigger.
            let row = try database.prepare("DELETE FROM schema_migrations WHERE version = ?")
            try row.bind(move.version, at: 1)
            try row.run()
        }
    }

    /// Records what Ecto's row has no place for, in the same transaction as `record`. One statement for all steps of a transaction: each
    /// change of the schema would have SQLite compile it anew.
    static func describe(_ migrations: [Migration], in database: borrowing Database) throws(MigrationError) {
        if migrations.isEmpty { return }
        try sqlite { () throws(SQLiteError) in
            // A later step may have squashed the history.
            let row = try database.prepare(
                """
                INSERT OR REPLACE INTO firstlight_migrations (version, name, checksum, compatible, down)
                SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM schema_migrations WHERE version = ?1)
                """)
            for migration in migrations {
                row.reset()
                try row.bind(migration.version, at: 1)
                try row.bind(migration.name, at: 2)
                try row.bind(migration.checksum ?? "", at: 3)
                try row.bind(migration.options.compatible ? 1 : 0, at: 4)
                try row.bind(StoredDown.text(of: migration), at: 5)
                try row.run()
            }
        }
    }

    private static func insert(_ version: Int64, _ database: borrowing Database) throws(SQLiteError) {
        let row = try database.prepare(
            "INSERT INTO schema_migrations (version, inserted_at) VALUES (?, strftime('%Y-%m-%dT%H:%M:%S', 'now'))")
        try row.bind(version, at: 1)
        try row.run()
    }

    static func hasTable(_ name: String, _ database: borrowing Database) throws(MigrationError) -> Bool {
        try sqlite { () throws(SQLiteError) in
            try database.integer("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '\(name)' COLLATE NOCASE")
        } != nil
    }

    /// In which of its shapes `schema_migrations` is there.
    enum Shape: Equatable {
        case missing
        case ecto
        case dbmate
        case golangMigrate
        /// None of these, with these columns.
        case other(String)

        /// By column names and the key, not by the DDL's text: ecto_sqlite3 also writes `inserted_at TEXT_DATETIME`.
        init(of database: borrowing Database) throws(MigrationError) {
            let rows = try sqlite { () throws(SQLiteError) in
                try Shape.columns(of: "schema_migrations", database)
            }
            let names = rows.map { $0.name }
            let key = rows.first { $0.name == "version" }
            if rows.isEmpty {
                self = .missing
            } else if try !History.hasTable("schema_migrations", database) {
                self = .other("\(names.joined(separator: ", ")) of a view")
            } else if let key, key.isKey, key.type == "integer", names.contains("inserted_at") {
                self = .ecto
            } else if let key, names.count == 1, key.isKey, Text.hasPrefix(key.type, "varchar") {
                self = .dbmate
            } else if key != nil, names.count == 2, names.contains("dirty") {
                self = .golangMigrate
            } else {
                self = .other(names.joined(separator: ", "))
            }
        }

        static func columns(
            of table: String, _ database: borrowing Database
        ) throws(SQLiteError) -> [(name: String, type: String, isKey: Bool)] {
            let rows = try database.prepare("SELECT lower(name), lower(type), pk FROM pragma_table_info('\(table)')")
            var columns: [(name: String, type: String, isKey: Bool)] = []
            while try rows.step() { columns.append((rows.text(0) ?? "", rows.text(1) ?? "", rows.integer(2) == 1)) }
            return columns
        }
    }
}
