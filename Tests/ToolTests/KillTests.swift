import Foundation
import Testing

/// A migration that is killed: golang-migrate's flag stays dirty for ever, and a person with a keyboard has to come.
@Suite(.enabled(if: Tool.directory != nil, "needs scripts/build-firmware x86_64"))
struct KillTests {
    @Test func aKilledMigrationIsRunAgainWithoutAnyonesHelp() throws {
        let root = FileManager.default.temporaryDirectory.path + "/firstlight-kill-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/set", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/data", withIntermediateDirectories: true)
        func put(_ name: String, _ sql: String) throws {
            try sql.write(toFile: "\(root)/set/\(name)", atomically: false, encoding: .utf8)
        }
        try put("1_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1), (2);")
        func migrate() throws -> Tool.Result {
            try Tool.ctl("migrate", "--json", "--database", root + "/data/app.db", "--migrations", root + "/set")
        }
        #expect(try migrate().code == 0)
        try put("2_b.sql", "CREATE TABLE b (x); DELETE FROM a;")
        try put("3_c.sql", "INSERT INTO b WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;")

        for _ in 0..<3 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "\(Tool.directory!)/firstlightctl")
            process.arguments = ["migrate", "--database", root + "/data/app.db", "--migrations", root + "/set"]
            process.standardOutput = FileHandle.nullDevice
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            // Its step without an end has begun.
            var said = ""
            while !said.contains("step 2 of 2"), let more = String(data: errors.fileHandleForReading.availableData, encoding: .utf8), !more.isEmpty {
                said += more
            }
            #expect(said.contains("step 2 of 2"), "\(said)")
            Thread.sleep(forTimeInterval: 0.2)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        // Nothing of the killed runs is there, and the mended set goes through.
        try put("3_c.sql", "INSERT INTO b SELECT count(*) FROM a;")
        let result = try migrate()
        #expect(result.code == 0, "\(result)")
        #expect(result.output.contains("\"migrated\""), "\(result.output)")
        #expect(result.output.contains("\"schema\": 3") || result.output.contains("\"schema\":3"), "\(result.output)")
    }
}
