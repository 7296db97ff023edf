import AutoMigrator
import Foundation
import Linux
import SQLite
import Testing

@Suite struct RepositoryBootTests {
    static let next = [
        "2_add_unit.sql": "-- migrate:up\nALTER TABLE readings ADD COLUMN unit TEXT;\nUPDATE readings SET unit = 'W';\n"
    ]
    static let broken = [
        "2_add_unit.sql":
            "-- migrate:up\nALTER TABLE readings ADD COLUMN unit TEXT;\nUPDATE readings SET value = 0;\nINSERT INTO nowhere VALUES (1);\n"
    ]

    @Test func createsADatabaseWhereThereIsNone() {
        let bench = Workbench.logger()
        let report = bench.boot()
        #expect(report.outcome == .migrated, "\(report)")
        #expect(report.schema == 1)
        #expect(report.lost == nil)
        #expect(bench.integer("SELECT count(*) FROM schema_migrations") == 1)
        #expect(bench.text("SELECT down FROM firstlight_migrations") == "DROP TABLE readings;\nDROP TABLE sensors;")
        #expect(bench.files("").contains("born"))
        #expect(bench.files("snapshots").count == 1)
        #expect(!FileSystem.exists(bench.root + "/data/.app.db.firstlight-new"))
    }

    @Test func aSecondBootIsCurrentAndChangesNoFile() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(100)
        let before = try bench.fingerprint()
        let report = bench.boot()
        #expect(report.outcome == .current, "\(report)")
        #expect(try bench.fingerprint() == before)
    }

    @Test func appliesPendingStepsAndKeepsRows() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(1000)
        bench.migrations.merge(Self.next) { $1 }
        let report = bench.boot()
        #expect(report.outcome == .migrated, "\(report)")
        #expect(report.snapshot?.hasSuffix("schema 1") == true)
        #expect(bench.integer("SELECT count(*) FROM readings WHERE unit = 'W'") == 1000)
        #expect(bench.files("snapshots").count == 2)
    }

    @Test func aFailingStepLeavesSchemaAndRowsAsTheyWere() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(1000)
        let sum = bench.text("SELECT sum(value) FROM readings")
        bench.migrations.merge(Self.broken) { $1 }
        let report = bench.boot()
        #expect(report.outcome == .restored)
        #expect(report.reason?.contains("2_add_unit.sql:4: no such table: nowhere") == true, "\(report)")
        #expect(report.lost == nil)
        #expect(report.schema == 1)
        #expect(report.pending == 1)
        #expect(bench.text("SELECT sum(value) FROM readings") == sum)
        #expect(bench.integer("SELECT count(*) FROM pragma_table_info('readings') WHERE name = 'unit'") == 0)

        bench.migrations.merge(Self.next) { $1 }
        #expect(bench.boot().outcome == .migrated)
    }

    @Test func aFreshDeviceWithABrokenFirstMigrationFailsAndMakesNothing() {
        let bench = Workbench()
        bench.migrations["1_broken.sql"] = "CREATE TABLE a (x);\nCREATE TABEL b (y);\n"
        let report = bench.boot()
        #expect(report.outcome == .failed)
        #expect(report.reason?.contains("1_broken.sql:2: near \"TABEL\": syntax error") == true, "\(report)")
        #expect(!FileSystem.exists(bench.database))
    }

    @Test func aFailureBehindACommittedPartPutsTheSnapshotBack() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(500)
        bench.migrations["2_forget.sql"] = "DELETE FROM readings;"
        bench.migrations["3_vacuum.sql"] = "-- migrate:up transaction:false\nVACUUM;"
        bench.migrations["4_broken.sql"] = "INSERT INTO nowhere VALUES (1);"
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.schema == 1)
        #expect(report.lost == nil)
        #expect(bench.integer("SELECT count(*) FROM readings") == 500)
        #expect(bench.integer("SELECT max(version) FROM schema_migrations") == 1)
        #expect(!bench.files("").contains("intent"))
    }

    @Test func aTableRebuildDoesNotCascade() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(500)
        bench.migrations["2_rebuild.sql"] = """
            CREATE TABLE sensors_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, place TEXT);
            INSERT INTO sensors_new SELECT id, name, NULL FROM sensors;
            DROP TABLE sensors;
            ALTER TABLE sensors_new RENAME TO sensors;
            """
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.integer("SELECT count(*) FROM readings") == 500)
    }

    @Test func aStepThatReliesOnCascadesHasThemOnRequest() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(500)
        bench.migrations["2_drop_meter.sql"] = "-- migrate:up foreign-keys:on\nDELETE FROM sensors WHERE id = 1;"
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.integer("SELECT count(*) FROM readings") == 0)
    }

    @Test func newOrphansFailAMigrationAndOldOnesDoNot() {
        let bench = Workbench.logger()
        bench.boot()
        bench.execute("PRAGMA foreign_keys=OFF; INSERT INTO readings (sensor_id, value) VALUES (77, 1)")
        bench.migrations["2_harmless.sql"] = "CREATE TABLE notes (x);"
        #expect(bench.boot().outcome == .migrated)
        bench.migrations["3_orphans.sql"] = "INSERT INTO readings (sensor_id, value) VALUES (78, 1);"
        let report = bench.boot()
        #expect(report.outcome == .restored)
        #expect(report.reason?.contains("foreign key readings") == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 1)
    }

    @Test func garbageIsReplacedByTheNewestSnapshotThatHolds() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(1000)
        bench.migrations.merge(Self.next) { $1 }
        bench.boot()
        bench.damage(bench.database, at: 0, count: 20_000)
        let garbage = bench.bytes(bench.database)
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.lost?.contains("schema 2") == true)
        #expect(bench.integer("SELECT count(*) FROM readings WHERE unit = 'W'") == 1000)
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } == garbage)
    }

    @Test func anOlderSnapshotIsRestoredAndMigratedWhenTheNewestIsDamaged() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(1000)
        bench.migrations.merge(Self.next) { $1 }
        bench.boot()
        let newest = bench.files("snapshots").last!
        bench.damage("\(bench.state)/snapshots/\(newest)", at: 5000, count: 1)
        bench.damage(bench.database, at: 0, count: 20_000)
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.schema == 2)
        #expect(bench.integer("SELECT count(*) FROM readings WHERE unit = 'W'") == 1000)
    }

    @Test func withoutASnapshotThatHoldsTheDatabaseIsRebuilt() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(1000)
        for name in bench.files("snapshots") { bench.damage("\(bench.state)/snapshots/\(name)", at: 100, count: 8) }
        bench.damage(bench.database, at: 0, count: 20_000)
        let garbage = bench.bytes(bench.database)
        let report = bench.boot()
        #expect(report.outcome == .rebuilt, "\(report)")
        #expect(report.lost?.contains("quarantine") == true)
        #expect(bench.integer("SELECT count(*) FROM readings") == 0)
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } == garbage)
        #expect(bench.boot().outcome == .current)
    }

    @Test func aLostDatabaseIsNotTakenForAFreshOne() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        try! FileSystem.remove(bench.database)
        #expect(bench.boot().outcome == .restored)
        try! "".write(toFile: bench.database, atomically: false, encoding: .utf8)
        #expect(bench.boot().outcome == .restored)
    }

    @Test func aStaleWALDoesNotUndoARestore() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        bench.damage(bench.database, at: 0, count: 4096)
        try! Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: bench.database + "-wal"))
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(!FileSystem.exists(bench.database + "-wal"))
        #expect(FileSystem.exists(report.quarantine! + "/app.db-wal"))
    }

    @Test func anEncryptedDatabaseThatWasNeverOursIsLeftAlone() {
        let bench = Workbench.logger()
        let bytes = Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ 7) })
        try! bytes.write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot()
        #expect(report.outcome == .failed)
        #expect(bench.bytes(bench.database) == bytes)
    }

    @Test func aMissingOrInvalidSetTouchesNothing() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let before = bench.bytes(bench.database)
        bench.migrations = [:]
        let report = bench.boot()
        #expect(report.outcome == .skipped)
        #expect(report.reason?.hasPrefix("no-migrations") == true)
        bench.migrations = ["1_a.sql": "SELECT 1;", "01_b.sql": "SELECT 1;"]
        #expect(bench.boot().reason?.contains("version 1 is also that of") == true)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func aDamagedPageFoundAfterAnUncleanShutdownRestores() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(5000)
        bench.migrations.merge(Self.next) { $1 }
        bench.boot()
        let pages = bench.integer("PRAGMA page_count")!
        bench.damage(bench.database, at: Int(pages - 2) * 4096, count: 4096)
        #expect(bench.boot(unclean: false).outcome == .current)
        let report = bench.boot(unclean: true)
        #expect(report.outcome == .restored, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE unit = 'W'") == 5000)
    }

    @Test func aWALDatabaseIsSnapshotWhole() {
        let bench = Workbench.logger()
        bench.boot()
        bench.execute("PRAGMA journal_mode=WAL")
        bench.addReadings(1000)
        bench.migrations.merge(Self.next) { $1 }
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.text("PRAGMA journal_mode") == "wal")
        bench.damage(bench.database, at: 0, count: 4096)
        #expect(bench.boot().outcome == .restored)
        #expect(bench.integer("SELECT count(*) FROM readings WHERE unit = 'W'") == 1000)
    }

    @Test func afterALostWorkerNoMigrationIsTriedAgain() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations.merge(Self.next) { $1 }
        let report = bench.boot(afterLoss: "signal 11")
        #expect(report.outcome == .restored)
        #expect(report.schema == 1)
        #expect(bench.boot().outcome == .migrated)
    }

    @Test(arguments: [
        ("BEGIN; CREATE TABLE x (a); COMMIT;", "transaction"), ("ATTACH 'other.db' AS o;", "ATTACH"),
        ("PRAGMA writable_schema=ON;", "writable_schema"), ("PRAGMA journal_mode=OFF;", "journal_mode"),
        ("SAVEPOINT s;", "SAVEPOINT"), ("VACUUM;", "VACUUM"), ("VACUUM INTO '/tmp/never';", "VACUUM"),
    ])
    func whatAMigrationMustNotDoIsRefusedWithItsLine(sql: String, word: String) {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_bad.sql"] = "CREATE TABLE fine (x);\n\n-- a comment\n\(sql)\n"
        let report = bench.boot()
        #expect(report.outcome == .restored)
        #expect(report.reason?.contains("2_bad.sql:4:") == true, "\(report)")
        #expect(report.reason?.contains(word) == true, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'fine'") == 0)
    }
}
