import AutoMigrator
import Foundation
import Linux
import SQLite
import Testing

/// Databases that another tool migrated so far, made with that tool's own statements.
@Suite struct AdoptionTests {
    /// Three steps, of which the other tool has applied the first two.
    private static func bench(history: String) -> Workbench {
        let bench = Workbench()
        bench.migrations = [
            "1_users.sql": "-- migrate:up\nCREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n-- migrate:down\nDROP TABLE users;",
            "2_mail.sql": "-- migrate:up\nALTER TABLE users ADD COLUMN mail TEXT;\n-- migrate:down\nALTER TABLE users DROP COLUMN mail;",
            "3_posts.sql": "-- migrate:up\nCREATE TABLE posts (id INTEGER PRIMARY KEY);\n-- migrate:down\nDROP TABLE posts;",
        ]
        bench.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, mail TEXT); INSERT INTO users VALUES (1, 'ann', 'a@b');")
        bench.execute(history)
        return bench
    }

    /// ecto_sqlite3, lib/ecto/adapters/sqlite3/connection.ex; ecto_sql, migration/schema_migration.ex.
    static let ecto = """
        CREATE TABLE IF NOT EXISTS "schema_migrations" ("version" INTEGER PRIMARY KEY, "inserted_at" TEXT_DATETIME);
        INSERT INTO schema_migrations VALUES (1, '2024-02-05T09:00:00'), (2, '2024-02-06T09:00:00');
        """
    /// dbmate, pkg/driver/sqlite/sqlite.go.
    static let dbmate = """
        CREATE TABLE IF NOT EXISTS "schema_migrations" (version varchar(128) primary key);
        INSERT INTO "schema_migrations" (version) VALUES ('1'), ('2');
        """
    /// golang-migrate, database/sqlite3/sqlite3.go.
    static let golangMigrate = """
        CREATE TABLE IF NOT EXISTS schema_migrations (version uint64,dirty bool);
        CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON schema_migrations (version);
        INSERT INTO schema_migrations (version, dirty) VALUES (2, false);
        """
    /// goose, database/dialect/sqlite3.go; version 2 was undone and done again.
    static let goose = """
        CREATE TABLE goose_db_version (
            id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL,
            tstamp TIMESTAMP DEFAULT (datetime('now')));
        INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1), (2, 0), (2, 1), (3, 1), (3, 0);
        """
    /// GRDB, GRDB/Migration/DatabaseMigrator.swift.
    static let grdb = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('users'), ('2_mail');
        """

    @Test(arguments: [("ecto", ecto), ("dbmate", dbmate), ("golang-migrate", golangMigrate), ("goose", goose), ("grdb", grdb)])
    func itsHistoryCountsAndNothingIsLost(tool: String, history: String) throws {
        for policy in [Adopt.auto, Adopt(text: tool)!] {
            let bench = Self.bench(history: history)
            #expect(try bench.plan { $0.adopt = policy }.pending.map { $0.version } == [3])
            let report = bench.boot { $0.adopt = policy }
            #expect(report.outcome == .migrated, "\(tool): \(report)")
            #expect(report.schema == 3)
            #expect(bench.text("SELECT name || mail FROM users") == "anna@b")
            #expect(bench.text("SELECT group_concat(version) FROM (SELECT version FROM schema_migrations ORDER BY 1)") == "1,2,3")
            #expect(bench.text("SELECT group_concat(type, ' ') FROM pragma_table_info('schema_migrations') WHERE pk")?.hasPrefix("INTEGER") == true)
            #expect(bench.boot { $0.adopt = policy }.outcome == .current)
            // Every row of the other tool's is still there.
            let rows = ["ecto": 2, "dbmate": 2, "golang-migrate": 1, "goose": 7, "grdb": 2][tool]!
            let table = [
                "dbmate": "schema_migrations_dbmate", "golang-migrate": "schema_migrations_golang_migrate", "goose": "goose_db_version",
                "grdb": "grdb_migrations", "ecto": "schema_migrations WHERE inserted_at LIKE '2024-%'",
            ][tool]!
            #expect(bench.integer("SELECT count(*) FROM \(table)") == Int64(rows), "\(tool)")
        }
    }

    @Test(arguments: [("ecto", ecto), ("dbmate", dbmate), ("golang-migrate", golangMigrate), ("goose", goose), ("grdb", grdb)])
    func whereNothingIsPendingNothingIsTouched(tool: String, history: String) throws {
        let bench = Self.bench(history: history)
        bench.migrations["3_posts.sql"] = nil
        let before = bench.bytes(bench.database)
        #expect(bench.boot().outcome == .current, "\(tool)")
        #expect(bench.bytes(bench.database) == before)
    }

    @Test(arguments: [("dbmate", dbmate), ("golang-migrate", golangMigrate)])
    func aForeignTableIsLeftAloneWhereNothingIsToBeAdopted(tool: String, history: String) {
        for policy in [Adopt.none, .ecto, .goose] {
            let bench = Self.bench(history: history)
            let before = bench.bytes(bench.database)
            let report = bench.boot { $0.adopt = policy }
            #expect(report.outcome == .failed)
            #expect(report.reason?.contains("\(tool)'s shape") == true, "\(report)")
            #expect(bench.bytes(bench.database) == before)
        }
    }

    @Test func anUnknownShapeIsNeverGuessed() {
        let bench = Self.bench(history: "CREATE TABLE schema_migrations (id TEXT, applied INT)")
        let before = bench.bytes(bench.database)
        #expect(bench.boot().reason?.contains("the columns id, applied") == true)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func twoHistoriesAskWhichOne() {
        let bench = Self.bench(history: Self.goose + Self.grdb)
        #expect(bench.boot().reason?.contains("goose and grdb") == true)
        #expect(bench.boot { $0.adopt = .goose }.outcome == .migrated)
    }

    @Test func aNameThatGRDBUsedAndTheImageDoesNotIsAnError() {
        let bench = Self.bench(history: Self.grdb + "INSERT INTO grdb_migrations VALUES ('secret');")
        #expect(bench.boot().reason?.contains("GRDB applied \"secret\"") == true)
    }

    /// golang-migrate sets the flag before a step and clears it after: a kill in between leaves it set, whatever became of the step.
    @Test(arguments: [true, false])
    func aDirtyFlagIsResolvedByTheSchema(applied: Bool) {
        let bench = Self.bench(history: Self.golangMigrate)
        bench.execute("UPDATE schema_migrations SET dirty = true, version = 3")
        if applied { bench.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY); INSERT INTO posts VALUES (9)") }
        let report = bench.boot()
        #expect(report.outcome == (applied ? .current : .migrated), "\(report)")
        #expect(bench.integer("SELECT count(*) FROM posts") == (applied ? 1 : 0))
    }

    @Test func aDirtyStepThatIsHalfThereIsLeftAlone() {
        let bench = Self.bench(history: Self.golangMigrate)
        bench.migrations["3_posts.sql"] = "CREATE TABLE posts (id INTEGER PRIMARY KEY); CREATE TABLE tags (id INTEGER PRIMARY KEY);"
        bench.execute("UPDATE schema_migrations SET dirty = true, version = 3; CREATE TABLE posts (id INTEGER PRIMARY KEY)")
        let before = bench.bytes(bench.database)
        let report = bench.boot()
        #expect(report.outcome == .failed)
        #expect(report.reason?.contains("left step 3 half done: 1 of its changes to the schema are there and 1 are not") == true, "\(report)")
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func ectoGoesOnWithOurRowsAndWeWithItsOwn() {
        let bench = Self.bench(history: Self.ecto)
        bench.boot()
        // As Ecto.Migrator's down and up of step 3 do.
        bench.execute("DROP TABLE posts; DELETE FROM schema_migrations WHERE version = 3")
        #expect(bench.integer("SELECT count(*) FROM firstlight_migrations") == 0)
        bench.execute(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO schema_migrations VALUES (3, '2026-01-01T00:00:00')")
        #expect(bench.boot().outcome == .current)
        // What Ecto did is not ours to undo by our old down.
        bench.migrations["3_posts.sql"] = nil
        let back = bench.boot()
        #expect(back.reason?.contains("step 3 has no stored down") == true, "\(back)")
        #expect(back.quarantine.flatMap { bench.bytes($0 + "/app.db") } != nil)
    }

    @Test func aDowngradeAfterAnAdoptionKeepsTheRows() {
        let bench = Self.bench(history: Self.dbmate)
        bench.boot()
        bench.migrations["3_posts.sql"] = nil
        #expect(bench.boot().outcome == .downgraded)
        #expect(bench.text("SELECT name FROM users") == "ann")
    }
}
