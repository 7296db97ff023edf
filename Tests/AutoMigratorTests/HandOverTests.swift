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
        guard case .intent(var swap) = try Swap.read(state) else { return #expect(Bool(false)) }
        swap.replacement = try #require(try FileSystem.status(state.replacement)).inode
        try swap.write(to: state)
        try FileSystem.rename(state.replacement, to: bench.database)
        handOver(bench)
        bench.addReadings(5)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost == "what came after", "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 5)
        #expect(bench.boot().outcome == .current)
    }

    private func handOver(_ bench: Workbench) {
        var boot = RepositoryBoot(Repository(name: "app", path: bench.database, migrations: ""), reporter: .silent)
        boot.handOverUnlessAnotherWorks()
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

    /// A full disk kept the snapshot from going back: half a run is nobody's work, whatever the application has written to it.
    @Test(arguments: [true, false]) func halfARunIsUndoneInsteadOfServedForGood(sawTheApplication: Bool) throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let state = RepositoryState(database: bench.database)
        let snapshot = try #require(try state.snapshots.list().first)
        bench.execute("CREATE TABLE half (x)")
        try Swap(.undo, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        if sawTheApplication {
            handOver(bench)
            bench.addReadings(1)
        }
        let report = bench.boot()
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
        #expect(report.quarantine != nil)
        if sawTheApplication {
            #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        }
        #expect(bench.boot().outcome == .current)
    }

    /// The application made itself another database; that one is not put away for the old one's sake.
    @Test func whatWasToGoIsNotLookedForInTheApplicationsNewDatabase() throws {
        let bench = Workbench.logger()
        bench.boot()
        let state = RepositoryState(database: bench.database)
        try Swap(.setAside, state).write(to: state)
        try FileSystem.makeDirectory("\(state.quarantine)/000009")
        try FileSystem.rename(bench.database, to: "\(state.quarantine)/000009/app.db")
        handOver(bench)
        // A history of its own: else it is not taken for the appliance's.
        bench.execute("CREATE TABLE own (x); INSERT INTO own VALUES (1), (2); CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT)")
        bench.boot()
        #expect(bench.integer("SELECT count(*) FROM own") == 2)
        #expect(!FileSystem.exists(state.servedPath))
    }

    /// The WAL had moved before the boot ended, the database not, and there was no way back: nobody can put the two together again.
    @Test func aSidecarThatHadMovedIsTold() throws {
        let (bench, state, snapshot) = try begun(nil)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: bench.database + "-wal"))
        let swap = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal)
        try swap.write(to: state)
        let quarantine = try state.makeQuarantine(swap.sequence)
        try FileSystem.rename(bench.database + "-wal", to: quarantine + "/app.db-wal")
        try FileSystem.rename(state.intentPath, to: state.servedPath)
        bench.addReadings(5)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost == "what \(quarantine)/app.db-wal had", "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 15)
        #expect(bench.boot().lost == nil)
    }

    /// The record of what is lost goes when somebody has read it, not when there is another one.
    @Test func aSecondLossDoesNotHideTheFirst() throws {
        let (bench, state, snapshot) = try begun(Told(.restored, reason: "damage", lost: "the first rows"))
        guard case .intent(let first) = try Swap.read(state) else { return #expect(Bool(false)) }
        _ = try first.finish(state)
        #expect(FileSystem.exists(state.untoldPath))
        for (index, told) in [Told(.restored, reason: "damage", lost: "the second rows"), Told(.restored, reason: "undone")].enumerated() {
            let swap = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told)
            #expect(swap.told?.lost == (index == 0 ? "the second rows; also: the first rows" : "the first rows"))
        }
        // And by the whole way: the database is no database any more.
        bench.damage(bench.database, at: 0, count: 9000)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("the first rows") == true && report.lost != "the first rows", "\(report)")
    }

    /// What somebody else is in the middle of is not what this boot has left.
    @Test func anothersIntentIsLeftToIt() throws {
        let (bench, state, _) = try begun(nil)
        let lock = try state.lock()
        let report = bench.boot()
        #expect(report.outcome == .failed && FileSystem.exists(state.intentPath) && !FileSystem.exists(state.servedPath), "\(report)")
        _ = consume lock
    }

    /// A passing error begins the boot anew, and what the first beginning made of the directory is not the life of a database.
    @Test func whatIsPreparedHasNotLived() throws {
        let bench = Workbench()
        bench.execute("CREATE TABLE t (x)")
        let repository = Repository(name: "app", path: bench.database, migrations: "")
        for _ in 0..<2 {
            var boot = RepositoryBoot(repository, reporter: .silent)
            try boot.prepareForSteps()
            #expect(boot.livedBefore == false)
        }
        let state = RepositoryState(database: bench.database)
        try state.markBorn()
        var boot = RepositoryBoot(repository, reporter: .silent)
        try boot.prepareForSteps()
        #expect(boot.livedBefore == true)
    }

    /// A supervisor that was started again, and damage: the files stay where the application has them.
    @Test func aDatabaseThatIsWorkedWithIsNotMoved() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(2000)
        bench.damage(bench.database, at: 0, count: 9000)
        let before = try #require(bench.bytes(bench.database))
        let application = try FileDescriptor.open(bench.database, .readWrite)
        let report = bench.boot()
        #expect(report.outcome == .failed && report.quarantine == nil, "\(report)")
        #expect(bench.bytes(bench.database) == before)
        _ = consume application
        #expect(bench.boot().outcome == .restored)
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
