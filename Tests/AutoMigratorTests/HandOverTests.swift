import Foundation
import Linux
import SQLite
import Testing

@testable import AutoMigrator

/// A boot that ends without having finished what it began: the application works with the files from then on, and what it writes is neither
/// thrown away in silence nor undone by what was meant for the files of before.
@Suite struct HandOverTests {
    /// A logger with ten rows, and a swap of its database for the snapshot of none that has been begun and not done.
    private func begun(_ told: Told?) throws -> (bench: Workbench, state: RepositoryState, snapshot: Snapshot) {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let snapshot = try #require(try state.snapshots.list().first)
        try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told).write(to: state)
        return (bench, state, snapshot)
    }

    /// As far as (e), so that only the last rename is missing.
    private func move(_ bench: Workbench, _ state: RepositoryState, _ snapshot: Snapshot) throws {
        try FileManager.default.copyItem(atPath: snapshot.path, toPath: state.replacement)
        try FileSystem.makeDirectory("\(state.quarantine)/000009")
        try FileSystem.rename(bench.database, to: "\(state.quarantine)/000009/app.db")
    }

    /// All was done but for the intent's going: what the application wrote, it wrote to the replacement.
    @Test func aReplacementThatWasUsedStays() throws {
        let (bench, state, snapshot) = try begun(Told(.restored, reason: "damage", lost: "what came after"))
        try move(bench, state, snapshot)
        try FileSystem.rename(state.replacement, to: bench.database)
        handOver(bench)
        bench.addReadings(5)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost == "what came after", "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 5)
        #expect(bench.boot().outcome == .current)
    }

    private func handOver(_ bench: Workbench) {
        RepositoryBoot(Repository(name: "app", path: bench.database, migrations: ""), reporter: .silent).handOver()
    }

    @Test func aSwapThatMovedNothingIsGivenUp() throws {
        let (bench, state, _) = try begun(Told(.restored, reason: "damage", lost: "what came after"))
        handOver(bench)
        bench.addReadings(5)
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 15)
        #expect(!FileSystem.exists(state.servedPath) && !FileSystem.exists(state.intentPath) && !FileSystem.exists(state.damagedPath))
    }

    /// The database of before lies in quarantine already; what the application made in its place follows it.
    @Test func whatWasMadeInThePlaceOfAMovedDatabaseIsTold() throws {
        let (bench, state, snapshot) = try begun(nil)
        try move(bench, state, snapshot)
        handOver(bench)
        bench.execute("CREATE TABLE readings (x); INSERT INTO readings VALUES ('of the application')")
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        let quarantine = try #require(report.quarantine)
        #expect(try Database(quarantine + "/app.db", .immutable).text("SELECT x FROM readings") == "of the application")
        #expect(bench.boot().outcome == .current)
    }

    /// Half the steps are committed, the boot's limit came, and the application wrote: the run's snapshot goes back, and this costs something.
    @Test func anUndoneRunThatTheApplicationSawIsALoss() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let snapshot = try #require(try state.snapshots.list().first)
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        handOver(bench)
        #expect(!FileSystem.exists(state.intentPath))
        bench.addReadings(5)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        #expect(report.reason?.contains("earlier boot") == false)
        #expect(bench.boot().outcome == .current)
    }

    /// Cut behind the rewritten intent: it is not taken for the one that was handed over.
    @Test func takingBackSurvivesACut() throws {
        let (bench, state, snapshot) = try begun(nil)
        try move(bench, state, snapshot)
        handOver(bench)
        bench.execute("CREATE TABLE readings (x)")
        let served = try #require(bench.bytes(state.servedPath))
        guard case .intent(let swap) = try Swap.readServed(state) else { return #expect(Bool(false)) }
        _ = try swap.takeBack(state)
        try served.write(to: URL(fileURLWithPath: state.servedPath))
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        #expect(!FileSystem.exists(state.servedPath))
        #expect(bench.boot().outcome == .current)
    }

    /// A boot that fails says itself that the files are the application's now.
    @Test func aBootThatFailsHandsOver() throws {
        let (bench, state, _) = try begun(Told(.restored, reason: "damage", lost: "what came after"))
        let application = try Database(bench.database, .readWrite)
        _ = try application.integer("SELECT count(*) FROM readings")
        let report = bench.boot()
        #expect(report.outcome == .failed && FileSystem.exists(state.servedPath), "\(report)")
        // Nor is it behind READY that it would be finished.
        var repository = Repository(name: "app", path: bench.database, migrations: bench.root + "/set")
        repository.snapshotEvery = .boots(1)
        var upkeep = RepositoryBoot(repository, reporter: .silent)
        #expect(try upkeep.snapshotIfDue() == nil)
        #expect(FileSystem.exists(state.servedPath))
        try application.execute("INSERT INTO sensors (name) VALUES ('another')")
        #expect(try application.integer("SELECT count(*) FROM readings") == 10)
    }

    /// A second supervisor, the application at work in WAL mode: nothing is wrong.
    @Test func anApplicationAtWorkIsNoFailure() throws {
        let bench = Workbench.logger()
        bench.boot()
        let application = try Database(bench.database, .readWrite)
        try application.execute("PRAGMA journal_mode=WAL; INSERT INTO sensors (name) VALUES ('one')")
        #expect(bench.boot().outcome == .current)
        try application.execute("BEGIN IMMEDIATE; INSERT INTO sensors (name) VALUES ('two')")
        #expect(bench.boot().outcome == .current)
        try application.execute("COMMIT")
        #expect(try application.integer("SELECT count(*) FROM sensors") == 2)
    }
}
