import AutoMigrator
import Linux
import SQLite
import Testing

@testable import DataPartition

/// e2fsck puts the filesystem right, and the tree is gone (RULES.md F3).
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct LostAndFoundTests {
    /// An appliance's partition with two databases on it, each with rows of its own, unmounted.
    private final class Appliance {
        let disk: LoopDisk
        let databases: [String]

        init(_ names: [String] = ["app"]) throws {
            disk = try LoopDisk()
            databases = names.map { [mount = disk.mount] in "\(mount)/\($0)/\($0).db" }
            var partition = disk.partition()
            _ = try partition.bringUp()
            try FileSystem.makeDirectory(disk.folder + "/set")
            try FileSystem.replace(disk.folder + "/set/1_start.sql", with: "CREATE TABLE readings (value TEXT);", durable: false)
            for (name, path) in zip(names, databases) {
                try FileSystem.makeDirectory(Text.directory(of: path))
                #expect(boot(path).outcome == .migrated)
                try Database(path, .readWrite).execute("INSERT INTO readings VALUES ('of \(name)')")
            }
            disk.unmount()
        }

        func boot(_ path: String) -> RepositoryReport {
            var boot = RepositoryBoot(Repository(name: Text.stem(of: Text.name(of: path)), path: path, migrations: disk.folder + "/set"), reporter: .silent)
            return boot.run(unclean: true)
        }

        /// Takes something away from under the filesystem, so that only `e2fsck -y` helps.
        func damage(_ commands: [String]) {
            for command in commands { shell("debugfs -w -R '\(command)' \(disk.device)") }
            // Not cleanly unmounted.
            shell("debugfs -w -R 'ssv state 0' \(disk.device)")
        }

        func block(of path: String) throws -> Int64 {
            try #require(Text.number(try shell("debugfs -R 'blocks \(path)' \(disk.device) 2>/dev/null").output().split(separator: " ").first.map(String.init) ?? ""))
        }

        /// The data partition's stage of a boot.
        func bringUp() throws -> [DataAction] {
            var partition = disk.partition()
            _ = try partition.bringUp()
            partition.putBackLost(databases)
            return partition.actions
        }

        func rows(_ path: String) throws -> String? { try Database(path, .readWrite).text("SELECT group_concat(value) FROM readings") }
    }

    @Test(arguments: [["unlink /app"], ["unlink /app/app.db"], ["unlink /app/.firstlight"], ["unlink /app/app.db", "unlink /app/.firstlight"]])
    func whatHasLostItsNameIsPutBack(commands: [String]) throws {
        let appliance = try Appliance()
        appliance.damage(commands)
        let actions = try appliance.bringUp()
        #expect(actions.filter { $0.rung == .lostAndFound && $0.result == "ok" }.count == commands.count, "\(actions)")
        let path = appliance.databases[0]
        #expect(try appliance.rows(path) == "of app")
        #expect(appliance.boot(path).outcome == .current)
        // And with a clean partition nothing is looked for.
        appliance.disk.unmount()
        #expect(try appliance.bringUp().rungs == "clean ok, mount ok")
    }

    /// The names in a directory go with its block.
    @Test(arguments: ["/", "/app"])
    func aDirectoryWhoseBlockIsGoneIsFilledAgain(directory: String) throws {
        let appliance = try Appliance()
        try appliance.disk.write([UInt8](repeating: 0, count: 4096), at: appliance.block(of: directory) * 4096)
        appliance.damage([])
        let actions = try appliance.bringUp()
        let path = appliance.databases[0]
        #expect(try appliance.rows(path) == "of app", "\(actions)")
        #expect(appliance.boot(path).outcome == .current)
        #expect(FileSystem.exists("\(appliance.disk.mount)/app/.firstlight/app/born"))
    }

    /// Two databases without their names: nobody can tell which is which, and a wrong guess would be worse than a snapshot.
    @Test func whatCanBeTwoThingsIsLeft() throws {
        let appliance = try Appliance(["app", "net"])
        appliance.damage(["unlink /app/app.db", "unlink /net/net.db"])
        let actions = try appliance.bringUp()
        #expect(actions.filter { $0.rung == .lostAndFound && $0.result == "refused" }.count == 2, "\(actions)")
        #expect(!FileSystem.exists(appliance.databases[0]))
        #expect(try FileSystem.list(appliance.disk.mount + "/lost+found").count == 2)
        // The directories are told apart by what is in them.
        let other = try Appliance(["app", "net"])
        other.damage(["unlink /app", "unlink /net"])
        _ = try other.bringUp()
        #expect(try other.rows(other.databases[0]) == "of app")
        #expect(try other.rows(other.databases[1]) == "of net")
    }

    /// A hot journal is put back with its database, or SQLite would take half a transaction for the whole.
    @Test func aJournalComesBackWithItsDatabase() throws {
        let appliance = try Appliance()
        _ = try appliance.bringUp()
        let path = appliance.databases[0]
        let copy = appliance.disk.folder + "/cut.db"
        do {
            let database = try Database(path, .readWrite)
            try database.execute("PRAGMA cache_size=1; BEGIN; INSERT INTO readings WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT 'half' FROM n; UPDATE readings SET value = 'half'")
            // What the power cut leaves, beside the connection that is still at it.
            for suffix in ["", "-journal"] { shell("cp \(path)\(suffix) \(copy)\(suffix)") }
            try database.execute("ROLLBACK")
        }
        for suffix in ["", "-journal"] { shell("cp \(copy)\(suffix) \(path)\(suffix)") }
        appliance.disk.unmount()
        appliance.damage(["unlink /app/app.db", "unlink /app/app.db-journal"])
        let actions = try appliance.bringUp()
        #expect(actions.filter { $0.rung == .lostAndFound && $0.result == "ok" }.count == 2, "\(actions)")
        #expect(appliance.boot(path).outcome == .current)
        #expect(try appliance.rows(path) == "of app")
    }
}
