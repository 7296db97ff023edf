import Foundation
import Testing

@Suite(.enabled(if: Tool.directory != nil, "build/x86_64 is not there: scripts/build-firmware x86_64 makes it"))
struct ToolTests {
    @Test func migratesABareFileAndThenHasNothingToDo() throws {
        let appliance = try Appliance()
        let arguments = ["--database", appliance.database, "--migrations", Appliance.migrations]
        func ctl(_ command: String, _ more: String...) throws -> Tool.Result {
            try Tool.run("\(Tool.directory!)/firstlightctl", [command] + arguments + more)
        }
        let plan = try ctl("plan")
        #expect(plan.code == 3)
        #expect(plan.output.contains("pending  20240205090000_create_sensors"))
        #expect(!FileManager.default.fileExists(atPath: appliance.database))
        let first = try ctl("migrate", "--json")
        #expect(first.code == 0, "\(first)")
        #expect(first.output.contains("\"outcome\": \"migrated\""))
        #expect(try ctl("migrate").output.contains("current"))
        #expect(try ctl("plan").code == 0)
    }

    @Test func namesFileLineAndMessageOfASyntaxErrorInStepSevenOfTen() throws {
        let appliance = try Appliance()
        let set = appliance.root + "/set"
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        for step in 1...10 {
            let sql = step == 7 ? "CREATE TABLE fine7 (x);\n\nSELEC 1;\n" : "CREATE TABLE t\(step) (x);\n"
            try sql.write(toFile: "\(set)/\(step)_step.sql", atomically: true, encoding: .utf8)
        }
        let result = try Tool.ctl("migrate", "--database", appliance.database, "--migrations", set)
        #expect(result.code == 1)
        #expect(result.output.contains("7_step.sql:3: near \"SELEC\": syntax error"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: appliance.database))
    }

    @Test(arguments: [
        ["frobnicate"], [], ["plan", "--database", "x.db"], ["migrate", "--verify", "maybe"], ["wait", "--timeout", "soon"],
        ["wait", "--require", "good"], ["status", "--jsno"],
    ])
    func wrongArgumentsGetTheUsageOnStandardErrorAndExitTwo(arguments: [String]) throws {
        let result = try Tool.run("\(Tool.directory!)/firstlightctl", arguments)
        #expect(result.code == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("usage: firstlightctl"))
    }

    @Test func theDaemonRefusesWrongArgumentsToo() throws {
        let result = try Tool.run("\(Tool.directory!)/firstlightd", ["--frobnicate"])
        #expect(result.code == 2)
        #expect(result.errors.contains("usage: firstlightd"))
    }

    @Test func aBootIsToldInStatusEnvAndReady() throws {
        let appliance = try Appliance()
        let log = try appliance.boot()
        #expect(log.contains("firstlightd: ready: migrated"), "\(log)")
        let status = try appliance.statusFields()
        #expect(Set(status.keys) == [
            "format", "version", "sqlite", "state", "outcome", "since_boot_ms", "data", "repositories", "light", "button",
            "warnings",
        ])
        #expect(status["outcome"] as? String == "migrated")
        let repository = try #require((status["repositories"] as? [[String: Any]])?.first)
        #expect(Set(repository.keys) == [
            "name", "path", "outcome", "reason", "schema", "wanted", "pending", "lost", "snapshot", "quarantine",
            "duration_ms", "held_for_boots",
        ])
        let env = try String(contentsOfFile: appliance.root + "/run/env", encoding: .utf8)
        #expect(env == "FIRSTLIGHT_OUTCOME=migrated\nFIRSTLIGHT_APP_DB=\(appliance.database)\nFIRSTLIGHT_APP_OUTCOME=migrated\n")
        let page = try Tool.ctl("status", "--config", appliance.configuration).output
        for line in [
            "state        ready: the boot is over", "outcome      migrated: the schema that the image wants, after new steps; nothing was lost",
            "led          lit without a break: ready, and nothing to tell (were there one: none is configured)", "data         \(appliance.root)/data",
            "repaired     nothing had to be", "database     app", "file         \(appliance.database)", "pending      no step", "lost         nothing",
        ] { #expect(page.contains("\n\(line)\n"), "\(line)\n\(page)") }
        #expect(try Tool.ctl("wait", "--config", appliance.configuration, "--require", "current").code == 3)
        #expect(try Tool.ctl("wait", "--config", appliance.configuration, "--require", "current,migrated").code == 0)
    }

    /// Counts system calls of every process of ours, by what they are done to.
    @Test func aCurrentBootWritesNothingToThePartitionAndCallsNoFsync() throws {
        let appliance = try Appliance()
        _ = try appliance.boot()
        let trace = appliance.root + "/trace"
        _ = try appliance.boot(tracing: [
            "strace", "-D", "-f", "-y", "-e",
            "trace=write,pwrite64,writev,fsync,fdatasync,sync,syncfs,ftruncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,fchmod,fchown,?open,openat",
            "-o", trace,
        ])
        #expect(try appliance.statusFields()["outcome"] as? String == "current")
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        #expect(calls.contains { $0.contains("openat") && $0.contains("app.db") }, "the trace did not see the database opened")
        let data = appliance.root + "/data"
        for call in calls {
            #expect(!call.contains("sync("), "\(call)")
            // One that another process's call came between is on two lines.
            // musl opens with the older call, where the architecture has it.
            let opens = ["open(", "openat(", "open resumed", "openat resumed"].contains { call.contains($0) }
            if call.contains(data) && !opens { Issue.record("\(call)") }
            if opens, call.contains(data), call.contains("O_TRUNC") || call.contains("O_EXCL") {
                Issue.record("\(call)")
            }
        }
    }

    /// The worker's stage as the supervisor starts it, and what firstlightctl makes of its file.
    @Test(.enabled(if: getuid() == 0, "needs root, as the worker does")) func theHistoryOfBootsIsWrittenOnceAndRead() throws {
        let appliance = try Appliance()
        // The second is `current`, and adds nothing of its own any more.
        for _ in 0..<2 { _ = try appliance.boot() }
        try? FileManager.default.removeItem(atPath: appliance.root + "/data/.firstlight-boots")
        func add(_ outcome: String) throws -> String {
            let entry = "{\"version\": \"1.0.0\", \"outcome\": \"\(outcome)\", \"clock\": 0, \"repositories\": [{\"name\": \"app\", \"outcome\": \"\(outcome)\", "
                + "\"reason\": \"tried again 3 boots from now\"}]}"
            let command = "\(Tool.directory!)/firstlightd --config \(appliance.configuration) --worker history '\(entry)' 3>&1 | cat"
            return try Tool.run("/bin/sh", ["-c", command]).output
        }
        let result = "result\tkept\t{\"snapshot\": null, \"warning\": null}\n"
        #expect(try add("restored") == result)
        let file = appliance.root + "/data/.firstlight-boots"
        let first = try String(contentsOfFile: file, encoding: .utf8)
        #expect(first.hasPrefix("{\"number\": 1, \"version\": \"1.0.0\", ") && first.hasSuffix("}\n"))
        #expect(try add("restored") == result)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == first)
        #expect(try add("rebuilt") == result)
        let page = try Tool.ctl("status", "--config", appliance.configuration).output
        let line = "2 on record that were not current; the last: rebuilt, 1970-01-01 00:00:00 by the board's clock: app: tried again 3 boots from now"
        #expect(page.contains("\nboots        \(line)\n"), "\(page)")
    }

    @Test func whatSQLiteSpillsLiesBesideTheDatabase() throws {
        let appliance = try Appliance()
        let set = appliance.root + "/set"
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        // VACUUM writes the whole database to a temporary file, where it does not fit into its cache.
        try "-- migrate:up transaction:false\nCREATE TABLE t (x);\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO t SELECT randomblob(1000000) FROM n;\nVACUUM;\n"
            .write(toFile: "\(set)/1_vacuum.sql", atomically: true, encoding: .utf8)
        try appliance.add("[database app]\nmigrations = \(set)\n")
        let trace = appliance.root + "/trace"
        _ = try appliance.boot(tracing: ["strace", "-D", "-f", "-e", "trace=?open,openat", "-o", trace])
        #expect(try appliance.statusFields()["outcome"] as? String == "migrated")
        let files = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").filter { $0.contains("/etilqs_") }
        #expect(!files.isEmpty, "VACUUM made no temporary file")
        for file in files { #expect(file.contains("\"\(appliance.root)/data/app/etilqs_"), "\(file)") }
    }

    @Test func aMistakeInTheConfigurationIsNamedAndTheBootGoesOn() throws {
        let appliance = try Appliance()
        try appliance.add("[boot]\nlimt = 5min\nstall = soon\n[colour]\nx = y\n[light]\nline = gpiochip77:5\n[button]\nline = NO_SUCH_LINE\n")
        let log = try appliance.boot()
        #expect(log.contains("firstlight.conf:10: [boot] limt: unknown key"), "\(log)")
        #expect(log.contains("firstlight.conf:11: [boot] stall = soon: it must be a time"), "\(log)")
        #expect(log.contains("firstlight.conf:12: [colour]: unknown section"), "\(log)")
        #expect(log.contains("[light] line: open the chip of gpiochip77:5: No such file or directory"), "\(log)")
        #expect(log.contains("[button] line: find line NO_SUCH_LINE"), "\(log)")
        #expect(log.contains("ready: migrated"), "\(log)")
    }

    @Test func aStepWithoutEndIsInterruptedAndTheBootEnds() throws {
        let appliance = try Appliance()
        let set = appliance.root + "/set"
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        try "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;"
            .write(toFile: "\(set)/1_endless.sql", atomically: true, encoding: .utf8)
        try appliance.add("[boot]\nlimit = 2s\n[database app]\nmigrations = \(set)\n")
        let log = try appliance.boot()
        #expect(log.contains("ready: failed"), "\(log)")
        let repository = try #require((try appliance.statusFields()["repositories"] as? [[String: Any]])?.first)
        let reason = "\(set)/1_endless.sql:1: interrupted when its time was up; there was no database before, and none was made"
        #expect(repository["reason"] as? String == reason)
    }

    @Test func nothingItSaysIsWhatEmbeddedSwiftCannotPrint() throws {
        let appliance = try Appliance()
        let log = try appliance.boot()
        let status = try String(contentsOfFile: appliance.status, encoding: .utf8)
        let page = try Tool.ctl("status", "--config", appliance.configuration).output
        for text in [log, status, page] { #expect(!text.contains("cannot print value"), "\(text)") }
    }

    @Test func theDevicesProgramsAreSmall() throws {
        let build = ProcessInfo.processInfo.environment["FIRSTLIGHT_BUILD"] ?? "build"
        let path = "\(build)/aarch64/firstlightd"
        try #require(FileManager.default.fileExists(atPath: path), "scripts/build-firmware aarch64 makes it")
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        // firstlightctl is a link to it. 400 KiB was the limit for the first whole boot, without most of the migrator; a mebibyte is what the
        // whole may take.
        #expect(size <= 1024 * 1024, "\(size) bytes")
        #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: "\(build)/aarch64/firstlightctl")) == "firstlightd")
    }
}
