import AutoMigrator
import Foundation
import Linux
import SQLite
import Testing

/// The image is older than the database.
@Suite struct OlderImageTests {
    /// Ten steps as products have them: tables, columns, a table rebuild, an index, a view, a trigger, data.
    static let steps: [(up: String, down: String)] = [
        ("CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT);", "DROP TABLE a;"),
        ("ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7;", "ALTER TABLE a DROP COLUMN y;"),
        ("CREATE INDEX a_x ON a (x);", "DROP INDEX a_x;"),
        ("CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a ON DELETE CASCADE);", "DROP TABLE b;"),
        (
            """
            CREATE TABLE a_new (id INTEGER PRIMARY KEY, x TEXT NOT NULL DEFAULT '', y INTEGER DEFAULT 7);
            INSERT INTO a_new SELECT id, coalesce(x, ''), y FROM a;
            DROP TABLE a;
            ALTER TABLE a_new RENAME TO a;
            CREATE INDEX a_x ON a (x);
            """,
            """
            CREATE TABLE a_old (id INTEGER PRIMARY KEY, x TEXT, y INTEGER DEFAULT 7);
            INSERT INTO a_old SELECT id, x, y FROM a;
            DROP TABLE a;
            ALTER TABLE a_old RENAME TO a;
            CREATE INDEX a_x ON a (x);
            """
        ),
        ("CREATE VIEW v AS SELECT x, y FROM a;", "DROP VIEW v;"),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET y = 8 WHERE id = NEW.id;\n  DELETE FROM b WHERE a_id = 0;\nEND;",
            "DROP TRIGGER t;"
        ),
        ("INSERT INTO a (id, x) VALUES (100, 'seed');", "DELETE FROM a WHERE id = 100;"),
        ("ALTER TABLE b RENAME COLUMN a_id TO parent;", "ALTER TABLE b RENAME COLUMN parent TO a_id;"),
        ("CREATE TABLE c (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID;", "DROP TABLE c;"),
    ]

    private static func bench(_ count: Int) -> Workbench {
        let bench = Workbench()
        put(count, into: bench)
        return bench
    }

    private static func put(_ count: Int, into bench: Workbench, downs: Bool = true, options: String = "") {
        bench.migrations = [:]
        for (index, step) in steps.prefix(count).enumerated() {
            let down = downs ? "\n-- migrate:down\n\(step.down)\n" : ""
            bench.migrations["\(index + 1)_step.sql"] = "-- migrate:up\(options)\n\(step.up)\n\(down)"
        }
    }

    /// White space and quotes differ after ALTER TABLE.
    private func schema(_ bench: Workbench) -> [String] {
        let database = try! Database(bench.database, .readWrite)
        let rows = try! database.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1, 2")
        var lines: [String] = []
        while try! rows.step() {
            lines.append((0..<3).map { rows.text(Int32($0)) ?? "" }.joined(separator: " ").filter { !$0.isWhitespace && $0 != "\"" })
        }
        let versions = try! database.prepare("SELECT version FROM schema_migrations ORDER BY 1")
        while try! versions.step() { lines.append("\(versions.integer(0)!)") }
        return lines
    }

    @Test func anyVersionGoesToAnyOtherAndBackToTheSameSchema() {
        var schemas: [[String]] = [[]]
        for count in 1...Self.steps.count {
            let bench = Self.bench(count)
            #expect(bench.boot().outcome == .migrated)
            schemas.append(schema(bench))
        }
        for high in 2...Self.steps.count {
            for low in 1..<high {
                let bench = Self.bench(high)
                bench.boot { $0.verify = .quick }
                bench.execute("INSERT INTO a (id, x) VALUES (1, 'kept')")
                Self.put(low, into: bench)
                let back = bench.boot { $0.verify = .quick }
                #expect(back.outcome == .downgraded, "\(high) to \(low): \(back)")
                #expect(back.schema == Int64(low) && back.wanted == Int64(low))
                #expect(schema(bench) == schemas[low], "\(high) to \(low)")
                #expect(bench.text("SELECT x FROM a WHERE id = 1") == "kept")
                #expect(bench.boot { $0.verify = .quick }.outcome == .current)
                Self.put(high, into: bench)
                let forward = bench.boot { $0.verify = .quick }
                #expect(forward.outcome == .migrated, "\(forward)")
                #expect(schema(bench) == schemas[high], "\(low) to \(high)")
                #expect(bench.text("SELECT x FROM a WHERE id = 1") == "kept")
            }
        }
    }

    @Test func compatibleStepsAreLeftAndNothingIsWritten() {
        let bench = Self.bench(2)
        bench.migrations["3_step.sql"] = "-- migrate:up compatible:true\nCREATE TABLE extra (x);\n-- migrate:down\nDROP TABLE extra;"
        bench.boot()
        Self.put(2, into: bench)
        let before = bench.bytes(bench.database)
        let report = bench.boot()
        #expect(report.outcome == .ahead)
        #expect(report.schema == 3 && report.wanted == 2)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func onlyUntilWhatRemainsIsCompatible() {
        let bench = Self.bench(1)
        bench.migrations["2_more.sql"] = "-- migrate:up compatible:true\nCREATE TABLE extra (x);\n-- migrate:down\nDROP TABLE extra;"
        bench.migrations["3_less.sql"] = "-- migrate:up\nALTER TABLE a RENAME TO z;\n-- migrate:down\nALTER TABLE z RENAME TO a;"
        bench.boot()
        Self.put(1, into: bench)
        let report = bench.boot()
        #expect(report.outcome == .downgraded, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'extra')") == 2)
        #expect(bench.integer("SELECT max(version) FROM schema_migrations") == 2)
        #expect(bench.boot().outcome == .ahead)
    }

    @Test func withoutDownsTheSnapshotComesBackAndTheNewerDatabaseIsPinned() {
        let bench = Self.bench(2)
        bench.boot()
        bench.execute("INSERT INTO a (id, x) VALUES (1, 'old')")
        Self.put(4, into: bench, downs: false)
        bench.boot()
        bench.execute("INSERT INTO a (id, x) VALUES (2, 'new')")
        let newer = bench.bytes(bench.database)
        Self.put(2, into: bench)
        let back = bench.boot()
        #expect(back.outcome == .downgraded, "\(back)")
        #expect(back.schema == 2)
        #expect(back.lost?.contains("written after snapshot") == true)
        #expect(back.quarantine.flatMap { bench.bytes($0 + "/app.db") } == newer)
        #expect(bench.integer("SELECT count(*) FROM a") == 1)
        #expect(bench.boot().outcome == .current)

        // Nothing was written: the newer image gets its own database back.
        Self.put(4, into: bench, downs: false)
        let forward = bench.boot()
        #expect(forward.outcome == .migrated, "\(forward)")
        #expect(forward.reason?.contains("is back") == true)
        #expect(bench.bytes(bench.database) == newer)
        #expect(bench.integer("SELECT count(*) FROM a") == 2)
        #expect(!bench.files("").contains("pin"))
    }

    @Test func aPinnedDatabaseDoesNotReplaceRowsWrittenSince() {
        let bench = Self.bench(2)
        bench.boot()
        Self.put(4, into: bench, downs: false)
        bench.boot()
        bench.execute("INSERT INTO a (id, x) VALUES (2, 'new')")
        Self.put(2, into: bench)
        let pinned = bench.boot().quarantine!
        bench.execute("INSERT INTO a (id, x) VALUES (3, 'while older')")
        Self.put(4, into: bench, downs: false)
        let forward = bench.boot { $0.quarantine = 1 }
        #expect(forward.outcome == .migrated)
        #expect(forward.schema == 4)
        #expect(bench.text("SELECT group_concat(x) FROM a") == "while older")
        #expect(forward.warnings.contains { $0.contains(pinned) }, "\(forward)")
        // Many quarantines later the pinned one is there still.
        for _ in 0..<3 {
            bench.damage(bench.database, at: 0, count: 8192)
            bench.boot { $0.quarantine = 1 }
        }
        #expect(FileSystem.exists(pinned + "/app.db"))
    }

    @Test func aDownThatFailsUndoesThemAllAndTheSnapshotServes() {
        let bench = Self.bench(2)
        bench.boot()
        bench.migrations["3_c.sql"] = "-- migrate:up\nCREATE TABLE c (x);\n-- migrate:down\nDROP TABLE nowhere;"
        bench.migrations["4_d.sql"] = "-- migrate:up\nCREATE TABLE d (x);\n-- migrate:down\nDROP TABLE d;"
        bench.boot()
        Self.put(2, into: bench)
        let back = bench.boot()
        #expect(back.outcome == .downgraded, "\(back)")
        #expect(back.reason?.contains("no such table: nowhere") == true, "\(back)")
        #expect(back.schema == 2)
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('c', 'd')") == 0)
    }

    @Test func withNeitherDownNorSnapshotItIsUsedAsItIsAndSaidSo() {
        let bench = Self.bench(2)
        Self.put(4, into: bench, downs: false)
        bench.boot()
        let before = bench.bytes(bench.database)
        Self.put(2, into: bench)
        let report = bench.boot()
        #expect(report.outcome == .ahead, "\(report)")
        #expect(report.reason?.contains("has no stored down") == true)
        #expect(!report.warnings.isEmpty)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test(arguments: [(Repository.Newer.keep, Outcome.ahead), (.stop, .failed)])
    func thePolicyMaySayToLeaveIt(policy: Repository.Newer, outcome: Outcome) {
        let bench = Self.bench(3)
        bench.boot()
        let before = bench.bytes(bench.database)
        Self.put(2, into: bench)
        #expect(bench.boot { $0.onNewer = policy }.outcome == outcome)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func anEmptySetUndoesNothing() {
        let bench = Self.bench(3)
        bench.boot()
        let before = bench.bytes(bench.database)
        bench.migrations = [:]
        #expect(bench.boot().outcome == .skipped)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func aSetThatSharesNothingWithTheHistoryUndoesNothing() {
        let bench = Self.bench(3)
        bench.boot()
        let before = bench.bytes(bench.database)
        bench.migrations = ["77_other.sql": "CREATE TABLE other (x);"]
        let report = bench.boot()
        #expect(report.outcome == .ahead, "\(report)")
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func aKnownStepAboveAnUnknownOneIsNotPulledFromUnderIt() {
        let bench = Self.bench(2)
        bench.boot()
        Self.put(4, into: bench)
        bench.boot()
        Self.put(4, into: bench)
        bench.migrations["3_step.sql"] = nil
        let report = bench.boot()
        #expect(report.outcome == .downgraded, "\(report)")
        #expect(report.reason?.contains("came after step 3") == true, "\(report)")
    }

    @Test func anApplicationsRowsSurviveADownThatRebuildsATable() {
        let bench = Self.bench(5)
        bench.boot()
        bench.execute("INSERT INTO a (id, x) VALUES (1, 'p'); INSERT INTO b VALUES (1, 1), (2, 1)")
        Self.put(4, into: bench)
        #expect(bench.boot().outcome == .downgraded)
        #expect(bench.integer("SELECT count(*) FROM b") == 2)
    }
}
