internal import Linux
internal import SQLite

/// Reads the history that another tool left in a database, for ours to go on from.
struct Adoption {
    /// For messages.
    let database: String
    let shape: History.Shape
    let adopt: Adopt
    let set: MigrationSet?

    /// Nil when there is none to take up.
    func read(_ database: borrowing Database) throws(MigrationError) -> History? {
        if case .other = shape { throw foreign("adopt = \(adopt.text)") }
        let found = try histories(database)
        let wanted: Adopt
        switch adopt {
        case .none, .ecto:
            guard shape == .missing || shape == .ecto else { throw foreign("adopt = \(adopt.text)") }
            return nil
        case .auto:
            guard found.count < 2 else {
                throw .history(
                    database: self.database,
                    reason: "it has the histories of \(found.map { $0.text }.joined(separator: " and ")); say which one with adopt =")
            }
            guard let only = found.first else { return nil }
            wanted = only
        default:
            guard found.contains(where: { $0 == adopt }) else {
                guard shape == .missing || shape == .ecto else { throw foreign("adopt = \(adopt.text)") }
                return nil
            }
            wanted = adopt
        }
        let versions: [Int64]
        switch wanted {
        case .dbmate: versions = try dbmate(database)
        case .golangMigrate: versions = try golangMigrate(database)
        case .goose: versions = try goose(database)
        case .grdb: versions = try grdb(database)
        default: return nil
        }
        return History(versions, of: wanted)
    }

    private func foreign(_ policy: String) -> MigrationError {
        let columns =
            switch shape {
            case .other(let columns): "the columns \(columns)"
            case .dbmate: "dbmate's shape"
            case .golangMigrate: "golang-migrate's shape"
            case .missing, .ecto: "Ecto's shape"
            }
        return .history(
            database: database, reason: "schema_migrations has \(columns), which \(policy) does not take up; it is left alone")
    }

    /// Which tools' tables are there, by name and columns.
    private func histories(_ database: borrowing Database) throws(MigrationError) -> [Adopt] {
        var found: [Adopt] = []
        if shape == .dbmate { found.append(.dbmate) }
        if shape == .golangMigrate { found.append(.golangMigrate) }
        let (goose, grdb) = try sqlite { () throws(SQLiteError) in
            let goose = try History.Shape.columns(of: "goose_db_version", database).map { $0.name }
            let grdb = try History.Shape.columns(of: "grdb_migrations", database).map { $0.name }
            return (goose.contains("version_id") && goose.contains("is_applied"), grdb == ["identifier"])
        }
        if goose { found.append(.goose) }
        if grdb { found.append(.grdb) }
        return found
    }

    /// One row a version, as text (dbmate, pkg/driver/sqlite/sqlite.go).
    private func dbmate(_ database: borrowing Database) throws(MigrationError) -> [Int64] {
        var versions: [Int64] = []
        for text in try texts("SELECT version FROM schema_migrations", database) {
            guard let version = Text.number(text) else { throw unreadable("dbmate's schema_migrations", text) }
            versions.append(version)
        }
        Text.sort(&versions) { $0 < $1 }
        return versions
    }

    /// The last of each version's rows says whether it is applied; version 0 marks the beginning (goose, database/dialect).
    private func goose(_ database: borrowing Database) throws(MigrationError) -> [Int64] {
        try sqlite { () throws(SQLiteError) in
            let rows = try database.prepare(
                """
                SELECT version_id FROM goose_db_version AS g WHERE is_applied AND version_id > 0
                AND id = (SELECT max(id) FROM goose_db_version WHERE version_id = g.version_id) ORDER BY 1
                """)
            var versions: [Int64] = []
            while try rows.step() { versions.append(rows.integer(0) ?? 0) }
            return versions
        }
    }

    /// GRDB names its migrations freely, so each must be the name of a step of the set, with or without its version
    /// (GRDB, DatabaseMigrator.swift).
    private func grdb(_ database: borrowing Database) throws(MigrationError) -> [Int64] {
        var versions: [Int64] = []
        for identifier in try texts("SELECT identifier FROM grdb_migrations", database) {
            let step = set?.migrations.first {
                $0.name == identifier || $0.title == identifier || "\($0.version)" == identifier
            }
            guard let step else {
                throw .history(
                    database: self.database,
                    reason: "GRDB applied \"\(identifier)\", and no step of this image has that name; it is left alone "
                        + "(adopt = none begins anew beside it)")
            }
            versions.append(step.version)
        }
        Text.sort(&versions) { $0 < $1 }
        return versions
    }

    /// One row with the newest version, and a flag that a migration was begun and not seen to end (golang-migrate,
    /// database/sqlite3/sqlite3.go): everything up to it is applied.
    private func golangMigrate(_ database: borrowing Database) throws(MigrationError) -> [Int64] {
        let row = try sqlite { () throws(SQLiteError) in
            let row = try database.prepare("SELECT version, dirty FROM schema_migrations")
            return try row.step() ? (version: row.integer(0) ?? 0, dirty: row.integer(1) == 1) : nil
        }
        guard let row, row.version >= 0 else { return [] }
        var versions = (set?.migrations ?? []).map { $0.version }.filter { $0 < row.version }
        if !row.dirty {
            versions.append(row.version)
        } else if let set {
            let judge = DirtyStep(set: set, version: row.version)
            if try judge.isApplied(in: database) { versions.append(row.version) }
        }
        return versions
    }

    private func texts(_ sql: String, _ database: borrowing Database) throws(MigrationError) -> [String] {
        try sqlite { () throws(SQLiteError) in
            let rows = try database.prepare(sql)
            var texts: [String] = []
            while try rows.step() { texts.append(rows.text(0) ?? "") }
            return texts
        }
    }

    private func unreadable(_ table: String, _ text: String) -> MigrationError {
        .history(database: database, reason: "\(table) has the version \"\(text)\", which is no number; it is left alone")
    }
}
