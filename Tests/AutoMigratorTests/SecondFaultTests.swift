import Foundation
import Linux
import SQLite
import Testing

@testable import AutoMigrator

/// A boot fails, the application goes on with what it finds, and the next boot fails as well, or finds what it needs damaged: nothing is given up
/// in silence, and what one fault cost is not hidden by another.
@Suite struct SecondFaultTests {
    /// A logger and a snapshot of all its rows.
    private func logger(rows: Int = 10) throws -> (bench: Workbench, state: RepositoryState, snapshot: Snapshot) {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(rows)
        var boot = boot(bench)
        return (bench, RepositoryState(database: bench.database), try boot.snapshot())
    }

    /// A boot whose report nobody hears, unless it is acknowledged.
    private func boot(
        _ bench: Workbench, progress: @escaping (String) -> Void = { _ in }, change: (inout Repository) -> Void = { _ in }
    ) -> RepositoryBoot {
        bench.writeMigrations()
        var repository = Repository(name: "app", path: bench.database, migrations: bench.root + "/set")
        change(&repository)
        return RepositoryBoot(repository, reporter: Reporter(log: Log { _, _ in }, progress: { _, step, _ in progress(step) }))
    }

    /// A boot that can put no snapshot in place.
    private func failingBoot(_ bench: Workbench, _ state: RepositoryState) -> RepositoryReport {
        var boot = boot(bench, progress: { if $0.hasPrefix("restore snapshot") { _ = try? FileSystem.makeDirectory(state.replacement) } })
        return boot.run()
    }

    /// All is done but for the last rename: the database lies in quarantine, and its place is free.
    /// - Returns: the quarantine.
    private func moved(
        _ operation: Swap.Operation, _ state: RepositoryState, _ snapshot: Snapshot, _ told: Told? = nil
    ) throws -> String {
        let swap = try Swap(operation, state, source: snapshot.path, seal: snapshot.seal, told: told)
        try swap.write(to: state)
        try FileManager.default.copyItem(atPath: snapshot.path, toPath: state.replacement)
        let quarantine = try state.makeQuarantine(swap.sequence)
        try FileSystem.rename(state.database, to: quarantine + "/app.db")
        return quarantine
    }

    /// As a boot does at its end.
    private func handOver(_ bench: Workbench) {
        var boot = boot(bench)
        boot.handOverUnlessAnotherWorks()
    }

    /// The boot ends, and nothing could be moved back.
    private func handOverAsItIs(_ state: RepositoryState) throws { try FileSystem.rename(state.intentPath, to: state.servedPath) }

    /// A restore that is done, and of which nobody has heard.
    private func restoreUnheard(_ state: RepositoryState, _ snapshot: Snapshot, lost: String = "the first rows") throws {
        let told = Told(.restored, reason: "damage", lost: lost)
        _ = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: told).perform(state)
    }

    /// The application finds no database and makes itself one, and a crash may leave it with a WAL.
    private func makeOwn(_ bench: Workbench, withWAL: Bool = false) throws {
        let elsewhere = bench.root + "/elsewhere.db"
        let application = try Database(elsewhere, .create)
        try application.execute("PRAGMA journal_mode=\(withWAL ? "WAL" : "DELETE"); CREATE TABLE own (x); INSERT INTO own VALUES (1), (2), (3)")
        for suffix in withWAL ? ["", "-wal"] : [""] {
            try FileManager.default.copyItem(atPath: elsewhere + suffix, toPath: bench.database + suffix)
        }
    }

    /// What is in that database, wherever it lies in quarantine.
    private func ownRows(_ bench: Workbench) -> Int64? {
        for place in bench.files("quarantine") {
            guard let database = try? Database("\(bench.state)/quarantine/\(place)/app.db", .readWrite) else { continue }
            if let rows = try? database.integer("SELECT count(*) FROM own") { return rows }
        }
        return nil
    }

    private func readings(_ bench: Workbench) -> Int64? { bench.integer("SELECT count(*) FROM readings") }

    // ---- A database that the application made meanwhile ----

    /// Whatever fails before there is an intent leaves no record: the application's database has no history, and a snapshot shows that there was one.
    @Test func aDatabaseMadeBehindAFailedBootDoesNotHideTheSnapshot() throws {
        let (bench, state, _) = try logger()
        try FileSystem.remove(bench.database)
        let lock = try state.lock()
        #expect(bench.boot().outcome == .failed)
        _ = consume lock
        try makeOwn(bench)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.hasPrefix("what was written after snapshot") == true, "\(report)")
        #expect(readings(bench) == 10 && ownRows(bench) == 3)
        #expect(bench.boot().outcome == .current)
    }

    /// Sidecars without a database were to go to quarantine, and the boot ended before it.
    @Test func norDoesOneMadeBehindAnUnfinishedSettingAside() throws {
        let (bench, state, _) = try logger()
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: bench.database + "-wal"))
        try FileSystem.remove(bench.database)
        try Swap(.setAside, state).write(to: state)
        handOver(bench)
        try FileSystem.remove(bench.database + "-wal")
        try makeOwn(bench)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.hasPrefix("what was written after snapshot") == true, "\(report)")
        #expect(readings(bench) == 10 && ownRows(bench) == 3)
        #expect(!FileSystem.exists(state.servedPath) && bench.boot().outcome == .current)
    }

    /// It is not the file that was to move, and is none the more the snapshot: gone from the start, or deleted by the application as unreadable.
    @Test(arguments: [true, false]) func whatIsNotTheOldDatabaseIsNotTakenForTheSnapshot(isDamaged: Bool) throws {
        let (bench, state, _) = try logger()
        if isDamaged { bench.damage(bench.database, at: 0, count: 9000) } else { try FileSystem.remove(bench.database) }
        #expect(failingBoot(bench, state).outcome == .failed && FileSystem.exists(state.servedPath))
        // Kept elsewhere, so that the new one's inode is another.
        if isDamaged { try FileSystem.rename(bench.database, to: bench.root + "/damaged") }
        try makeOwn(bench)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        #expect(readings(bench) == 10 && ownRows(bench) == 3)
        #expect(bench.boot().outcome == .current)
    }

    /// Moved, handed over, taken back, and handed over again: the inode on record is the application's by now, and the old database is still away.
    @Test func aSwapThatIsHandedOverTwiceIsNotGivenUp() throws {
        let (bench, state, snapshot) = try logger()
        let quarantine = try moved(.replace, state, snapshot, Told(.restored, reason: "damage", lost: "what came after"))
        try handOverAsItIs(state)
        try makeOwn(bench)
        guard case .intent(let served) = try Swap.readServed(state) else { return #expect(Bool(false)) }
        #expect(try served.takeBack(state) != nil)
        try handOverAsItIs(state)
        bench.execute("INSERT INTO own VALUES (4)")
        let report = bench.boot()
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.lost?.hasPrefix("what came after; also: what the application wrote") == true, "\(report)")
        #expect(readings(bench) == 10 && ownRows(bench) == 4)
        #expect(try Database(quarantine + "/app.db", .immutable).integer("SELECT count(*) FROM readings") == 10)
        #expect(bench.boot().outcome == .current)
    }

    /// Beside the old database it would be played into that, and the application's own would be without it.
    @Test(arguments: [true, false]) func aWALStaysWithItsDatabase(oldHadOne: Bool) throws {
        let (bench, state, snapshot) = try logger()
        let quarantine = try moved(.replace, state, snapshot)
        if oldHadOne { try Data([1]).write(to: URL(fileURLWithPath: quarantine + "/app.db-wal")) }
        try handOverAsItIs(state)
        try makeOwn(bench, withWAL: true)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        #expect(try FileSystem.list(quarantine).sorted() == (oldHadOne ? ["app.db", "app.db-wal"] : ["app.db"]))
        #expect(readings(bench) == 10 && ownRows(bench) == 3)
        #expect(try Database(quarantine + "/app.db", .immutable).integer("SELECT count(*) FROM readings") == 10)
    }

    /// What was built has been damaged since, and the old database cannot go back where another one is: where it lies is said.
    @Test func aSwapThatIsGivenUpBehindTheMoveSaysWhereTheOldDatabaseIs() throws {
        let (bench, state, _) = try logger()
        try FileManager.default.copyItem(atPath: bench.database, toPath: state.replacement)
        let seal = Seal(size: try #require(try FileSystem.status(state.replacement)).size, checksum: 1, schema: 1, tables: 3)
        let swap = try Swap(.replace, state, seal: seal, told: Told(.rebuilt, reason: "damage", lost: "readings (9 rows kept, 1 lost)"))
        try swap.write(to: state)
        let quarantine = try state.makeQuarantine(swap.sequence)
        try FileSystem.rename(bench.database, to: quarantine + "/app.db")
        try handOverAsItIs(state)
        try makeOwn(bench)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("the database of before; it is in \(quarantine)") == true, "\(report)")
        #expect(try Database(quarantine + "/app.db", .immutable).integer("SELECT count(*) FROM readings") == 10)
        #expect(readings(bench) == 10 && ownRows(bench) == 3)
        #expect(bench.boot().outcome == .current)
    }

    /// The journal had moved and the database had not: together they are the last commit, and apart half of a transaction.
    @Test func aHotJournalGoesBackToItsDatabase() throws {
        let (bench, state, snapshot) = try logger(rows: 3000)
        let half = bench.root + "/half.db"
        do {
            let application = try Database(bench.database, .readWrite)
            try application.execute("PRAGMA cache_size=2; PRAGMA cache_spill=1; BEGIN; UPDATE readings SET value = -1")
            for suffix in ["", "-journal"] { try FileManager.default.copyItem(atPath: bench.database + suffix, toPath: half + suffix) }
            try application.execute("ROLLBACK")
        }
        for suffix in ["", "-journal"] { try FileSystem.rename(half + suffix, to: bench.database + suffix) }
        let swap = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal, told: Told(.restored, reason: "crash", lost: "all"))
        try swap.write(to: state)
        let quarantine = try state.makeQuarantine(swap.sequence)
        try FileSystem.rename(bench.database + "-journal", to: quarantine + "/app.db-journal")
        handOver(bench)
        #expect(FileSystem.exists(bench.database + "-journal") && !FileSystem.exists(quarantine + "/app.db-journal"))
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings WHERE value < 0") == 0 && readings(bench) == 3000)
    }

    // ---- What nobody has heard of ----

    /// The restore went well, the steps behind it did not, and their undoing neither: the one record takes the other's place.
    @Test func whatARestoreCostIsToldBehindAnUndoing() throws {
        let (bench, state, _) = try logger()
        bench.addReadings(5)
        bench.migrations["2_half.sql"] = "-- migrate:up transaction:false\nCREATE TABLE half (x);\nSELECT nonsense FROM nowhere;"
        bench.damage(bench.database, at: 0, count: 9000)
        let replacement = state.replacement
        var failing = boot(bench, change: { $0.hooks.afterRun = { if $0 != nil { _ = try? FileSystem.makeDirectory(replacement) } } })
        #expect(failing.run().outcome == .failed && FileSystem.exists(state.servedPath))
        bench.execute("INSERT INTO sensors (name) VALUES ('of the application')")
        let report = bench.boot()
        #expect(report.lost?.contains("what was written after snapshot") == true, "\(report)")
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
        #expect(readings(bench) == 10 && bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
        #expect(bench.boot().lost == nil)
    }

    @Test func whatNobodyHasHeardOfSurvivesTakingBack() throws {
        let (bench, state, snapshot) = try logger()
        try restoreUnheard(state, snapshot)
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        handOver(bench)
        bench.addReadings(3)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.hasSuffix("; also: the first rows") == true, "\(report)")
        #expect(report.lost?.hasPrefix("what the application wrote") == true, "\(report)")
        #expect(readings(bench) == 10)
        #expect(bench.boot().outcome == .current)
    }

    /// Steps run over damage that cannot be mended: what cannot be read is not all there is to tell.
    @Test func whatCannotBeReadDoesNotHideAnEarlierLoss() throws {
        let (bench, state, snapshot) = try logger(rows: 3000)
        try restoreUnheard(state, snapshot)
        // A row behind one that is larger: nothing but the check minds, and not all can be copied.
        let leaf = "SELECT pageno FROM dbstat WHERE name = 'readings' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 4"
        let at = (Int(try #require(bench.integer(leaf))) - 1) * 4096
        var bytes = try #require(bench.bytes(bench.database))
        let cell = at + Int(bytes[at + 8 + 20]) << 8 + Int(bytes[at + 8 + 21])
        bytes[cell + 2] ^= 0x7F
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
        let report = bench.boot()
        #expect(report.schema == 2 && report.lost?.hasPrefix("readings (") == true, "\(report)")
        #expect(report.lost?.hasSuffix("; also: the first rows") == true, "\(report)")
        #expect(bench.boot().lost == nil)
    }

    @Test func aRestoreOnRequestTellsWhatNobodyHasHeardOf() throws {
        let (bench, state, snapshot) = try logger()
        try restoreUnheard(state, snapshot)
        bench.addReadings(5)
        var boot = boot(bench)
        let report = boot.restore(snapshot)
        let quarantine = try #require(report.quarantine)
        #expect(report.outcome == .restored, "\(report)")
        #expect(report.lost == "what was written after it; that is in \(quarantine); also: the first rows", "\(report)")
        #expect(try Database(quarantine + "/app.db", .immutable).integer("SELECT count(*) FROM readings") == 15)
        boot.acknowledge()
        #expect(bench.boot().outcome == .current && readings(bench) == 10)
    }

    /// A report that was made while another process had the lock says nothing of the record, and leaves it.
    @Test func onlyWhatAReportSaysIsAcknowledged() throws {
        struct Migrator: AutoMigrator { let repositories: [Repository] }
        let (bench, state, snapshot) = try logger()
        try restoreUnheard(state, snapshot)
        let migrator = Migrator(repositories: [Repository(name: "app", path: bench.database, migrations: bench.root + "/set")])
        let lock = try state.lock()
        let first = migrator.migrateAll()[0]
        #expect(first.outcome == .failed && first.lost == nil && FileSystem.exists(state.untoldPath), "\(first)")
        _ = consume lock
        let second = migrator.migrateAll()[0]
        #expect(second.outcome == .restored && second.lost == "the first rows", "\(second)")
        #expect(migrator.migrateAll()[0].outcome == .current && !FileSystem.exists(state.untoldPath))
    }

    /// A restore, an older image and the newer one again, and nobody heard of any: only what the older one's boot put away is back.
    @Test func aPinnedDatabaseThatReturnsKeepsAnEarlierLoss() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        bench.migrations["2_more.sql"] = "-- migrate:up\nCREATE TABLE more (x);"
        bench.boot()
        bench.addReadings(20)
        bench.damage(bench.database, at: 0, count: 9000)
        var restoring = boot(bench)
        let lost = try #require(restoring.run().lost)
        bench.migrations["2_more.sql"] = nil
        var older = boot(bench)
        let down = older.run()
        #expect(down.lost?.contains("kept for the newer image") == true && down.lost?.hasSuffix("; also: \(lost)") == true, "\(down)")
        bench.migrations["2_more.sql"] = "-- migrate:up\nCREATE TABLE more (x);"
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost == lost && report.schema == 2, "\(report)")
        #expect(readings(bench) == 10)
        let next = bench.boot()
        #expect(next.outcome == .current && next.lost == nil, "\(next)")
    }

    /// One loss may be part of another's text.
    @Test func lossesAreComparedAsAWhole() {
        let later = Told(.restored, reason: "", lost: "sensor_readings (3 rows kept, 1 lost)")
        let earlier = Told(.restored, reason: "", lost: "readings (3 rows kept, 1 lost)")
        let both = later.joined(with: earlier)
        #expect(both.lost == "sensor_readings (3 rows kept, 1 lost); also: readings (3 rows kept, 1 lost)")
        #expect(both.joined(with: earlier).lost == both.lost && later.joined(with: both).lost == both.lost)
    }

    @Test func noLossIsCutOffByALongOne() throws {
        let (bench, state, snapshot) = try logger()
        try restoreUnheard(state, snapshot)
        let long = (0..<120).map { "table_with_a_name_\($0) (\($0) rows kept, 1 lost)" }.joined(separator: ", ")
        try restoreUnheard(state, snapshot, lost: long)
        var report = bench.boot()
        #expect(report.lost?.hasPrefix("table_with_a_name_0 (") == true && report.lost?.hasSuffix("; also: the first rows") == true, "\(report)")
        report.lost = Told.joined(long, "the first rows")
        #expect(report.bounded.lost?.hasPrefix("table_with_a_name_0 (") == true && report.bounded.lost?.hasSuffix("; also: the first rows") == true)
    }

    /// That there was a loss is known, though not which.
    @Test func aRecordThatIsDamagedIsToldAsOne() throws {
        let (bench, state, snapshot) = try logger()
        try restoreUnheard(state, snapshot)
        bench.damage(state.untoldPath, at: 20, count: 1)
        let report = bench.boot()
        #expect(report.untold && report.warnings.contains { $0.contains("what an earlier boot had to give up, is damaged") }, "\(report)")
        #expect(readings(bench) == 10)
        #expect(bench.boot().warnings.isEmpty && !FileSystem.exists(state.untoldPath))
    }

    // ---- What cannot be carried out ----

    /// A repaired filesystem has put the snapshot in lost+found: the old database is back, and no boot fails for it.
    @Test(arguments: [(Swap.Operation.run, false), (.undo, false), (.undo, true), (.replace, false), (.replace, true)])
    func aSourceThatIsGoneIsGivenUp(operation: Swap.Operation, hasMoved: Bool) throws {
        let (bench, state, snapshot) = try logger()
        if hasMoved {
            _ = try moved(operation, state, snapshot)
            try FileSystem.remove(state.replacement)
        } else {
            try Swap(operation, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        }
        try FileSystem.remove(snapshot.path)
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil, "\(report)")
        #expect(report.warnings.contains { $0.contains("half a run of migrations") } == (operation != .replace), "\(report)")
        #expect(readings(bench) == 10 && !FileSystem.exists(state.intentPath))
        #expect(bench.boot().warnings.isEmpty)
    }

    /// What the first statement did stays, since nothing else is there.
    @Test func halfARunWithoutItsSnapshotIsToldAsOne() throws {
        let (bench, state, snapshot) = try logger()
        bench.migrations["2_rename.sql"] = "-- migrate:up transaction:false\nALTER TABLE sensors RENAME TO devices;\nCREATE TABLE more (x);"
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        bench.execute("ALTER TABLE sensors RENAME TO devices")
        bench.damage(snapshot.path, at: 5000, count: 8)
        let report = bench.boot()
        #expect(report.warnings.contains { $0.hasPrefix("half a run of migrations is in the database") }, "\(report)")
        #expect(report.outcome != .failed && readings(bench) == 10 && !FileSystem.exists(state.intentPath), "\(report)")
    }

    /// On a full disk the older quarantines go before what is begun is left undone.
    @Test func roomIsMadeForWhatIsFinished() throws {
        let (bench, state, snapshot) = try logger()
        for sequence in [7, 8] as [Int64] {
            let file = try FileDescriptor.open(try state.makeQuarantine(sequence) + "/app.db", .create)
            #expect(ftruncate(file.raw, 4 << 30) == 0)
        }
        // More than there is, and less than there is with the older one.
        let size = try FileSystem.space(bench.root).available + (2 << 30)
        let seal = Seal(size: size, checksum: snapshot.seal.checksum, schema: 1, tables: snapshot.seal.tables)
        try Swap(.replace, state, source: snapshot.path, seal: seal).write(to: state)
        let report = bench.boot()
        #expect(bench.logged.contains { $0.contains("\(state.quarantinePath(7)) goes to make room") }, "\(bench.logged)")
        #expect(report.outcome == .current && readings(bench) == 10, "\(report)")
    }

    /// A directory in the name of a record, as a repaired filesystem may have it.
    @Test(arguments: ["intent.new", "damaged"]) func whatStandsInARecordsNameIsNoReasonToFail(name: String) throws {
        let (bench, state, snapshot) = try logger()
        if name == "damaged" {
            try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
            handOver(bench)
        } else {
            bench.damage(bench.database, at: 0, count: 9000)
        }
        try FileSystem.makeDirectory("\(state.directory)/\(name)")
        let report = bench.boot()
        #expect(report.outcome == (name == "damaged" ? .current : .restored) && (report.lost == nil) == (name == "damaged"), "\(report)")
        #expect(report.warnings.contains { $0.contains("\(name).stranger") }, "\(report)")
        #expect(readings(bench) == 10 && !FileSystem.exists(state.servedPath) && !FileSystem.exists(state.intentPath))
        #expect(bench.boot().outcome == .current)
    }

    /// The older image's database is damaged, and the newest snapshot is of a schema that it cannot work with.
    @Test func anOlderImageRestoresWhatItKnows() throws {
        let (bench, _, _) = try logger()
        bench.migrations["2_more.sql"] = "-- migrate:up\nCREATE TABLE more (x);"
        bench.boot()
        bench.addReadings(5)
        bench.migrations["2_more.sql"] = nil
        #expect(bench.boot().outcome == .downgraded)
        bench.damage(bench.database, at: 0, count: 9000)
        let damaged = bench.boot()
        #expect(damaged.outcome == .restored && damaged.lost != nil && damaged.schema == 1 && damaged.wanted == 1, "\(damaged)")
        #expect(readings(bench) == 10)
        #expect(bench.boot().outcome == .current)
        // What was put away for the newer one is still that one's.
        bench.migrations["2_more.sql"] = "-- migrate:up\nCREATE TABLE more (x);"
        let report = bench.boot()
        #expect(report.schema == 2 && readings(bench) == 15, "\(report)")
    }

    // ---- Handing over ----

    /// Another process works, and the upkeep behind READY says that the boot's files are the application's.
    @Test func anothersIntentIsNotHandedOver() throws {
        let (bench, state, snapshot) = try logger()
        let lock = try state.lock()
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        #expect(bench.boot().outcome == .failed)
        #expect(boot(bench).handOver() == nil)
        #expect(FileSystem.exists(state.intentPath) && !FileSystem.exists(state.servedPath))
        // It ends well.
        try Swap.clear(state)
        _ = consume lock
        bench.addReadings(100)
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil && readings(bench) == 110, "\(report)")
    }

    /// The application did not start, or only read.
    @Test func whereNothingWasWrittenNothingIsLost() throws {
        let (bench, state, snapshot) = try logger()
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        handOver(bench)
        #expect(readings(bench) == 10)
        let report = bench.boot()
        #expect(report.outcome <= .migrated && report.lost == nil, "\(report)")
        #expect(readings(bench) == 10 && !FileSystem.exists(state.servedPath))
        #expect(bench.boot().outcome == .current)
    }

    /// The same where nothing is left to put in its place: it is gone on with, and told until somebody has heard.
    @Test func aDatabaseMadeInAnothersPlaceIsToldWithoutASnapshot() throws {
        let (bench, state, _) = try logger()
        for name in bench.files("snapshots") { try FileSystem.remove("\(bench.state)/snapshots/\(name)") }
        try FileSystem.remove(bench.database)
        bench.execute("CREATE TABLE own (x); INSERT INTO own VALUES (1)")
        let report = bench.boot()
        #expect(report.outcome == .rebuilt && report.lost == "the database that was there before", "\(report)")
        #expect(bench.integer("SELECT count(*) FROM own") == 1 && !FileSystem.exists(state.untoldPath))
        #expect(bench.boot().outcome == .current)
    }

    /// Its worker was killed, and READY came before another one handed over: what was written by then has been written behind READY, too.
    @Test func whatWasWrittenBeforeALateHandOverIsALoss() throws {
        let (bench, state, snapshot) = try logger()
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        bench.addReadings(5)
        #expect(boot(bench).handOver() == nil)
        let report = bench.boot()
        #expect(report.outcome == .restored && report.lost?.contains("what the application wrote") == true, "\(report)")
    }

    /// The application may make itself a database at any moment; no file is put in its way.
    @Test func nothingMovesBehindREADY() throws {
        let (bench, state, snapshot) = try logger()
        let swap = try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal)
        try swap.write(to: state)
        try FileSystem.rename(bench.database, to: try state.makeQuarantine(swap.sequence) + "/app.db")
        #expect(boot(bench).handOver() == nil)
        #expect(!FileSystem.exists(bench.database) && FileSystem.exists(state.servedPath))
        #expect(bench.boot().outcome == .migrated && readings(bench) == 10)
    }

    /// Left for another boot it would undo what is written behind this one.
    @Test func whatWasHandedOverIsFinishedBehindAnIntentThatIsDamaged() throws {
        let (bench, state, snapshot) = try logger()
        try Swap(.run, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        handOver(bench)
        try "torn".write(toFile: state.intentPath, atomically: false, encoding: .utf8)
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
        let first = bench.boot()
        #expect(first.outcome == .migrated && !FileSystem.exists(state.servedPath), "\(first)")
        bench.addReadings(1)
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil && readings(bench) == 11, "\(report)")
    }

    /// Nothing had moved; what came to the quarantine of that number is the boot's own doing.
    @Test func aStrangerInQuarantineIsNotTakenForASidecarThatHadMoved() throws {
        let (bench, state, snapshot) = try logger()
        try Swap(.replace, state, source: snapshot.path, seal: snapshot.seal).write(to: state)
        handOver(bench)
        try FileSystem.makeDirectory(bench.database + "-wal")
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil, "\(report)")
        #expect(report.warnings.contains { $0.contains("app.db-wal: not what a database has there") }, "\(report)")
        #expect(readings(bench) == 10)
    }
}
