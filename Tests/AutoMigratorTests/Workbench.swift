import AutoMigrator
import Foundation
import Linux
import SQLite

/// A directory with a database, migrations and what Firstlight keeps beside them; gone with the value.
final class Workbench {
    let root: String
    var migrations: [String: String] = [:]
    private(set) var logged: [String] = []

    init() {
        root = FileManager.default.temporaryDirectory.path + "/firstlight-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: root + "/data", withIntermediateDirectories: true)
        try! FileManager.default.createDirectory(atPath: root + "/set", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var database: String { root + "/data/app.db" }
    var state: String { root + "/data/.firstlight/app" }

    /// The files of `.firstlight/app/DIRECTORY`.
    func files(_ directory: String) -> [String] { (try? FileSystem.list("\(state)/\(directory)")) ?? [] }

    /// One boot with the present set of migrations.
    @discardableResult
    func boot(
        unclean: Bool = false, repaired: Bool = false, afterLoss: String? = nil, to goal: Goal = .end, retryHeld: Bool = false, change: (inout Repository) -> Void = { _ in }
    ) -> RepositoryReport {
        writeMigrations()
        var repository = Repository(name: "app", path: database, migrations: root + "/set")
        change(&repository)
        logged = []
        var boot = RepositoryBoot(repository, reporter: Reporter(log: Log { self.logged.append($1) }))
        defer { boot.acknowledge() }
        return boot.run(unclean: unclean, repaired: repaired, afterLoss: afterLoss, to: goal, retryHeld: retryHeld)
    }

    func rollBack(to goal: Goal) -> RepositoryReport {
        writeMigrations()
        var boot = RepositoryBoot(Repository(name: "app", path: database, migrations: root + "/set"), reporter: .silent)
        return boot.rollBack(to: goal)
    }

    func plan(change: (inout Repository) -> Void = { _ in }) throws -> Plan {
        writeMigrations()
        var repository = Repository(name: "app", path: database, migrations: root + "/set")
        change(&repository)
        return try RepositoryBoot(repository, reporter: .silent).plan()
    }

    func writeMigrations() {
        for name in (try? FileSystem.list(root + "/set")) ?? [] { try! FileSystem.remove(root + "/set/\(name)") }
        for (name, text) in migrations { try! text.write(toFile: root + "/set/\(name)", atomically: false, encoding: .utf8) }
    }

    /// Names, sizes and times of everything beside and below the database.
    func fingerprint() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root + "/data").sorted().map {
            let attributes = try FileManager.default.attributesOfItem(atPath: root + "/data/" + $0)
            return "\($0) \(attributes[.size]!) \(attributes[.modificationDate]!)"
        }
    }

    func execute(_ sql: String) {
        let database = try! Database(database, .create)
        try! database.execute(sql)
    }

    func integer(_ sql: String) -> Int64? {
        guard let database = try? Database(database, .readWrite) else { return nil }
        return try? database.integer(sql)
    }

    func text(_ sql: String) -> String? {
        guard let database = try? Database(database, .readWrite) else { return nil }
        return try? database.text(sql)
    }

    func bytes(_ path: String) -> Data? { FileManager.default.contents(atPath: path) }

    /// Overwrites part of a file, as failing flash does.
    func damage(_ path: String, at offset: Int, count: Int) {
        let file = FileHandle(forUpdatingAtPath: path)!
        try! file.seek(toOffset: UInt64(offset))
        try! file.write(contentsOf: Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }))
        try! file.close()
    }

    /// Two steps, with rows between them.
    static func logger() -> Workbench {
        let bench = Workbench()
        bench.migrations["1_create_readings.sql"] = """
            -- migrate:up
            CREATE TABLE sensors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
            CREATE TABLE readings (id INTEGER PRIMARY KEY, sensor_id INTEGER NOT NULL REFERENCES sensors ON DELETE CASCADE, value REAL);
            -- migrate:down
            DROP TABLE readings;
            DROP TABLE sensors;
            """
        return bench
    }

    func addReadings(_ count: Int) {
        execute(
            """
            PRAGMA foreign_keys=ON;
            INSERT OR IGNORE INTO sensors VALUES (1, 'meter');
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
            INSERT INTO readings (sensor_id, value) SELECT 1, i * 0.5 FROM n;
            """)
    }
}
