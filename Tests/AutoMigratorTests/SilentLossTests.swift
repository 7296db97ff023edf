import AutoMigrator
import Foundation
import Linux
import SQLite
import Testing

/// What a bench of somebody else's found: rows that were given up although any program reads them, or that were gone and nobody was told.
@Suite struct SilentLossTests {
    /// A device with readings, settings and no sound snapshot, unless `snapshots` are kept.
    private func device(_ more: String = "", snapshots: Bool = false, rows: Int = 3000) -> Workbench {
        let bench = Workbench()
        bench.migrations["1_start.sql"] = """
            CREATE TABLE readings (id INTEGER PRIMARY KEY, value TEXT);
            CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
            CREATE INDEX by_value ON readings (value);
            \(more)
            """
        bench.boot()
        bench.execute(
            """
            BEGIN;
            INSERT INTO readings WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows)) SELECT i, printf('reading %06d', i) FROM n;
            INSERT INTO settings WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800) SELECT printf('key %06d', i), i FROM n;
            COMMIT;
            """)
        if !snapshots {
            for name in bench.files("snapshots") { try! FileSystem.remove("\(bench.state)/snapshots/\(name)") }
        }
        return bench
    }

    /// The pages of a table's or an index's leaves, in order.
    private func leaves(_ bench: Workbench, _ tree: String) -> [Int] {
        let database = try! Database(bench.database, .readWrite)
        let rows = try! database.prepare("SELECT pageno FROM dbstat WHERE name = '\(tree)' AND pagetype = 'leaf' ORDER BY path")
        var pages: [Int] = []
        while try! rows.step() { pages.append(Int(rows.integer(0)!)) }
        return pages
    }

    private func zero(_ bench: Workbench, page: Int) {
        let file = FileHandle(forUpdatingAtPath: bench.database)!
        try! file.seek(toOffset: UInt64((page - 1) * 4096))
        try! file.write(contentsOf: Data(count: 4096))
        try! file.close()
    }

    /// A snapshot whose inode says that it has a terabyte: it is none, and fills no disk; the one before it is.
    @Test func aSnapshotOfAnotherSizeIsNotCopied() throws {
        let bench = device(snapshots: true)
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
        #expect(bench.boot().outcome == .migrated)
        let names = bench.files("snapshots").filter { $0.hasSuffix(".db") }
        #expect(names.count == 2)
        try FileDescriptor.open("\(bench.state)/snapshots/\(names.last!)", .readWrite).truncate(to: 1 << 40)
        try FileSystem.remove(bench.database)
        let start = Clock.milliseconds
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("snapshot") == true, "\(report)")
        #expect(Clock.milliseconds - start < 20_000)
    }

    /// Nothing of it is left behind a repair of its filesystem, not even that there was one: that is no new device.
    @Test func nothingLeftBehindARepairIsALoss() throws {
        let bench = device()
        for name in ["app.db", ".firstlight"] { try FileSystem.removeTree("\(bench.root)/data/\(name)") }
        let report = bench.boot(unclean: true, repaired: true)
        #expect(report.outcome == .rebuilt && report.lost != nil, "\(report)")
        #expect(bench.boot().outcome == .current)
        let fresh = Workbench()
        fresh.migrations["1_start.sql"] = "CREATE TABLE readings (id INTEGER PRIMARY KEY);"
        #expect(fresh.boot().outcome == .migrated)
    }

    /// An entry of an index that is another's: quick_check passes it (RULES.md S10). What is small is held against its tables after every unclean
    /// shutdown, what is large behind a repair by force.
    @Test(arguments: [3_000, 250_000]) func everyIndexIsHeldAgainstItsTable(rows: Int) throws {
        let bench = device(rows: rows)
        let page = leaves(bench, "by_value").last!
        let file = FileHandle(forUpdatingAtPath: bench.database)!
        try file.seek(toOffset: UInt64(page * 4096 - 12))
        try file.write(contentsOf: Data("~".utf8))
        try file.close()
        #expect(bench.boot().outcome == .current)
        #expect((bench.boot(unclean: true).outcome == .current) == (bench.bytes(bench.database)!.count > 8 << 20))
        if rows > 100_000 {
            let report = bench.boot(unclean: true, repaired: true)
            #expect(report.outcome == .restored && report.lost == nil, "\(report)")
        }
    }

    /// A step in the history that no image has left a trace of: damage makes such rows, and an image would call itself older than the database.
    @Test func aStepThatNobodyKnowsIsAReasonToLook() throws {
        let bench = device()
        bench.execute("INSERT INTO schema_migrations VALUES (0, NULL)")
        #expect(bench.boot().outcome == .ahead)
        zero(bench, page: leaves(bench, "readings").first!)
        #expect(bench.boot().outcome == .rebuilt)
    }

    /// Room that is lost is no damage: an unclean shutdown with it is a clean boot.
    @Test func aPageThatNothingLeadsToIsNoReasonToFail() throws {
        let bench = device()
        var bytes = bench.bytes(bench.database)!
        let pages = UInt32(bytes.count / 4096 + 1)
        bytes.replaceSubrange(28..<32, with: withUnsafeBytes(of: pages.bigEndian) { Data($0) })
        try (bytes + Data(count: 4096)).write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .current, "\(report)")
    }

    @Test(arguments: [("readings", 0), ("readings", 3), ("settings", 0)])
    func oneLeafCostsOnlyItsRows(tree: String, leaf: Int) {
        let bench = device()
        let all = tree == "readings" ? 3000 : 800
        zero(bench, page: leaves(bench, tree)[leaf])
        zero(bench, page: leaves(bench, "by_value")[1])
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .rebuilt && report.lost?.contains(tree) == true, "\(report)")
        let kept = bench.integer("SELECT count(*) FROM \(tree)") ?? 0
        #expect(kept > all * 7 / 10 && kept < all, "\(kept) of \(all)")
    }

    /// Page 1 says one table less: every row of every table that it still names can be read.
    @Test func aSchemaThatHasLostATableIsNotWhole() throws {
        let bench = device(snapshots: true)
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
        bench.boot()
        zero(bench, page: leaves(bench, "by_value")[1])
        var bytes = bench.bytes(bench.database)!
        // fileformat2.html 1.6: the number of cells, at byte 3 of the page's header.
        bytes[100 + 4] -= 1
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot(unclean: true)
        #expect(report.lost != nil && report.schema == 2, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'") == 5)
        #expect(bench.integer("SELECT count(*) FROM readings") == 3000)
    }

    @Test func whatTheImageHasNoPlaceForIsTold() {
        let bench = device("CREATE TABLE search_history (x);")
        bench.execute("CREATE TABLE own (x); INSERT INTO own VALUES (1); ALTER TABLE settings ADD COLUMN extra; INSERT INTO search_history VALUES ('kept')")
        zero(bench, page: leaves(bench, "readings")[2])
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .rebuilt, "\(report)")
        #expect(report.lost?.contains("the table own") == true && report.lost?.contains("the column settings.extra") == true, "\(report)")
        #expect(bench.text("SELECT x FROM search_history") == "kept")
    }

    /// Where `schema_migrations` cannot be read, a step that has not run must not be taken for done.
    @Test func stepsThatNeverRanAreNotTakenForDone() {
        let bench = device()
        zero(bench, page: Int(bench.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'schema_migrations'")!))
        bench.migrations["2_units.sql"] = "UPDATE readings SET value = value || ' mV';"
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .rebuilt && report.schema == 2, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE value LIKE '% mV' AND value NOT LIKE '% mV mV'") == 3000)
    }

    /// One bit in a cell's place: any program reads the row.
    @Test func damageThatReadingPassesOverCostsNothing() throws {
        let bench = device(snapshots: true)
        let page = leaves(bench, "readings")[4]
        var bytes = bench.bytes(bench.database)!
        // A free block that is none: only the check minds.
        bytes.replaceSubrange((page - 1) * 4096 + 1..<(page - 1) * 4096 + 3, with: [0x0F, 0xF0])
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .rebuilt || report.outcome == .restored && report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 3000)
    }

    @Test func thePolicyIsAskedWhenTheCheckBehindTheStepsFindsDamage() {
        for (policy, outcomes) in [(Repository.Rung.keep, [Outcome.migrated, .restored]), (.stop, [.failed]), (.restore, [.restored])] {
            let bench = device()
            zero(bench, page: leaves(bench, "by_value")[1])
            bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
            let inode = try? FileSystem.status(bench.database)?.inode
            let report = bench.boot { $0.onFailure = [policy] }
            #expect(outcomes.contains(report.outcome), "\(report)")
            #expect((try? FileSystem.status(bench.database)?.inode == inode) == (policy != .restore))
            #expect(bench.integer("SELECT count(*) FROM readings NOT INDEXED") == 3000)
        }
    }

    /// Steps that fail on a damaged database say nothing about the steps.
    @Test func rebuildReadsTheRowsOfADamagedDatabaseFirst() {
        let bench = device()
        zero(bench, page: leaves(bench, "by_value")[1])
        bench.migrations["2_wrong.sql"] = "INSERT INTO nowhere VALUES (1);"
        let report = bench.boot { $0.onFailure = [.rebuild, .restore] }
        #expect(bench.integer("SELECT count(*) FROM readings NOT INDEXED") == 3000, "\(report)")
    }

    @Test func aTriggerThatForgetsTheHistoryIsNotObeyedAtEveryBoot() {
        let bench = device()
        bench.execute("CREATE TRIGGER forgetful BEFORE INSERT ON schema_migrations BEGIN SELECT RAISE(IGNORE); END")
        bench.migrations["2_more.sql"] = "UPDATE readings SET value = value || '!';"
        for _ in 0..<2 {
            let report = bench.boot()
            #expect(report.outcome == .restored && report.schema == 1, "\(report)")
            #expect(bench.integer("SELECT count(*) FROM readings WHERE value LIKE '%!'") == 0)
        }
    }

    /// SQLite would delete it, and with it the only copy of the pages from before.
    @Test func aJournalWithATornHeaderGoesToQuarantine() throws {
        let bench = device()
        let journal = Data([0xD9, 0xD5, 0x05, 0xF8] + [UInt8](repeating: 7, count: 5000))
        try journal.write(to: URL(fileURLWithPath: bench.database + "-journal"))
        let report = bench.boot()
        #expect(report.outcome == .current && report.warnings.contains { $0.contains("journal") }, "\(report)")
        let kept = bench.files("quarantine").compactMap { bench.bytes("\(bench.state)/quarantine/\($0)/app.db-journal") }
        #expect(kept == [journal])
        #expect(bench.boot().warnings.isEmpty)
    }

    @Test func snapshotsProveAnEarlierLife() throws {
        let bench = device(snapshots: true)
        try FileSystem.remove(bench.database)
        try FileSystem.remove(bench.state + "/born")
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost != nil, "\(report)")
    }

    /// What cannot be mended has been told of: it is no reason for an older snapshot at the next unclean boot.
    @Test func knownDamageDoesNotCostWhatCameAfterIt() throws {
        let bench = device(snapshots: true)
        // A row behind one that is larger: nothing but the check minds, and not all can be copied.
        let page = leaves(bench, "readings")[4]
        var bytes = bench.bytes(bench.database)!
        let at = (page - 1) * 4096
        let cell = at + Int(bytes[at + 8 + 20]) << 8 + Int(bytes[at + 8 + 21])
        bytes[cell + 2] ^= 0x7F
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
        let first = bench.boot()
        #expect(first.schema == 2 && (first.outcome == .migrated || first.lost != nil), "\(first)")
        bench.execute("INSERT INTO more VALUES ('newer')")
        let second = bench.boot(unclean: true)
        #expect(bench.integer("SELECT count(*) FROM more") == 1, "\(first) \(second)")
    }

    /// A NULL in a NOT NULL column is an application's doing (RULES.md S5): it is not worth all that came after the newest snapshot.
    @Test func aRowThatItsOwnTableRefusesCostsItselfAlone() throws {
        let bench = device("CREATE TABLE strict (x TEXT);", snapshots: true)
        try Database(bench.database, .readWrite, defensive: false).execute(
            """
            INSERT INTO strict VALUES (NULL), ('kept');
            PRAGMA writable_schema=ON;
            UPDATE sqlite_schema SET sql = replace(sql, 'x TEXT', 'x TEXT NOT NULL') WHERE name = 'strict';
            """)
        zero(bench, page: leaves(bench, "by_value")[1])
        let report = bench.boot(unclean: true)
        #expect(report.lost?.contains("strict (1 rows kept, 1 refused") == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 3000)
        #expect(bench.text("SELECT x FROM strict") == "kept")
    }

    /// Its books are tables like any others, and copied: where they do not agree the index is made again.
    @Test(arguments: ["notes_config", "notes_docsize"])
    func aFullTextIndexWorksBehindACopy(books: String) throws {
        let bench = device("CREATE VIRTUAL TABLE notes USING fts5(text);")
        bench.execute("INSERT INTO notes (text) SELECT 'about reading ' || id FROM readings WHERE id <= 60")
        let page = Int(bench.integer("SELECT rootpage FROM sqlite_schema WHERE name = '\(books)'")!)
        var bytes = bench.bytes(bench.database)!
        // No cells any more.
        bytes.replaceSubrange((page - 1) * 4096 + 3..<(page - 1) * 4096 + 5, with: [0, 0])
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .rebuilt && report.lost != nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM notes WHERE notes MATCH 'about'") == 60)
        bench.execute("INSERT INTO notes (notes) VALUES ('integrity-check')")
    }

    /// Every row of every table is read, of the wrong one.
    @Test func rootsThatHaveChangedPlacesAreToldOf() throws {
        let bench = Workbench()
        bench.migrations["1_start.sql"] = "CREATE TABLE one (id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE two (id INTEGER PRIMARY KEY, x TEXT);"
        bench.boot()
        bench.execute("PRAGMA auto_vacuum=1; VACUUM")
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
        bench.execute(
            """
            BEGIN;
            \(numbers) INSERT INTO one SELECT i, printf('%060d', i) FROM n;
            \(numbers) INSERT INTO two SELECT i + 10000, printf('%060d', i) FROM n;
            COMMIT;
            """)
        let roots = ["one", "two"].map { Int(bench.integer("SELECT rootpage FROM sqlite_schema WHERE name = '\($0)'")!) }
        var bytes = bench.bytes(bench.database)!
        let pages = roots.map { ($0 - 1) * 4096..<$0 * 4096 }
        let first = bytes.subdata(in: pages[0])
        bytes.replaceSubrange(pages[0], with: bytes.subdata(in: pages[1]))
        bytes.replaceSubrange(pages[1], with: first)
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        for name in bench.files("snapshots") { try FileSystem.remove("\(bench.state)/snapshots/\(name)") }
        let report = bench.boot(unclean: true)
        #expect(report.lost != nil, "\(report)")
    }

    /// The step met damage that was there before it: what it had committed is undone before its rows are read out.
    @Test func halfAStepIsUndoneBeforeItsRowsAreReadOut() {
        let bench = device(snapshots: true)
        zero(bench, page: leaves(bench, "by_value").last!)
        bench.migrations["2_more.sql"] = """
            -- migrate:up transaction:false
            UPDATE settings SET value = value + 1;
            SELECT max(value) FROM readings;
            UPDATE readings SET value = 'x' || value;
            """
        let report = bench.boot()
        #expect(report.schema == 2, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM settings WHERE value = substr(key, 5) + 1") == 800)
        #expect(bench.integer("SELECT count(*) FROM readings NOT INDEXED WHERE value LIKE 'xreading%'") == 3000)
    }

    /// The newest snapshot is the one that serves, whatever an attempt after the other leaves; what they took goes.
    @Test func attemptsThatFailLeaveNoMoreSnapshotsThanOthers() {
        let bench = device(snapshots: true)
        let before = bench.files("snapshots").count
        for boot in 0..<4 {
            // Another plan each time, so that it is tried.
            bench.migrations["2_more.sql"] = "SELECT \(boot); INSERT INTO nowhere VALUES (1);"
            bench.execute("UPDATE settings SET value = value + 1")
            #expect(bench.boot().outcome == .restored)
        }
        #expect(bench.files("snapshots").count <= max(before, 2) + 1)
    }

    /// A rollback does not give back what lay on free pages, and of a damaged database it is not certain that they were free.
    @Test func theDatabaseFromBeforeTheStepsIsKeptByteForByte() throws {
        let bench = device()
        bench.execute("DELETE FROM readings WHERE id > 1000")
        zero(bench, page: leaves(bench, "by_value")[1])
        let original = try #require(bench.bytes(bench.database))
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x); INSERT INTO more SELECT zeroblob(9000) FROM readings;"
        let report = bench.boot { $0.snapshots = 1 }
        #expect(report.outcome == .restored && report.schema == 2, "\(report)")
        let kept = bench.files("snapshots").map { bench.state + "/snapshots/" + $0 } + [(report.quarantine ?? "") + "/app.db"]
        #expect(kept.contains { bench.bytes($0) == original })
    }
}
