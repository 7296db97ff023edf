import AutoMigrator
import Foundation
import Linux
import SQLite
import Testing

/// What other migrators were seen to do to a device, each as a test that fails on their way of doing it.
@Suite struct PeerFailureTests {
    /// Nine of nine take a file of zero bytes for a healthy, empty database and report success (RULES.md S19).
    @Test func aFileOfZeroBytesIsALostDatabase() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(50)
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        bench.boot()
        _ = FileManager.default.createFile(atPath: bench.database, contents: Data())
        let report = bench.boot()
        #expect(report.outcome == .restored)
        #expect(report.lost != nil)
        #expect(bench.integer("SELECT count(*) FROM readings") == 50)
    }

    /// SQLite heals it when it opens the file; who only looks at the first bytes gives up every row since the last snapshot, or all.
    @Test(arguments: ["DELETE", "WAL"], [true, false])
    func aFirstPageThatACutToreIsInTheSidecar(mode: String, isKnown: Bool) throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.execute("PRAGMA journal_mode=\(mode)")
        bench.addReadings(50)
        if !isKnown { try FileSystem.removeTree(bench.root + "/data/.firstlight") }
        do {
            let writer = try Database(bench.database, .readWrite)
            try writer.execute(
                mode == "WAL"
                    ? "PRAGMA wal_autocheckpoint=0; CREATE TABLE more (x)"
                    : "PRAGMA cache_size=1; BEGIN; CREATE TABLE more (x); UPDATE readings SET value = -1")
            for suffix in ["", "-journal", "-wal"] where FileSystem.exists(bench.database + suffix) {
                try FileSystem.copy(bench.database + suffix, to: bench.root + "/cut" + suffix)
            }
        }
        for suffix in ["", "-journal", "-wal", "-shm"] {
            try FileSystem.remove(bench.database + suffix)
            if FileSystem.exists(bench.root + "/cut" + suffix) { try FileSystem.rename(bench.root + "/cut" + suffix, to: bench.database + suffix) }
        }
        bench.damage(bench.database, at: 0, count: 400)
        let report = bench.boot()
        #expect(report.outcome == .current && report.lost == nil && report.quarantine == nil, "\(report)")
        #expect(report.warnings == ["its first page is torn, and its \(mode == "WAL" ? "WAL" : "journal") has it whole"])
        #expect(bench.integer("SELECT count(*) FROM readings WHERE value >= 0") == 50)
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == (mode == "WAL" ? 1 : 0))
        #expect(bench.boot().warnings.isEmpty)
    }

    /// Encrypted, or noise, beside a journal that is not its own: both are left exactly as they are.
    @Test func aJournalThatDoesNotHealItIsStillThereAfterwards() throws {
        let bench = Workbench.logger()
        let noise = Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })
        let journal = Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]) + noise
        try noise.write(to: URL(fileURLWithPath: bench.database))
        try journal.write(to: URL(fileURLWithPath: bench.database + "-journal"))
        let report = bench.boot()
        #expect(report.outcome == .failed && report.reason?.contains("never was one of ours") == true, "\(report)")
        #expect(bench.bytes(bench.database) == noise && bench.bytes(bench.database + "-journal") == journal)
        #expect(try FileSystem.list(bench.root + "/data").sorted() == [".firstlight", "app.db", "app.db-journal"])
    }

    /// What a repaired filesystem, or whoever can write there, leaves under our names: no boot hangs on it, and none fails for ever.
    @Test(
        arguments: [
            "", "intent", "untold", "attempts", "pin", "boots", "suspect", "lock", "born", "damaged", "ballast", "snapshots", "quarantine",
            "quarantine/spare",
        ], ["fifo", "directory", "link to nothing", "link to itself", "link to a file", "noise", "huge"])
    func whatIsNoneOfOurFilesIsSetAside(name: String, kind: String) throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(20)
        bench.migrations["2_more.sql"] = "CREATE TABLE more (x);"
        let path = bench.state + (name.isEmpty ? "" : "/\(name)")
        let victim = bench.root + "/victim"
        try "precious".write(toFile: victim, atomically: false, encoding: .utf8)
        try FileSystem.removeTree(path)
        switch kind {
        case "fifo": mkfifo(path, 0o600)
        case "directory": try FileSystem.makeDirectories(path + "/inside")
        case "link to nothing": symlink("/nowhere/at/all", path)
        case "link to itself": symlink(path, path)
        case "link to a file": symlink(victim, path)
        case "noise": try Data((0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 37) }).write(to: URL(fileURLWithPath: path))
        default:
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            truncate(path, 1 << 33)
        }
        let report = bench.boot()
        #expect(report.outcome == .migrated && report.lost == nil, "\(report)")
        #expect(bench.integer("SELECT count(*) FROM readings") == 20)
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
        bench.damage(bench.database, at: 0, count: 4096)
        let restored = bench.boot()
        #expect(restored.outcome == .restored && restored.snapshot != nil && restored.quarantine != nil, "\(restored)")
        #expect(bench.boot().outcome == .current)
    }

    @Test(arguments: ["", "-journal", "-wal", "-shm"], ["fifo", "directory", "link to itself", "link to a file"])
    func whatIsNoFileInADatabasesPlaceGoesToQuarantine(suffix: String, kind: String) throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(20)
        let path = bench.database + suffix
        try FileSystem.remove(path)
        switch kind {
        case "fifo": mkfifo(path, 0o600)
        case "directory": try FileSystem.makeDirectories(path + "/inside")
        case "link to itself": symlink(path, path)
        default: symlink(suffix.isEmpty ? "/dev/null" : "/etc/hostname", path)
        }
        let found = try FileSystem.status(path)
        let report = bench.boot()
        let kept = try bench.files("quarantine").compactMap { try FileSystem.status("\(bench.state)/quarantine/\($0)/app.db\(suffix)") }
        #expect(kept.map { $0.inode } == [found!.inode], "it is not in quarantine")
        #expect(report.quarantine != nil || report.warnings.contains { $0.contains("quarantine") }, "\(report)")
        #expect(report.outcome == (suffix.isEmpty ? .restored : .current), "\(report)")
        #expect((report.lost != nil) == suffix.isEmpty)
        #expect(bench.integer("SELECT count(*) FROM readings") == (suffix.isEmpty ? 0 : 20))
    }

    /// The configuration names a directory by mistake: nothing in it moves.
    @Test func aDirectoryWhereNoDatabaseEverWasIsLeftAlone() throws {
        let bench = Workbench.logger()
        try FileSystem.makeDirectories(bench.database + "/precious")
        let report = bench.boot()
        #expect(report.outcome == .failed && report.reason?.contains("EISDIR") == true, "\(report)")
        #expect(try FileSystem.list(bench.database) == ["precious"])
    }

    /// A zero-byte file with a hot journal is also what a cut first boot leaves: nothing is lost, and the next boot creates.
    @Test func zeroBytesWithAJournalBeforeAnyBirthIsACutFirstBoot() throws {
        let bench = Workbench.logger()
        _ = FileManager.default.createFile(atPath: bench.database, contents: Data())
        let journal = Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7] + [UInt8](repeating: 0, count: 504))
        try journal.write(to: URL(fileURLWithPath: bench.database + "-journal"))
        let report = bench.boot()
        #expect(report.outcome == .migrated, "\(report)")
        #expect(report.quarantine.flatMap { bench.bytes($0 + "/app.db-journal") } == journal)
    }

    /// History and SQL in separate commits: a kill between the two leaves a step that is applied and not recorded.
    @Test func aStepAndItsRowAreOneCommit() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        bench.migrations["3_more.sql"] = "CREATE TABLE more (x);"
        // What a power cut at these moments would leave: the files as they are, journal and all.
        final class Copies: @unchecked Sendable { var paths: [String] = [] }
        let copies = Copies()
        let database = bench.database
        let root = bench.root
        let copy: Hooks.Step = { (progress, _) throws(SQLiteError) in
            let directory = "\(root)/cut-\(copies.paths.count)"
            try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for suffix in ["", "-journal", "-wal"] {
                try? FileManager.default.copyItem(atPath: database + suffix, toPath: directory + "/app.db" + suffix)
            }
            copies.paths.append(directory + "/app.db")
        }
        var hooks = Hooks()
        hooks.beforeStep = copy
        hooks.afterStep = copy
        #expect(bench.boot { $0.hooks = hooks }.outcome == .migrated)
        #expect(copies.paths.count == 4)
        for path in copies.paths {
            let cut = try Database(path, .readWrite)
            let recorded = try cut.integer("SELECT count(*) FROM schema_migrations") ?? 0
            let column = try cut.integer("SELECT count(*) FROM pragma_table_info('readings') WHERE name = 'unit'") ?? 0
            let more = try cut.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") ?? 0
            #expect(recorded == 1 + column + more)
            #expect(column == more, "neither or both")
        }
    }

    /// After a first migration in WAL mode the file itself is 4,096 bytes, and so is a copy of it (RULES.md S21).
    @Test func theSnapshotOfAFreshWALDatabaseIsWhole() throws {
        let bench = Workbench.logger()
        bench.migrations["2_wal.sql"] = "-- migrate:up transaction:false\nPRAGMA journal_mode=WAL;"
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.text("PRAGMA journal_mode") == "wal")
        let snapshot = bench.root + "/copy.db"
        try FileManager.default.copyItem(atPath: "\(bench.state)/snapshots/\(bench.files("snapshots")[0])", toPath: snapshot)
        #expect(try Database(snapshot, .readWrite).integer("SELECT count(*) FROM sqlite_schema WHERE name = 'readings'") == 1)
    }

    /// A WAL that a crash left is committed rows: they must be in the snapshot, and the step must see them.
    @Test func rowsInALeftoverWALAreKept() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.execute("PRAGMA journal_mode=WAL")
        do {
            let application = try Database(bench.database, .readWrite)
            application.keepWALOnClose()
            try application.execute("INSERT INTO sensors VALUES (5, 'in the WAL')")
        }
        #expect((bench.bytes(bench.database + "-wal")?.count ?? 0) > 0)
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.text("SELECT name FROM sensors WHERE id = 5") == "in the WAL")
    }

    /// SQLite deletes a full WAL beside a missing file and says ok (RULES.md S24).
    @Test func aWALBesideAMissingFileIsKept() throws {
        let bench = Workbench.logger()
        bench.boot()
        let wal = Data((0..<9000).map { UInt8(truncatingIfNeeded: $0) })
        try FileSystem.remove(bench.database)
        try wal.write(to: URL(fileURLWithPath: bench.database + "-wal"))
        let report = bench.boot()
        #expect(report.outcome == .restored)
        let kept = (try? FileManager.default.subpathsOfDirectory(atPath: "\(bench.state)/quarantine")) ?? []
        #expect(kept.contains { $0.hasSuffix("app.db-wal") && bench.bytes("\(bench.state)/quarantine/\($0)") == wal })
    }

    /// A check that passes is not a database that is whole (RULES.md S3, S4): a restore looks at every byte.
    @Test func aSnapshotWithOneFlippedBitIsNotRestored() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(3000)
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        bench.boot()
        let newest = "\(bench.state)/snapshots/\(bench.files("snapshots").last!)"
        var bytes = bench.bytes(newest)!
        bytes[bytes.count - 40] ^= 1
        try! bytes.write(to: URL(fileURLWithPath: newest))
        bench.damage(bench.database, at: 0, count: 4096)
        let report = bench.boot()
        #expect(report.outcome == .restored)
        #expect(report.snapshot?.hasSuffix("schema 1") == true, "\(report)")
    }

    /// A migration meets a page that has been bad for long: a snapshot of the damage is no cure, and an empty database no better.
    @Test(arguments: [[Repository.Rung.restore], [.restore, .rebuild]])
    func aDatabaseThatServesIsNotReplacedByAnEmptyOne(policy: [Repository.Rung]) {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(5000)
        bench.damage(bench.database, at: Int(bench.integer("PRAGMA page_count")! - 2) * 4096, count: 4096)
        for name in bench.files("snapshots") { try! FileSystem.remove("\(bench.state)/snapshots/\(name)") }
        let before = bench.bytes(bench.database)
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        if policy.count == 1 {
            for _ in 0..<2 {
                let report = bench.boot { $0.onFailure = policy }
                #expect(report.outcome == .restored, "\(report)")
                #expect(report.reason?.contains("the damaged database is used as it is") == true, "\(report)")
                #expect(report.lost == nil)
                #expect(bench.bytes(bench.database) == before)
            }
        } else {
            let report = bench.boot { $0.onFailure = policy }
            #expect(report.outcome == .rebuilt, "\(report)")
            #expect(report.schema == report.wanted)
            #expect(report.lost?.contains("readings (4708 rows kept") == true, "\(report)")
        }
        #expect((bench.integer("SELECT count(*) FROM readings WHERE id < 2000") ?? 0) > 1000)
    }

    /// A free page that is none: the migration would write over the rows on it, and no statement would fail.
    @Test func rowsOnAPageThatCountsAsFreeAreReadBeforeTheyAreOverwritten() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(5000)
        bench.execute("CREATE TABLE junk (x); INSERT INTO junk VALUES (zeroblob(40000)); DROP TABLE junk")
        var bytes = bench.bytes(bench.database)!
        func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        // fileformat2.html 1.5: the first trunk page, and from its byte 8 on the numbers of free pages.
        let trunk = (number(32) - 1) * 4096
        let leaf = Int(bench.integer("SELECT max(pageno) FROM dbstat WHERE name = 'readings' AND pagetype = 'leaf'") ?? 20)
        for index in 0..<number(trunk + 4) {
            let free = leaf - index
            bytes.replaceSubrange(trunk + 8 + 4 * index..<trunk + 12 + 4 * index, with: [0, 0, UInt8(free >> 8), UInt8(free & 0xFF)])
        }
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        bench.migrations["2_more.sql"] = """
            CREATE TABLE more (x);
            INSERT INTO more WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i FROM n;
            """
        let report = bench.boot()
        #expect(report.outcome == .restored || report.outcome == .rebuilt && report.lost?.contains("can be trusted") == true, "\(report)")
        #expect(report.schema == 2)
        #expect(bench.integer("SELECT count(*) FROM readings WHERE value = id * 0.5") == 5000)
        #expect(bench.integer("SELECT count(*) FROM more") == 9000)
        #expect(bench.bytes("\(report.quarantine ?? "")/app.db") == bytes)
    }

    /// The schema's text says of our own table what we never wrote.
    @Test func aHistoryWhoseSchemaIsDamagedIsNoOtherTools() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(100)
        let text = Data("version INTEGER PRIMARY KEY, inserted_at".utf8)
        var bytes = bench.bytes(bench.database)!
        bytes.replaceSubrange(bytes.range(of: text)!, with: Data("version INTEGEQ PRIMARY KEY, inserted_at".utf8))
        try bytes.write(to: URL(fileURLWithPath: bench.database))
        let report = bench.boot()
        #expect(report.outcome == .restored || report.outcome == .rebuilt, "\(report)")
        #expect(report.schema == report.wanted)
        #expect(report.quarantine != nil)
        #expect(bench.boot().outcome == .current)
    }

    @Test func damageThatAMigrationDoesNotMeetIsTold() {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(5000)
        // A page that belongs to nothing.
        var bytes = bench.bytes(bench.database)!
        let pages = UInt32(bytes.count / 4096 + 1)
        bytes.replaceSubrange(28..<32, with: withUnsafeBytes(of: pages.bigEndian) { Data($0) })
        try! (bytes + Data(count: 4096)).write(to: URL(fileURLWithPath: bench.database))
        bench.migrations["2_other.sql"] = "CREATE TABLE other (x);"
        let report = bench.boot()
        #expect(report.outcome == .migrated, "\(report)")
        #expect(report.warnings.contains { $0.contains("it was damaged before the migrations") }, "\(report)")
    }

    /// SQLite before 3.41 calls such a schema malformed where it is not trusted, with the code for damage.
    @Test func anIndexOverAFunctionIsNoDamage() {
        let bench = Workbench.logger()
        bench.migrations["2_j.sql"] = "CREATE TABLE j (d TEXT, g TEXT AS (json_extract(d, '$.g'))); CREATE INDEX j_d ON j (json_extract(d, '$.n'));"
        #expect(bench.boot().outcome == .migrated)
        bench.execute("INSERT INTO j (d) VALUES ('{\"n\": 1, \"g\": 2}')")
        #expect(bench.boot().outcome == .current)
        #expect(bench.boot(unclean: true).outcome == .current)
        bench.migrations["3_k.sql"] = "CREATE TABLE k (x);"
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.integer("SELECT count(*) FROM j") == 1)
    }

    /// A schema that a newer SQLite wrote, or functions that are not there: the database is left alone.
    @Test func aSchemaThatThisSQLiteCannotReadIsLeftAlone() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(100)
        do {
            let database = try Database(bench.database, .readWrite, defensive: false)
            try database.execute(
                "CREATE TABLE z (x); INSERT INTO z VALUES (1); PRAGMA writable_schema=ON; "
                    + "UPDATE sqlite_schema SET sql = 'CREATE TABLE z (x) FROM THE FUTURE' WHERE name = 'z'")
        }
        let before = bench.bytes(bench.database)
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        for unclean in [false, true] {
            let report = bench.boot(unclean: unclean)
            #expect(report.outcome == .failed, "\(report)")
            #expect(report.reason?.contains("malformed database schema") == true, "\(report)")
            #expect(bench.bytes(bench.database) == before)
        }
    }
}
