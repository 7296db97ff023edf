import Foundation
import Linux
import Testing

@testable import AutoMigrator

/// A restore or a rebuild that a power cut interrupted: the next boot finishes it and tells what it cost.
@Suite struct CutSwapTests {
    @Test func aFinishedRestoreIsToldAsOne() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let snapshot = try #require(try state.snapshots.list().first)
        let told = Told(
            .restored, reason: "damage", lost: "what was written after snapshot \(snapshot.title)", snapshot: snapshot.title)
        try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told).write(to: state)
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.lost == "what was written after snapshot \(snapshot.title)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 0)
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } != nil)
        #expect(bench.boot().outcome == .current)
    }

    /// Mounted elsewhere, or called by another path: what was begun is finished all the same.
    @Test func aCutRestoreIsFinishedWhereverTheDirectoryIs() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let snapshot = try #require(try state.snapshots.list().first)
        let told = Told(.restored, reason: "damage", snapshot: snapshot.title)
        try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told).write(to: state)
        try FileManager.default.moveItem(atPath: bench.root + "/data", toPath: bench.root + "/elsewhere")
        var boot = RepositoryBoot(
            Repository(name: "app", path: bench.root + "/elsewhere/app.db", migrations: bench.root + "/set"), reporter: .silent)
        let report = boot.run()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.quarantine?.hasPrefix(bench.root + "/elsewhere/") == true)
    }

    @Test func aFinishedRebuildIsToldAsOne() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let steps = try MigrationSet(directory: bench.root + "/set").migrations
        let repository = Repository(name: "app", path: bench.database, migrations: "")
        let seal = try FreshDatabase(state: state, repository: repository, steps: steps, reporter: .silent).build()
        try Swap(.replace, state, seal: seal, told: Told(.rebuilt, reason: "damage", lost: "all rows")).write(to: state)
        let report = bench.boot()
        #expect(report.outcome == .rebuilt, "\(report)")
        #expect(report.lost?.contains("all rows") == true)
        #expect(bench.boot().outcome == .current)
    }

    /// The power goes between the last rename and READY: what the restore cost is heard of at the next boot, and once only.
    @Test func aLossIsToldUntilSomebodyHasHeardOfIt() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let snapshot = try #require(try state.snapshots.list().first)
        let told = Told(.restored, reason: "damage", lost: "what came after", snapshot: snapshot.title)
        _ = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told).perform(state)
        let repository = Repository(name: "app", path: bench.database, migrations: bench.root + "/set")
        for _ in 0..<2 {
            var boot = RepositoryBoot(repository, reporter: .silent)
            let report = boot.run()
            #expect(report.outcome == .restored && report.lost == "what came after" && report.untold, "\(report)")
            #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db") } != nil)
        }
        #expect(bench.boot().outcome == .restored)
        #expect(bench.boot().outcome == .current)
    }

    /// The run begins again; that it was cut costs nothing.
    @Test func anUndoneRunIsNoLoss() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        bench.migrations["2_v.sql"] = "-- migrate:up transaction:false\nVACUUM;"
        bench.migrations["3_u.sql"] = "ALTER TABLE readings ADD COLUMN unit TEXT;"
        let state = RepositoryState(database: bench.database)
        let database = bench.database
        let root = bench.root
        // The files as a cut behind the second step would leave them.
        var hooks = Hooks()
        hooks.afterStep = { (progress, _) in
            if progress.step == 1 { try? FileManager.default.copyItem(atPath: root + "/data", toPath: root + "/cut") }
        }
        #expect(bench.boot { $0.hooks = hooks }.outcome == .migrated)
        try FileManager.default.removeItem(atPath: root + "/data")
        try FileManager.default.moveItem(atPath: root + "/cut", toPath: root + "/data")
        #expect(FileSystem.exists(state.intentPath))
        let report = bench.boot()
        #expect(report.outcome == .migrated, "\(report)")
        #expect(report.lost == nil)
        #expect(bench.integer("SELECT count(*) FROM readings WHERE unit IS NULL") == 10)
        #expect(FileSystem.exists(database))
    }
}
