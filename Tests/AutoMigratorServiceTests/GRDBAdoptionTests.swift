#if ServiceLifecycle
import AutoMigrator
import Foundation
import GRDB
import Testing

/// A database that GRDB itself migrated so far.
@Suite struct GRDBAdoptionTests {
    @Test func aDatabaseThatGRDBMigratedIsTakenUp() throws {
        let root = FileManager.default.temporaryDirectory.path + "/firstlight-grdb-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/set", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/data", withIntermediateDirectories: true)
        let path = root + "/data/app.db"
        var grdb = DatabaseMigrator()
        grdb.registerMigration("createPlayer") { db in
            try db.create(table: "player") { t in
                t.autoIncrementedPrimaryKey("id")
                t.column("name", .text).notNull()
            }
        }
        grdb.registerMigration("addScore") { db in
            try db.alter(table: "player") { t in t.add(column: "score", .integer).notNull().defaults(to: 0) }
        }
        // As an application has it: a pool, so that the database is in WAL mode.
        let pool = try DatabasePool(path: path)
        try grdb.migrate(pool)
        try pool.write { db in try db.execute(sql: "INSERT INTO player (name, score) VALUES ('ann', 7)") }
        try pool.close()

        for (name, sql) in [
            "1_createPlayer.sql": "CREATE TABLE player (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);",
            "2_addScore.sql": "ALTER TABLE player ADD COLUMN score INTEGER NOT NULL DEFAULT 0;",
            "3_addTeam.sql": "ALTER TABLE player ADD COLUMN team TEXT;\nUPDATE player SET team = 'red';",
        ] { try sql.write(toFile: "\(root)/set/\(name)", atomically: false, encoding: .utf8) }

        var boot = RepositoryBoot(Repository(name: "app", path: path, migrations: root + "/set"), reporter: .silent)
        let report = boot.run()
        #expect(report.outcome == .migrated, "\(report)")
        let queue = try DatabaseQueue(path: path)
        let row = try queue.read { db in try Row.fetchOne(db, sql: "SELECT name, score, team FROM player") }
        #expect(row == ["name": "ann", "score": 7, "team": "red"])
        // GRDB finds its own table as it left it, and has nothing to do.
        #expect(try queue.read { db in try grdb.hasCompletedMigrations(db) })
        try queue.close()
    }
}
#endif
