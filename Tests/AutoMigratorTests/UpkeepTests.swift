import Foundation
import Linux
import SQLite
import Testing

@testable import AutoMigrator

/// What is done for a database behind READY, and what limits a run.
@Suite struct UpkeepTests {
    private func upkeep(_ bench: Workbench, _ every: SnapshotInterval) throws -> Snapshot? {
        var repository = Repository(name: "app", path: bench.database, migrations: bench.root + "/set")
        repository.snapshotEvery = every
        var boot = RepositoryBoot(repository, reporter: .silent)
        return try boot.snapshotIfDue()
    }

    private func age(_ bench: Workbench, days: Double) throws {
        for name in bench.files("snapshots") {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -days * 86400)], ofItemAtPath: "\(bench.state)/snapshots/\(name)")
        }
    }

    @Test func aSnapshotIsTakenWhenTheNewestIsOldEnough() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        // The application has it open.
        let application = try Database(bench.database, .readWrite)
        try application.execute("SELECT * FROM readings")
        try age(bench, days: 6)
        #expect(try upkeep(bench, .days(7)) == nil)
        try age(bench, days: 8)
        #expect(try upkeep(bench, .never) == nil)
        let snapshot = try #require(try upkeep(bench, .days(7)))
        #expect(try Database(snapshot.path, .immutable).integer("SELECT count(*) FROM readings") == 10)
        #expect(try upkeep(bench, .days(7)) == nil)
        // Nothing has changed since.
        try age(bench, days: 8)
        #expect(try upkeep(bench, .days(7)) == nil)
        #expect(bench.files("snapshots").count == 2)
        #expect(try upkeep(bench, .days(7)) == nil)
    }

    @Test func bootsAreCountedOnceEach() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        #expect(try upkeep(bench, .boots(2)) == nil)
        #expect(try upkeep(bench, .boots(2)) == nil)
        // Another boot.
        let path = bench.state + "/boots"
        let text = try #require(CheckedText.fields(try FileSystem.readText(path)))
        #expect(text["count"] == "1")
        try FileSystem.replace(path, with: CheckedText.text([("count", "1"), ("boot", "another")]), durable: false)
        #expect(try upkeep(bench, .boots(2)) != nil)
        #expect(try upkeep(bench, .boots(2)) == nil)
    }

    /// What is found while the application works is dealt with at the next boot, and pushes out no sound snapshot.
    @Test func damageIsNotSealed() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(5000)
        let sealed = bench.files("snapshots")
        bench.damage(bench.database, at: Int(bench.integer("PRAGMA page_count")! - 2) * 4096, count: 4096)
        try age(bench, days: 8)
        #expect(throws: MigrationError.self) { try upkeep(bench, .days(7)) }
        #expect(bench.files("snapshots") == sealed)
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(bench.boot().outcome == .current)
    }

    /// An endless step is stopped by the boot's own limit, and then rests: a device that takes ten minutes at every boot is no device.
    @Test func aRunThatTakesTooLongIsUndoneAndRests() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_endless.sql"] = "CREATE TABLE b (x); INSERT INTO b WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;"
        var tries = 0
        for _ in 0..<5 {
            let start = Date()
            let report = bench.boot { $0.deadline = 200 }
            #expect(report.outcome == .restored && report.schema == 1, "\(report)")
            if Date().timeIntervalSince(start) >= 0.2 { tries += 1 }
        }
        // At the first boot, the second, the fourth, and next at the eighth.
        #expect(tries == 3)
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'b'") == 0)
    }

    /// Even who only looked at it crashed: it is not opened, and goes to quarantine as it is.
    @Test func aDistrustedDatabaseIsReplacedUnopened() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let before = bench.bytes(bench.database)
        bench.writeMigrations()
        var boot = RepositoryBoot(Repository(name: "app", path: bench.database, migrations: bench.root + "/set"), reporter: .silent)
        let report = boot.run(afterLoss: "signal 11", distrusted: true)
        #expect(report.outcome == .restored && report.lost != nil, "\(report)")
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } == before)
    }

    @Test func quarantineTakesAQuarterOfThePartitionAtMost() throws {
        let bench = Workbench.logger()
        bench.boot()
        let state = RepositoryState(database: bench.database)
        let size = try FileSystem.space(bench.root).total / 10
        for number in 1...4 {
            try FileSystem.makeDirectory("\(state.quarantine)/00000\(number)")
            // Sparse: what counts here is what a file says it is.
            try FileDescriptor.open("\(state.quarantine)/00000\(number)/app.db", .create).truncate(to: size)
        }
        state.pruneQuarantine(keep: 3)
        #expect(state.quarantines().map { Text.name(of: $0) } == ["000003", "000004"])
    }
}
