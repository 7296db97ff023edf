import Foundation
import Linux
import SQLite
import Testing

@testable import AutoMigrator

/// Rows out of a damaged database, before anything older is put in its place.
@Suite struct SalvageTests {
    private static let size = 512

    /// A database whose trees have several pages each: rows 1 to 2000, with an index on their names.
    private static func appliance(_ more: String = "") -> Workbench {
        let bench = Workbench()
        bench.migrations["1_all.sql"] = """
            CREATE TABLE identity (serial TEXT);
            CREATE TABLE readings (id INTEGER PRIMARY KEY, name TEXT, value REAL);
            CREATE INDEX by_name ON readings (name);
            \(more)
            """
        bench.execute("PRAGMA page_size=512; VACUUM;")
        #expect(bench.boot().outcome == .migrated)
        bench.execute(
            """
            INSERT INTO identity VALUES ('FL-0001');
            INSERT INTO readings (name, value) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            SELECT 'name ' || i, i * 1.5 FROM n
            """)
        #expect(bench.integer("PRAGMA page_size") == 512)
        return bench
    }

    /// The pages of a tree, root first.
    private func pages(of name: String, _ bench: Workbench, kind: UInt8) throws -> [Int] {
        let bytes = try #require(bench.bytes(bench.database))
        let root = try #require(bench.integer("SELECT rootpage FROM sqlite_schema WHERE name = '\(name)'"))
        var (pages, queue) = ([Int](), [Int(root)])
        func number(_ at: Int, _ count: Int) -> Int { bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
        while !queue.isEmpty {
            let page = queue.removeFirst()
            pages.append(page)
            let at = (page - 1) * Self.size
            if bytes[at] == kind { continue }
            for cell in 0..<number(at + 3, 2) { queue.append(number(at + number(at + 12 + 2 * cell, 2), 4)) }
            queue.append(number(at + 8, 4))
        }
        return pages
    }

    private func overwrite(_ page: Int, _ bench: Workbench, with byte: UInt8 = 0) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.database))
        try file.seek(toOffset: UInt64((page - 1) * Self.size))
        try file.write(contentsOf: Data(repeating: byte, count: Self.size))
        try file.close()
    }

    private func isSound(_ bench: Workbench) -> Bool { bench.text("PRAGMA integrity_check") == "ok" }

    /// RULES.md S25: an index page is damaged, and not a row is lost.
    @Test func damageInAnIndexLosesNothing() throws {
        let bench = Self.appliance()
        try overwrite(try pages(of: "by_name", bench, kind: 10).last!, bench)
        let damaged = bench.bytes(bench.database)
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE name = 'name ' || id AND value = id * 1.5") == 2000)
        #expect(bench.text("SELECT serial FROM identity") == "FL-0001")
        #expect(isSound(bench))
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } == damaged)
        #expect(bench.boot().outcome == .current)
        #expect(bench.boot().warnings == [])
    }

    /// And the steps that are pending run in the same boot, on the copy.
    @Test func theStepThatMetTheDamageRunsOnTheCopy() throws {
        let bench = Self.appliance()
        try overwrite(try pages(of: "by_name", bench, kind: 10).last!, bench)
        bench.migrations["2_short.sql"] = "UPDATE readings SET name = 'n' || id;"
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.schema == 2 && report.pending == 0 && report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings INDEXED BY by_name WHERE name = 'n' || id") == 2000)
        #expect(isSound(bench))
    }

    /// The steps go through, and the check behind them finds what was wrong before.
    @Test func damageThatTheStepsDoNotMeetIsMended() throws {
        let bench = Self.appliance()
        try overwrite(try pages(of: "by_name", bench, kind: 10).last!, bench)
        bench.migrations["2_other.sql"] = "CREATE TABLE other (x);"
        let report = bench.boot()
        #expect(report.outcome == .restored && report.schema == 2 && report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 2000)
        #expect(isSound(bench))
        #expect(bench.boot().outcome == .current)
    }

    /// The text of the schema is damaged, and every page is in order. A newer SQLite's would look the same, but the snapshot knows better.
    @Test func aDamagedSchemaTextIsDamage() throws {
        let bench = Self.appliance()
        bench.migrations["2_other.sql"] = "CREATE TABLE other (x);"
        #expect(bench.boot().outcome == .migrated)
        var bytes = try #require(bench.bytes(bench.database))
        let at = try #require(bytes.range(of: Data("CREATE TABLE readings".utf8))).lowerBound
        bytes[at + 8] = 0x51
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost != nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 2000)
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } == bytes)
    }

    /// All that a schema can have comes out as it was.
    @Test func theCopyIsTheSameDatabase() throws {
        let bench = Self.appliance(
            """
            CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x, y GENERATED ALWAYS AS (x || '!') STORED, CHECK (x <> 'no'));
            CREATE TABLE "keyed ""one"" " (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID;
            CREATE TABLE plain (_rowid_, rowid);
            CREATE VIRTUAL TABLE words USING fts5(text);
            CREATE VIEW both AS SELECT * FROM readings, identity;
            CREATE TRIGGER noted AFTER INSERT ON identity BEGIN INSERT INTO counted (x) VALUES (new.serial); END;
            CREATE UNIQUE INDEX partial ON counted (x) WHERE id > 5;
            """)
        bench.execute(
            """
            PRAGMA user_version=7; PRAGMA application_id=42;
            INSERT INTO "keyed ""one"" " VALUES ('x', 2), ('y', 1);
            INSERT INTO plain VALUES (1, 2), (x'00ff', NULL), ('ä', 1e300);
            INSERT INTO words VALUES ('the quick brown fox'), ('jumps');
            PRAGMA ignore_check_constraints=ON; INSERT INTO counted (x) VALUES ('no'), (NULL); DELETE FROM counted WHERE x IS NULL;
            ANALYZE;
            """)
        // Sorted: only the order in which the schema's objects were made differs.
        func dump() throws -> [Substring] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
            process.arguments = [bench.database, ".dump", "PRAGMA user_version", "PRAGMA application_id"]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").sorted()
        }
        let before = try dump()
        try overwrite(try pages(of: "by_name", bench, kind: 10).last!, bench)
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .restored && report.lost == nil, "\(report)")
        #expect(try dump() == before)
        #expect(bench.integer("SELECT seq FROM sqlite_sequence WHERE name = 'counted'") == 3)
        #expect(bench.text("SELECT text FROM words WHERE words MATCH 'fox'") == "the quick brown fox")
    }

    /// A page with rows on it is gone. The snapshot is older than all of them, but it is whole: it goes first, unless the policy says
    /// otherwise.
    @Test func aSealedSnapshotComesBeforeAPartialSalvage() throws {
        let bench = Self.appliance()
        try overwrite(try pages(of: "readings", bench, kind: 13).last!, bench)
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.lost?.contains("after snapshot") == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 0)
    }

    @Test(arguments: [1, 2]) func withoutASnapshotTheRowsThatCanBeReadAreKept(apart: Int) throws {
        let bench = Self.appliance()
        let leaves = try pages(of: "readings", bench, kind: 13).dropFirst(2)
        // Two pages, so that rows lie between them: found from neither end.
        try overwrite(leaves[leaves.startIndex + 10], bench)
        try overwrite(leaves[leaves.startIndex + 10 + 20 * apart], bench, with: 0xFF)
        for name in bench.files("snapshots") { try FileSystem.remove("\(bench.state)/snapshots/\(name)") }
        let damaged = bench.bytes(bench.database)
        let report = bench.boot(unclean: true) { $0.keepTables = ["identity"] }
        #expect(report.outcome == .rebuilt, "\(report)")
        let kept = try #require(bench.integer("SELECT count(*) FROM readings"))
        #expect(kept > 1900 && kept < 2000)
        #expect(report.lost?.contains("readings (\(kept) rows kept, \(2000 - kept) lost)") == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE name = 'name ' || id AND value = id * 1.5") == kept)
        #expect(bench.text("SELECT serial FROM identity") == "FL-0001")
        #expect(isSound(bench))
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } == damaged)
        // Suspect it stays.
        let next = bench.boot()
        #expect(next.outcome == .current && next.warnings.first?.contains("suspect") == true, "\(next)")
    }

    /// The rows go through the step that the image brought with it.
    @Test func salvagedRowsAreMigrated() throws {
        let bench = Self.appliance()
        let leaves = try pages(of: "readings", bench, kind: 13).dropFirst(2)
        try overwrite(leaves[leaves.startIndex + 10], bench)
        bench.migrations["2_half.sql"] = "ALTER TABLE readings ADD COLUMN half REAL; UPDATE readings SET half = value / 2; DROP TABLE identity;"
        let report = bench.boot(unclean: true) { $0.onFailure = [.rebuild] }
        #expect(report.outcome == .rebuilt && report.schema == 2, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE half = id * 0.75") ?? 0 > 1900)
        #expect(bench.text("SELECT serial FROM identity") == nil)
    }

    /// Every row can be read, but a page with rows on it is not what it should be.
    @Test func rowsOnADamagedPageAreSuspect() throws {
        let bench = Self.appliance()
        let leaf = try pages(of: "readings", bench, kind: 13)[10]
        // The count of fragmented bytes: no row depends on it, and the check speaks up.
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.database))
        try file.seek(toOffset: UInt64((leaf - 1) * Self.size + 7))
        try file.write(contentsOf: Data([9]))
        try file.close()
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .rebuilt, "\(report)")
        #expect(report.lost?.contains("no row on a damaged page can be trusted") == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE name = 'name ' || id") == 2000)
        #expect(bench.boot().warnings.first?.contains("suspect") == true)
    }

    /// A table's first page points to another table's pages.
    @Test func aTreeThatLeadsElsewhereIsNotTakenForRows() throws {
        let bench = Self.appliance("CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT, value REAL);")
        bench.execute("INSERT INTO other SELECT id, 'other', -1 FROM readings WHERE id < 1900")
        let (mine, theirs) = (try pages(of: "readings", bench, kind: 13), try pages(of: "other", bench, kind: 13))
        let bytes = try #require(bench.bytes(bench.database))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.database))
        try file.seek(toOffset: UInt64((mine[20] - 1) * Self.size))
        try file.write(contentsOf: bytes[(theirs[30] - 1) * Self.size..<theirs[30] * Self.size])
        try file.close()
        let report = bench.boot(unclean: true) { $0.onFailure = [.rebuild] }
        #expect(report.outcome == .rebuilt, "\(report)")
        #expect(report.lost?.contains("readings (") == true, "\(report)")
        #expect(isSound(bench))
    }
}
