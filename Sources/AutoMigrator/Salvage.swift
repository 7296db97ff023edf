internal import Linux
internal import SQLite

/// Reads the rows of a damaged database, table by table, into a new one, which is made ready under the replacement's name.
///
/// The damaged files are only read: they are the last evidence there is, and go to quarantine byte for byte. Nothing of the new one
/// counts before the swap puts it in place, and a power cut leaves a file that the next build removes.
struct Salvage {
    let state: RepositoryState
    let repository: Repository
    let reporter: Reporter

    /// In milliseconds: reading stops then, with what it has. The tables that matter most come first. Each of two rungs may need it, and
    /// what comes after them the rest.
    static func deadline(_ repository: Repository) -> Int64 { min(240_000, (repository.deadline ?? 960_000) / 4) }

    /// A copy of the database as it is: its own schema, every row of every table; then the indexes anew.
    ///
    /// - Returns: the copy's seal and what it holds; nil where the schema itself cannot be read, or made again.
    /// - Parameter finding: what a check has said already: the quick one, which does not stop at a damaged index, does not say it all.
    func copyWhole(finding: String?) throws(MigrationError) -> (seal: Seal, salvaged: Salvaged)? {
        try makeWay()
        let found = try system { () throws(LinuxError) in try Inspection(state.database) }
        var salvaged = Salvaged()
        do throws(MigrationError) {
            try sqlite { () throws(SQLiteError) in try copySchemaAndRows(found, finding, &salvaged) }
        } catch {
            clear()
            guard case .database(let cause) = error, !cause.kind.isMachine || cause.kind == .interrupted else { throw error }
            reporter.log.warning("\(state.database): it cannot be copied whole: \(error.text)")
            return nil
        }
        return (try seal(), salvaged)
    }

    /// Puts the rows that can be read into the database that `build` makes, into the tables that it still has.
    ///
    /// - Returns: nil where not a row could be read.
    func fill(_ build: () throws(MigrationError) -> Seal) throws(MigrationError) -> (seal: Seal, salvaged: Salvaged)? {
        try makeWay()
        let found = try system { () throws(LinuxError) in try Inspection(state.database) }
        var salvaged = Salvaged()
        _ = try build()
        do throws(MigrationError) {
            try sqlite { () throws(SQLiteError) in try copyRows(found, &salvaged) }
        } catch {
            clear()
            throw error
        }
        if salvaged.rows == 0 {
            clear()
            return nil
        }
        return (try seal(), salvaged)
    }

    // ---- The files ----

    private func makeWay() throws(MigrationError) {
        let size = try system { () throws(LinuxError) in try FileSystem.status(state.database)?.size } ?? 0
        clear()
        guard Room(state: state, log: reporter.log, keepsSnapshots: true).make(size + Upgrade.headroom) else {
            throw .system(LinuxError("salvage", state.database, code: LinuxError.full))
        }
    }

    private func clear() {
        for suffix in RepositoryState.suffixes { try? FileSystem.remove(state.replacement + suffix) }
    }

    private func seal() throws(MigrationError) -> Seal {
        // As the file alone has it: a -shm for a look would be one file too many on a full disk (RULES.md S20).
        if FileSystem.exists(state.replacement + "-wal") {
            throw .system(LinuxError("empty the WAL of", state.replacement, code: LinuxError.full))
        }
        let contents = try Seal.contents(try sqlite { () throws(SQLiteError) in try Database(state.replacement, .immutable) })
        return try FreshDatabase.seal(state.replacement, contents)
    }

    /// The damaged database, read in the way that writes least; what its schema has that cannot be read is passed over.
    private func openDamaged(_ found: Inspection) throws(SQLiteError) -> Database {
        let database = try RepositoryBoot.open(state.database, found, defensive: false)
        // What is a little wrong with a page is no reason not to read the rows on it: any program does.
        try database.execute("PRAGMA writable_schema=ON; PRAGMA cell_size_check=OFF")
        database.interrupt(at: Clock.milliseconds + Salvage.deadline(repository))
        try repository.equip(database)
        return database
    }

    private func openFresh(_ mode: Database.Mode) throws(SQLiteError) -> Database {
        // Not defensive: shadow tables of a virtual table are written as the tables they are.
        let database = try Database(state.replacement, mode, defensive: false)
        try database.execute(
            """
            PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON
            """)
        database.disableTriggers()
        try repository.equip(database)
        return database
    }

    // ---- The whole, with its own schema ----

    private func copySchemaAndRows(
        _ found: Inspection, _ finding: String?, _ salvaged: inout Salvaged
    ) throws(SQLiteError) {
        let damaged = try openDamaged(found)
        let fresh = try openFresh(.create)
        let isWAL = try copyPragmas(damaged, fresh)
        try fresh.execute("BEGIN")
        // What has no rows of its own is copied as it is written, unread: a view that only a newer SQLite understands stays one.
        let texts = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        let virtual = "sql LIKE 'CREATE VIRTUAL TABLE%'"
        try each(damaged, texts + " AND type = 'table' AND NOT \(virtual) ORDER BY rowid") { (row) throws(SQLiteError) in
            try fresh.execute(row.text(3) ?? "")
        }
        if try hasTable(damaged, "sqlite_stat1") { try fresh.execute("ANALYZE sqlite_schema") }
        try copy(inOrder(try tables(of: fresh)), damaged, fresh, replacing: false, &salvaged)
        try copySequences(damaged, fresh)
        try each(damaged, texts + " AND type = 'index' ORDER BY rowid") { (row) throws(SQLiteError) in
            do throws(SQLiteError) {
                try fresh.execute(row.text(3) ?? "")
            } catch {
                // A function or a collation that only the application has: its rows are worth more than its index.
                if error.kind != .sql { throw error }
                salvaged.unindexed.append("\(row.text(1) ?? "") (\(error.message))")
            }
        }
        try fresh.execute("PRAGMA writable_schema=ON")
        let insert = try fresh.prepare(
            "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?1, ?2, ?3, 0, ?4)")
        try each(damaged, texts + " AND (type IN ('view', 'trigger') OR \(virtual)) ORDER BY rowid") { (row) throws(SQLiteError) in
            insert.reset()
            for column in 0..<Int32(4) { try insert.bind(column: column, of: row, at: column + 1) }
            try insert.run()
        }
        try fresh.execute("COMMIT")
        try fresh.execute("PRAGMA writable_schema=RESET")
        for name in try names(fresh, "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING%fts%'") {
            if try !isFullTextSound(name, fresh) { salvaged.unindexed.append("the full-text index \(name)") }
        }
        salvaged.suspicion = try suspicion(damaged, found, finding)
        if isWAL { try fresh.execute("PRAGMA journal_mode=WAL") }
    }

    /// A full-text index keeps its books in tables of its own, which have been copied like any others: books that do not agree are made again from its
    /// content (fts5.html 6.7 and 6.8). One whose module is not here is left to the application.
    private func isFullTextSound(_ name: String, _ fresh: borrowing Database) throws(SQLiteError) -> Bool {
        let quoted = TableLayout.quoted(name)
        let version = "INSERT OR REPLACE INTO \(TableLayout.quoted(name + "_config")) VALUES ('version', 4)"
        for order in ["'integrity-check'", "'rebuild'", "version", "'rebuild'"] {
            do throws(SQLiteError) {
                try fresh.execute(order == "version" ? version : "INSERT INTO \(quoted) (\(quoted)) VALUES (\(order))")
                if order != "version" { return true }
            } catch {
                if error.kind.isMachine { throw error }
                if Text.contains(error.message, "no such module") { return true }
            }
        }
        return false
    }

    /// What a database file is, before its first table: whether it is in WAL mode is returned, for the end.
    private func copyPragmas(_ damaged: borrowing Database, _ fresh: borrowing Database) throws(SQLiteError) -> Bool {
        for name in ["page_size", "auto_vacuum", "application_id", "user_version"] {
            if let value = try damaged.integer("PRAGMA \(name)") { try fresh.execute("PRAGMA \(name)=\(value)") }
        }
        if let encoding = try damaged.text("PRAGMA encoding") { try fresh.execute("PRAGMA encoding='\(encoding)'") }
        // Byte 18 is the write version: 2 is WAL (fileformat2.html 1.3). The pragma says "delete" to an immutable connection.
        let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { byte.deallocate() }
        try damaged.readFile(into: byte, at: 18)
        return byte[0] == 2
    }

    /// The first thing that the structural check says about pages with rows on them.
    private func suspicion(
        _ damaged: borrowing Database, _ found: Inspection, _ finding: String?
    ) throws(SQLiteError) -> String? {
        if let finding, try DamageFinding(text: finding).concernsRows(of: damaged, isClean: !found.isUnclean) { return finding }
        let findings: [String]
        do throws(SQLiteError) {
            findings = try Check.structure(damaged, verify: .quick)
        } catch {
            if error.kind.isMachine && error.kind != .interrupted { throw error }
            return error.message
        }
        for text in findings where try DamageFinding(text: text).concernsRows(of: damaged, isClean: !found.isUnclean) { return text }
        return nil
    }

    // ---- What can be had, in the image's schema ----

    private func copyRows(_ found: Inspection, _ salvaged: inout Salvaged) throws(SQLiteError) {
        let damaged = try openDamaged(found)
        let fresh = try openFresh(.readWrite)
        // Through a WAL every row would be written twice, and the second time where no error is seen: as the connection closes.
        let isWAL = try fresh.text("PRAGMA journal_mode") == "wal"
        if isWAL { try fresh.execute("PRAGMA journal_mode=DELETE") }
        try fresh.execute("BEGIN")
        let history = ["schema_migrations", "firstlight_migrations"]
        let virtual = try names(fresh, "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
        // The tables behind a virtual one are its own bookkeeping, worth nothing in part.
        let wanted = try tables(of: fresh).filter { name in
            !history.contains(name) && !virtual.contains { Salvage.isShadow(name, of: $0) }
        }
        try copy(inOrder(wanted), damaged, fresh, replacing: true, &salvaged)
        try copySequences(damaged, fresh)
        for name in virtual {
            if try isIndexOfAnother(fresh, name) {
                let quoted = TableLayout.quoted(name)
                // Made again from the table that was copied (fts5.html, 'rebuild').
                let rebuild = "INSERT INTO \(quoted) (\(quoted)) VALUES ('rebuild')"
                if (try? fresh.execute(rebuild)) == nil { salvaged.missing.append("the full-text index \(name)") }
            } else {
                try copy([name], damaged, fresh, replacing: true, &salvaged)
            }
        }
        try fresh.execute("COMMIT")
        salvaged.homeless = try homeless(damaged, fresh)
        salvaged.suspicion = "what was read beside a damaged page may be wrong"
        if isWAL { try fresh.execute("PRAGMA journal_mode=WAL") }
    }

    /// Tables with rows, and columns, that the damaged database has and this image's schema has no place for: they stay in quarantine.
    private func homeless(_ damaged: borrowing Database, _ fresh: borrowing Database) throws(SQLiteError) -> [String] {
        let virtual = try names(damaged, "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
        var found: [String] = []
        for name in try tables(of: damaged) where !virtual.contains(where: { Salvage.isShadow(name, of: $0) }) {
            do throws(SQLiteError) {
                guard let there = try TableLayout(name, in: damaged), try hasRows(name, damaged) else { continue }
                guard let here = try TableLayout(name, in: fresh) else {
                    if name != "schema_migrations" && name != "firstlight_migrations" { found.append("the table \(name)") }
                    continue
                }
                let known = here.columns.map { Text.lowercase($0) }
                for column in there.columns where !known.contains(Text.lowercase(column)) { found.append("the column \(name).\(column)") }
            } catch {
                if error.kind.isMachine { throw error }
            }
        }
        return found
    }

    // ---- Rows ----

    private func copy(
        _ names: [String], _ damaged: borrowing Database, _ fresh: borrowing Database, replacing: Bool,
        _ salvaged: inout Salvaged
    ) throws(SQLiteError) {
        for name in names {
            reporter.progress(.recovering, "salvage \(name) of \(state.database)")
            var table = Salvaged.Table(name: name)
            do throws(SQLiteError) {
                try copy(&table, damaged, fresh, replacing: replacing)
            } catch {
                // The time is up, or a virtual table's own pages are damaged: what has been read is kept, the table stays marked as
                // incomplete, and the others get their turn.
                if error.kind.isMachine && error.kind != .interrupted { throw error }
            }
            salvaged.tables.append(table)
        }
    }

    private func copy(
        _ table: inout Salvaged.Table, _ damaged: borrowing Database, _ fresh: borrowing Database, replacing: Bool
    ) throws(SQLiteError) {
        guard let source = try TableLayout(table.name, in: damaged), let target = try TableLayout(table.name, in: fresh) else {
            // What the device never had cannot be lost; what cannot be read as a table any more is.
            table.isComplete = try !hasTable(damaged, table.name)
            return
        }
        var rows = RowCopy(source, into: target)
        defer {
            table.rows = rows.rows
            table.refused = rows.refused
        }
        if rows.columns.isEmpty { return }
        if replacing, try hasRows(table.name, damaged) {
            // A migration's own first content gives way to what the device had.
            try fresh.execute("DELETE FROM \(TableLayout.quoted(table.name))")
        }
        try rows.run(from: damaged, into: fresh, replacing: replacing)
        table.isComplete = rows.isComplete
        table.indexed = try indexed(table.name, hasRowid: source.rowid != nil, damaged)
    }

    /// A first page that cannot be read is one of a table with rows.
    private func hasRows(_ table: String, _ damaged: borrowing Database) throws(SQLiteError) -> Bool {
        do throws(SQLiteError) {
            return try damaged.prepare("SELECT 1 FROM \(TableLayout.quoted(table)) NOT INDEXED LIMIT 1").step()
        } catch {
            if error.kind == .corrupt || error.kind == .notADatabase { return true }
            throw error
        }
    }

    /// How many entries the table's fullest index has: it knows of rows that the table's own tree has lost.
    private func indexed(_ table: String, hasRowid: Bool, _ damaged: borrowing Database) throws(SQLiteError) -> Int64? {
        let list = try damaged.prepare("SELECT name FROM pragma_index_list(?1) WHERE partial = 0 AND (origin <> 'pk' OR ?2)")
        try list.bind(table, at: 1)
        // The key of a table WITHOUT ROWID is the table.
        try list.bind(hasRowid ? 1 : 0, at: 2)
        var most: Int64?
        while try list.step() {
            let index = TableLayout.quoted(list.text(0) ?? "")
            guard let count = try? damaged.integer("SELECT count(*) FROM \(TableLayout.quoted(table)) INDEXED BY \(index)") else { continue }
            most = max(most ?? 0, count)
        }
        return most
    }

    /// AUTOINCREMENT never gives out a number twice, also those of rows that are gone (autoinc.html).
    private func copySequences(_ damaged: borrowing Database, _ fresh: borrowing Database) throws(SQLiteError) {
        guard try hasTable(damaged, "sqlite_sequence"), try hasTable(fresh, "sqlite_sequence"),
            try TableLayout("sqlite_sequence", in: damaged) != nil
        else { return }
        let update = try fresh.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1")
        let insert = try fresh.prepare(
            "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE ?1 IN (SELECT name FROM sqlite_schema)")
        do throws(SQLiteError) {
            try each(damaged, "SELECT name, seq FROM sqlite_sequence WHERE seq IS NOT NULL") { (row) throws(SQLiteError) in
                update.reset()
                insert.reset()
                for column in 0..<Int32(2) {
                    try update.bind(column: column, of: row, at: column + 1)
                    try insert.bind(column: column, of: row, at: column + 1)
                }
                try update.run()
                if update.changes == 0 { try insert.run() }
            }
        } catch {
            if error.kind.isMachine { throw error }
        }
    }

    // ---- Reading the schema ----

    /// Those whose rows are wanted: tables of its own, and SQLite's statistics.
    private func tables(of database: borrowing Database) throws(SQLiteError) -> [String] {
        try names(
            database,
            """
            SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'
            AND (name NOT LIKE 'sqlite\\_%' ESCAPE '\\' OR name LIKE 'sqlite\\_stat_' ESCAPE '\\') ORDER BY rowid
            """)
    }

    /// `keep-tables` first, in their order: should time or room run out, it is the others that go without.
    private func inOrder(_ names: [String]) -> [String] {
        let first = repository.keepTables.filter { names.contains($0) }
        return first + names.filter { !first.contains($0) }
    }

    /// Whether a virtual table keeps no rows of its own: a full-text index over another table (fts5.html, "External Content"), which has
    /// an argument `content=…`.
    private func isIndexOfAnother(_ database: borrowing Database, _ name: String) throws(SQLiteError) -> Bool {
        let rows = try database.prepare("SELECT sql FROM sqlite_schema WHERE name = ?1")
        try rows.bind(name, at: 1)
        guard try rows.step(), let (_, arguments) = Text.cut(rows.text(0) ?? "", at: 0x28) else { return false }
        return Text.split(arguments, 0x2C).contains { argument in
            guard let (key, _) = Text.cut(argument, at: 0x3D) else { return false }
            return Text.lowercase(Text.trim(key)) == "content"
        }
    }

    /// The tables that FTS3 to FTS5 and R*Tree keep their own books in (fts5.html 9, fts3.html 9, rtree.html 5).
    private static func isShadow(_ name: String, of virtual: String) -> Bool {
        guard let suffix = Text.dropPrefix(name, virtual + "_") else { return false }
        let known = [
            "data", "idx", "content", "docsize", "config", "segments", "segdir", "stat", "node", "parent", "rowid",
        ]
        return known.contains(suffix)
    }

    private func hasTable(_ database: borrowing Database, _ name: String) throws(SQLiteError) -> Bool {
        let rows = try database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")
        try rows.bind(name, at: 1)
        return try rows.step()
    }

    private func names(_ database: borrowing Database, _ select: String) throws(SQLiteError) -> [String] {
        var names: [String] = []
        try each(database, select) { (row) throws(SQLiteError) in names.append(row.text(0) ?? "") }
        return names
    }

    private func each(
        _ database: borrowing Database, _ select: String, _ body: (borrowing Statement) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        let rows = try database.prepare(select)
        while try rows.step() { try body(rows) }
    }
}
