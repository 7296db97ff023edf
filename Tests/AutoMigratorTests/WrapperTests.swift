import AutoMigrator
import Linux
import SQLite
import Testing

/// The wrapper that SQLite's documentation teaches, and what only looks like it.
@Suite struct WrapperTests {
    private func boot(_ script: String, options: String = "") -> (RepositoryReport, Workbench) {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(20)
        bench.migrations["2_w.sql"] = "-- migrate:up\(options)\n\(script)"
        return (bench.boot(), bench)
    }

    static let rebuild = """
        CREATE TABLE sensors_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, place TEXT);
        INSERT INTO sensors_new SELECT id, name, NULL FROM sensors;
        DROP TABLE sensors;
        ALTER TABLE sensors_new RENAME TO sensors;
        """

    @Test(arguments: [
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n\(rebuild)\nCOMMIT;\nPRAGMA foreign_keys=ON;\n",
        "-- why\npragma main.foreign_keys(0); begin immediate transaction; \(rebuild) end transaction; pragma foreign_keys = yes",
        "/* BEGIN; */ BEGIN;\n\(rebuild)\nCOMMIT;",
        "PRAGMA foreign_keys=OFF;\n\(rebuild)\nPRAGMA foreign_key_check;\nPRAGMA foreign_keys=ON;",
        "PRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n\(rebuild)\nPRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;",
        "BEGIN EXCLUSIVE;\nCREATE TRIGGER t AFTER INSERT ON readings BEGIN SELECT 1; SELECT 'COMMIT;'; END;\n\(rebuild)\nCOMMIT;",
        "COMMIT TRANSACTION;\n--> statement-breakpoint\nPRAGMA foreign_keys = OFF;\nBEGIN;\n\(rebuild)\nCOMMIT;\nPRAGMA foreign_keys = ON;\nBEGIN TRANSACTION;",
        "PRAGMA foreign_keys = OFF;\nCOMMIT TRANSACTION;\nBEGIN TRANSACTION;\n\(rebuild)\nCOMMIT TRANSACTION;\nPRAGMA foreign_keys = ON;\nBEGIN TRANSACTION;",
        "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=OFF; BEGIN; \(rebuild) COMMIT; PRAGMA foreign_key_check;",
    ])
    func isLeftOutAndWhatItWrapsRuns(script: String) {
        let (report, bench) = boot(script)
        #expect(report.outcome == .migrated, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM pragma_table_info('sensors')") == 3)
        #expect(bench.integer("SELECT count(*) FROM readings") == 20, "cascaded away")
        #expect(bench.boot().outcome == .current)
    }

    @Test func anErrorInsideNamesItsLine() {
        let (report, _) = boot("PRAGMA foreign_keys=OFF;\nBEGIN;\nCREATE TABLE fine (x);\nINSERT INTO nowhere VALUES (1);\nCOMMIT;")
        #expect(report.reason?.contains("2_w.sql:5: no such table: nowhere") == true, "\(report)")
    }

    /// Not around the whole script, or more than one: the whole would not be one transaction any more.
    @Test(arguments: [
        ("BEGIN; CREATE TABLE a (x); COMMIT;\nCREATE TABLE b (x);", 2), ("CREATE TABLE a (x);\nBEGIN; CREATE TABLE b (x); COMMIT;", 3),
        ("BEGIN; CREATE TABLE a (x); COMMIT;\nBEGIN; CREATE TABLE b (x); COMMIT;", 2), ("BEGIN;\nCREATE TABLE a (x);", 2),
        ("CREATE TABLE a (x);\nCOMMIT;", 3), ("BEGIN; CREATE TABLE a (x);\nROLLBACK;", 2),
        ("BEGIN;\nCREATE TRIGGER t AFTER INSERT ON readings BEGIN SELECT 1; END;", 2),
    ])
    func whatOnlyLooksLikeItIsRefusedWithItsLine(script: String, line: Int) {
        let (report, bench) = boot(script)
        #expect(report.outcome == .restored)
        #expect(report.reason?.contains("2_w.sql:\(line): ") == true, "\(report)")
        #expect(report.reason?.contains("in a migration that already runs in a transaction") == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b', 't')") == 0)
    }

    @Test func aWishForWALIsCarriedOutAfterTheTransaction() {
        let (report, bench) = boot("PRAGMA journal_mode=WAL;\nCREATE TABLE a (x);")
        #expect(report.outcome == .migrated, "\(report)")
        #expect(bench.text("PRAGMA journal_mode") == "wal")
        let fresh = Workbench()
        fresh.migrations["1_w.sql"] = "PRAGMA journal_mode = wal;--> statement-breakpoint\nCREATE TABLE a (x);"
        #expect(fresh.boot().outcome == .migrated)
        #expect(fresh.text("PRAGMA journal_mode") == "wal")
        #expect(fresh.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'a'") == 1)
    }

    /// What one boot does with two steps must be what two boots do with one each.
    @Test func aSwitchOfOneStepIsOffForTheNext() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_a.sql"] = "PRAGMA legacy_alter_table=ON;\nCREATE TABLE a (x);"
        bench.migrations["3_b.sql"] = "ALTER TABLE sensors RENAME TO probes;"
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.text("SELECT sql FROM sqlite_schema WHERE name = 'readings'")?.contains("\"probes\"") == true)
    }

    @Test func aPragmaInTheMiddleTurnsNothingOn() {
        let (report, bench) = boot("PRAGMA foreign_keys=ON;\nDELETE FROM readings WHERE id > 1;\nPRAGMA foreign_keys=ON;\n\(Self.rebuild)")
        #expect(report.outcome == .migrated, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 1, "a cascade")
    }

    @Test func aStepThatRunsAloneKeepsItsOwnTransactions() {
        let (report, bench) = boot("BEGIN;\nCREATE TABLE a (x);\nCOMMIT;\nVACUUM;\nBEGIN;\nCREATE TABLE b (x);\nCOMMIT;", options: " transaction:false")
        #expect(report.outcome == .migrated, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')") == 2)
    }
}
