import Foundation
import Testing

/// A directory with migrations and a bare database, and firstlightctl run on them.
final class Bench {
    let root: String
    var set: String { root + "/set" }
    var database: String { root + "/data/app.db" }

    init(_ migrations: [String: String] = [:]) throws {
        root = FileManager.default.temporaryDirectory.path + "/firstlight-bench-\(UUID().uuidString)"
        for directory in ["set", "data", "tmp"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(directory)", withIntermediateDirectories: true)
        }
        for (name, text) in migrations { try write(name, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Three steps that all undo.
    static func sound() throws -> Bench {
        try Bench([
            "1_create_readings.sql": "-- migrate:up\nCREATE TABLE readings (id INTEGER PRIMARY KEY, value REAL);\n-- migrate:down\nDROP TABLE readings;\n",
            "2_add_unit.sql": "-- migrate:up\nALTER TABLE readings ADD COLUMN unit TEXT;\n-- migrate:down\nALTER TABLE readings DROP COLUMN unit;\n",
            "3_index.sql": "-- migrate:up\nCREATE INDEX by_value ON readings (value);\n-- migrate:down\nDROP INDEX by_value;\n",
        ])
    }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(set)/\(name)", atomically: false, encoding: .utf8)
    }

    /// A command on the bare file, with its migrations.
    func ctl(_ command: String, _ more: String...) throws -> Tool.Result {
        try run([command, "--database", database, "--migrations", set] + more)
    }

    /// A command with exactly these arguments.
    func run(_ arguments: [String]) throws -> Tool.Result {
        try Tool.run("\(Tool.directory!)/firstlightctl", arguments, environment: ["TMPDIR": root + "/tmp"])
    }

    func json(_ command: String, _ more: String...) throws -> [String: Any] {
        let output = try run([command, "--database", database, "--migrations", set, "--json"] + more).output
        let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(value as? [String: Any] ?? (value as? [[String: Any]])?.first, "\(output)")
    }

    /// SQL through the sqlite3 shell, which is no process of ours.
    func sql(_ text: String) throws -> String {
        try Tool.run("/usr/bin/env", ["sqlite3", database, text]).output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What is left of copies.
    var scratch: [String] { (try? FileManager.default.contentsOfDirectory(atPath: root + "/tmp")) ?? [] }
}

@Suite(.enabled(if: Tool.directory != nil, "build/x86_64 is not there: scripts/build-firmware x86_64 makes it"))
struct CommandTests {
    // ---- plan, migrate, rollback ----

    @Test func goesToAVersionByStepsAndBack() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("plan", "--step", "2").output.contains("wanted 2"))
        #expect(try bench.ctl("migrate", "--to", "1").code == 0)
        #expect(try bench.json("migrate", "--step", "1")["schema"] as? Int == 2)
        #expect(try bench.ctl("plan").code == 3)
        #expect(try bench.ctl("migrate").code == 0)
        let back = try bench.json("rollback")
        #expect(back["outcome"] as? String == "downgraded")
        #expect(back["schema"] as? Int == 2)
        #expect(try bench.json("rollback", "--step", "1")["schema"] as? Int == 1)
        #expect(try bench.ctl("migrate").code == 0)
        #expect(try bench.json("rollback", "--to", "1")["schema"] as? Int == 1)
        // The downs travel in the database.
        #expect(try bench.run(["rollback", "--database", bench.database, "--to", "0"]).code == 0)
        #expect(try bench.ctl("plan").output.contains("schema none, wanted 3"))
        for command in ["plan", "migrate", "rollback"] {
            let result = try bench.ctl(command, "--to", "77")
            #expect(result.code == 1)
            #expect((result.output + result.errors).contains("77"), "\(result)")
        }
    }

    @Test func thePlanTellsAllThereIsToTell() throws {
        let bench = try Bench.sound()
        try bench.write("4_keep.sql", "-- migrate:up compatible:true\nCREATE TABLE extra (x);\n")
        #expect(try bench.ctl("migrate").code == 0)
        try FileManager.default.removeItem(atPath: bench.set + "/4_keep.sql")
        try bench.write("2_add_unit.sql", "-- migrate:up\nALTER TABLE readings ADD COLUMN units TEXT;\n")
        try bench.write("5_vacuum.sql", "-- migrate:up transaction:false\nVACUUM;\n")
        try FileManager.default.moveItem(atPath: bench.set + "/3_index.sql", toPath: bench.set + "/03_index.sql")
        _ = try bench.sql("DELETE FROM schema_migrations WHERE version = 3")
        let page = try bench.ctl("plan").output
        #expect(page.contains("  pending  5_vacuum  (alone, under a snapshot)\n"), "\(page)")
        #expect(page.contains("  pending  3_index  (out of order)\n"), "\(page)")
        #expect(page.contains("  unknown  4_keep  (compatible)\n"), "\(page)")
        #expect(page.contains("  changed  2_add_unit  "), "\(page)")
        let plan = try bench.json("plan")
        #expect(plan["out_of_order"] as? [Int] == [3])
        #expect(plan["changed"] as? [Int] == [2])
        #expect(plan["held"] is NSNull)
        #expect((plan["pending"] as? [[String: Any]])?.last?["alone"] as? Bool == true)
        #expect(try bench.ctl("plan", "--strict-order", "yes").output.contains("  refused  out of order"))
        let strict = try bench.ctl("migrate", "--strict-order", "yes")
        #expect(strict.code == 3 && strict.output.contains("strict order"), "\(strict)")
    }

    @Test func aHeldPlanIsToldAndAPersonTriesItAgain() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("migrate").code == 0)
        try bench.write("4_data.sql", "INSERT INTO settings VALUES (1);\n")
        let failed = try bench.ctl("migrate")
        #expect(failed.code == 3 && failed.output.contains("4_data.sql:1: no such table: settings"), "\(failed)")
        let plan = try bench.json("plan")
        let held = try #require(plan["held"] as? [String: Any])
        #expect((held["reason"] as? String)?.contains("no such table") == true)
        #expect(held["boots"] is NSNull)
        #expect(try bench.ctl("plan").output.contains("  held     "))
        // What the file failed on is there now; the file is the same, so that a boot would go on resting.
        _ = try bench.sql("CREATE TABLE settings (id)")
        #expect(try bench.ctl("migrate").code == 0)
        #expect(try bench.sql("SELECT count(*) FROM settings") == "1")
    }

    /// Some seconds.
    static let long = """
        CREATE TABLE long AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) SELECT max(i) FROM n;
        """

    @Test func aTimeoutUndoesTheRun() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("migrate").code == 0)
        try bench.write("4_more.sql", "CREATE TABLE more (x);\n")
        try bench.write("5_long.sql", Self.long)
        let result = try bench.ctl("migrate", "--timeout", "300ms")
        #expect(result.code == 3 && result.output.contains("interrupted"), "\(result)")
        #expect(try bench.sql("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == "0")
    }

    @Test func aTerminalSeesHowFarALongStepIs() throws {
        let bench = try Bench(["1_long.sql": Self.long])
        let command = "\(Tool.directory!)/firstlightctl migrate --database \(bench.database) --migrations \(bench.set)"
        let result = try Tool.run("/usr/bin/env", ["script", "-qec", command, "/dev/null"])
        #expect(result.output.contains("\r\u{1B}[Kstep 1 of 1: 1_long, 1 s"), "\(result)")
        // Nothing of it in a log file.
        let other = try bench.ctl("rollback")
        #expect(!other.errors.contains("\u{1B}"))
    }

    // ---- check ----

    func findings(_ bench: Bench, _ more: String...) throws -> (code: Int32, lines: [String]) {
        let result = try bench.run(["check", "--migrations", bench.set] + more)
        #expect(bench.scratch.isEmpty)
        return (result.code, result.output.split(separator: "\n").map { $0.replacingOccurrences(of: bench.root + "/", with: "") })
    }

    @Test func aSoundSetHasNoFindings() throws {
        let bench = try Bench.sound()
        let found = try findings(bench)
        #expect(found.code == 0)
        #expect(found.lines == ["set: 3 steps, 0 errors, 0 warnings"])
        #expect(try bench.run(["check", "--migrations", Appliance.migrations]).code == 0)
    }

    @Test func aDownThatDoesNotUndoIsFoundAndTheStepsBehindItAreTriedAllTheSame() throws {
        let bench = try Bench.sound()
        try bench.write("2_add_unit.sql", """
            -- migrate:up
            ALTER TABLE readings ADD COLUMN unit TEXT;
            CREATE TABLE IF NOT EXISTS units (name TEXT);

            -- migrate:down
            ALTER TABLE readings DROP COLUMN unit;
            """)
        try bench.write("4_wrong_down.sql", "-- migrate:up\nCREATE TABLE a (x);\n-- migrate:down\nDROP TABLE a;\n\nDROP TABLE b;\n")
        try bench.write("5_loses.sql", "-- migrate:up\nCREATE TABLE c (x);\n-- migrate:down\nDROP TABLE c;\nDROP TABLE readings;\n")
        let found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines == [
            "set/2_add_unit.sql:5: its down leaves table units, which was not there before the step",
            "set/4_wrong_down.sql:6: its down: no such table: b",
            "set/5_loses.sql:3: its down does not leave index by_value, which was there before the step",
            "set/5_loses.sql:3: its down does not leave table readings, which was there before the step",
            "set: 5 steps, 4 errors, 0 warnings",
        ])
    }

    @Test func anUpThatDoesNotRunASecondTimeIsFound() throws {
        let bench = try Bench(["1_a.sql": """
            -- migrate:up
            CREATE TABLE a (x INTEGER PRIMARY KEY);
            -- migrate:down
            DROP TABLE a;
            """, "2_row.sql": """
            -- migrate:up
            INSERT INTO a VALUES (1);
            -- migrate:down
            """])
        let found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines.first == "set/2_row.sql:2: up again after its down: UNIQUE constraint failed: a.x", "\(found)")
    }

    @Test func aTableThatADownMakesAnewIsTheSameTable() throws {
        let bench = try Bench(["1_a.sql": "CREATE TABLE \"a\" (\n  x TEXT, -- what; for\n  y TEXT DEFAULT '--' /* none */);\n", "2_wide.sql": """
            -- migrate:up
            ALTER TABLE a ADD COLUMN z TEXT;
            -- migrate:down
            CREATE TABLE new (x TEXT, y TEXT DEFAULT '--');
            INSERT INTO new SELECT x, y FROM a;
            DROP TABLE a;
            ALTER TABLE new RENAME TO a;
            """])
        #expect(try findings(bench).code == 0)
    }

    @Test func aStepWithoutADownIsAWarningOrAnError() throws {
        let bench = try Bench.sound()
        try bench.write("4_more.sql", "CREATE TABLE more (x);\n")
        let found = try findings(bench)
        #expect(found.code == 0)
        #expect(found.lines.first == "set/4_more.sql: warning: no down: an older image cannot undo it")
        #expect(try findings(bench, "--require-downs", "yes").code == 1)
    }

    @Test func forbiddenStatementsAndSyntaxErrorsComeWithFileAndLine() throws {
        let bench = try Bench.sound()
        try bench.write("4_attach.sql", "CREATE TABLE x (a);\nATTACH 'other.db' AS other;\n")
        var found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines.contains { $0.hasPrefix("set/4_attach.sql:2: ATTACH") }, "\(found)")
        try bench.write("4_attach.sql", "-- migrate:up\n\nCREATE TABEL x (a);\n-- migrate:down\n")
        found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines.contains { $0.hasPrefix("set/4_attach.sql:3: near \"TABEL\"") }, "\(found)")
        try bench.write("4_attach.sql", "-- migrate:upp\nCREATE TABLE x (a);\n")
        found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines.contains { $0.hasPrefix("set/4_attach.sql:1: ") }, "\(found)")
        try bench.write("4_attach.sql", "CREATE TABLE x (a);\n")
        try bench.write("004_again.sql", "CREATE TABLE y (a);\n")
        #expect(try findings(bench).code == 1)
    }

    @Test func aStepThatRunsAloneIsTriedUpDownAndUp() throws {
        let bench = try Bench(["1_a.sql": """
            -- migrate:up transaction:false
            CREATE TABLE a (x);
            VACUUM;
            -- migrate:down transaction:false
            CREATE TABLE b (x);
            VACUUM;
            """])
        let found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines.first == "set/1_a.sql:4: its down leaves table a, which was not there before the step")
    }

    @Test func orphansThatTheStepsMakeAreFound() throws {
        let bench = try Bench(["1_a.sql": """
            CREATE TABLE parents (id INTEGER PRIMARY KEY);
            CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents);
            INSERT INTO children VALUES (1, 77);
            """])
        let found = try findings(bench)
        #expect(found.code == 1)
        #expect(found.lines.contains { $0.hasPrefix("set: after all steps: foreign key children → parents: 1 rows") }, "\(found)")
    }

    @Test func stepsAreTriedOnACopyOfADatabaseWithRowsWhichStaysAsItIs() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("migrate").code == 0)
        // As an application leaves it that a power cut stops: rows in the WAL, none in the file.
        _ = try Tool.run("/usr/bin/env", [
            "sqlite3", bench.database, "PRAGMA journal_mode=WAL; INSERT INTO readings (value) VALUES (1), (1)", ".system kill -9 $PPID",
        ])
        try bench.write("4_unique.sql", "-- migrate:up\nCREATE UNIQUE INDEX one ON readings (value);\n-- migrate:down\nDROP INDEX one;\n")
        func bytes() throws -> [Data] {
            try ["", "-wal"].map { try Data(contentsOf: URL(fileURLWithPath: bench.database + $0)) }
        }
        let before = try bytes()
        #expect(before[1].count > 0)
        #expect(try findings(bench).code == 0)
        let found = try findings(bench, "--database", bench.database)
        #expect(found.code == 1)
        #expect(found.lines.first == "set/4_unique.sql:2: UNIQUE constraint failed: readings.value (on a copy of data/app.db)", "\(found)")
        #expect(try bytes() == before)
        #expect(try bench.sql("SELECT max(version) FROM schema_migrations") == "3")
    }

    @Test func driftAndOrderAreJudgedByADatabasesHistory() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("migrate").code == 0)
        try bench.write("3_index.sql", "-- migrate:up\nCREATE INDEX by_value ON readings (value, unit);\n-- migrate:down\nDROP INDEX by_value;\n")
        #expect(try findings(bench).code == 0)
        let drift = try findings(bench, "--database", bench.database)
        #expect(drift.code == 1)
        #expect(drift.lines.first == "set/3_index.sql: changed after it was applied to data/app.db")
        try FileManager.default.removeItem(atPath: bench.set + "/3_index.sql")
        _ = try bench.sql("DELETE FROM schema_migrations WHERE version = 2; ALTER TABLE readings DROP COLUMN unit")
        let order = try findings(bench, "--database", bench.database)
        #expect(order.code == 0)
        #expect(order.lines.first == "set/2_add_unit.sql: warning: older than step 3, which data/app.db has")
        #expect(try findings(bench, "--database", bench.database, "--strict-order", "yes").code == 1)
    }

    @Test func findingsAreObjectsInJSON() throws {
        let bench = try Bench.sound()
        try bench.write("4_x.sql", "SELEC 1;\n")
        let check = try bench.json("check")
        let finding = try #require((check["findings"] as? [[String: Any]])?.last)
        #expect(finding["level"] as? String == "error")
        #expect(finding["line"] as? Int == 1)
        #expect(finding["file"] as? String == bench.set + "/4_x.sql")
        #expect(check["steps"] as? Int == 4)
    }

    // ---- snapshot and restore ----

    @Test func aSnapshotIsTakenToldAndPutBack() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("snapshot").code == 1)
        #expect(try bench.ctl("restore").code == 1)
        #expect(try bench.ctl("migrate").code == 0)
        _ = try bench.sql("INSERT INTO readings (value) VALUES (1)")
        let snapshot = try bench.json("snapshot")
        let path = try #require(snapshot["path"] as? String)
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(try bench.ctl("snapshot").output.hasSuffix("\(path)\n"))
        _ = try bench.sql("DELETE FROM readings")
        let list = try bench.run(["restore", "--database", bench.database, "--list", "--json"]).output
        let all = try #require(try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
        #expect(all.map { $0["snapshot"] as? Int } == [2, 1])
        // The wanted schema, and what was written after the snapshot is gone.
        #expect(try bench.ctl("restore").code == 4)
        #expect(try bench.sql("SELECT count(*) FROM readings") == "1")
        #expect(try bench.run(["restore", "--database", bench.database, "--snapshot", "1"]).code == 4)
        #expect(try bench.sql("SELECT count(*) FROM readings") == "0")
        for wrong in ["77", "pinned"] {
            let result = try bench.ctl("restore", "--snapshot", wrong)
            #expect(result.code == 1 && result.errors.contains("Nothing was done"), "\(result)")
        }
    }

    @Test func whileAnotherProcessHasTheDatabaseOpenOnlyASnapshotIsTaken() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("migrate").code == 0)
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        other.arguments = ["sqlite3", bench.database]
        let (input, output) = (Pipe(), Pipe())
        other.standardInput = input
        other.standardOutput = output
        try other.run()
        defer {
            try? input.fileHandleForWriting.close()
            other.waitUntilExit()
        }
        try input.fileHandleForWriting.write(contentsOf: Data("INSERT INTO readings (value) VALUES (5) RETURNING id;\n".utf8))
        _ = output.fileHandleForReading.availableData
        for command in ["migrate", "rollback", "restore"] {
            let result = try bench.ctl(command)
            #expect(result.code == 1)
            #expect(result.errors.contains("\(bench.database): another process has it open"), "\(result)")
            #expect((try bench.json(command)["error"] as? String)?.contains("has it open") == true)
        }
        let snapshot = try bench.json("snapshot")
        let path = try #require(snapshot["path"] as? String)
        let rows = try Tool.run("/usr/bin/env", ["sqlite3", path, "SELECT value FROM readings"]).output
        #expect(rows == "5.0\n")
        try bench.write("4_more.sql", "CREATE TABLE more (x);\n")
        #expect(try bench.ctl("check").code == 0)
    }

    // ---- new ----

    @Test func aNewMigrationIsNumberedAfterTheOthers() throws {
        let bench = try Bench()
        func new(_ title: String) throws -> String {
            let path = try bench.run(["new", title, "--migrations", bench.set]).output.trimmingCharacters(in: .newlines)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "-- migrate:up\n\n-- migrate:down\n")
            return path.replacingOccurrences(of: bench.set + "/", with: "")
        }
        let first = try new("Add the sensors' Table!")
        #expect(first.hasSuffix("_add_the_sensors_table.sql"))
        let stamp = try #require(Int(first.prefix(14)))
        let format = DateFormatter()
        format.dateFormat = "yyyyMMddHHmmss"
        format.timeZone = TimeZone(identifier: "UTC")
        #expect(abs(try #require(Int(format.string(from: Date()))) - stamp) < 100)
        // Ahead of this clock: a colleague's, or this machine's is wrong.
        try bench.write("20991231235959_future.sql", "CREATE TABLE f (x);\n")
        #expect(try new("x") == "20991231235960_x.sql")
        #expect(try new("x") == "20991231235961_x.sql")
    }

    @Test func smallNumbersGoOnInTheirWidth() throws {
        let bench = try Bench(["0000_a.sql": "", "notes.txt": ""])
        #expect(try bench.run(["new", "b", "--migrations", bench.set]).output.hasSuffix("/0001_b.sql\n"))
        try bench.write("0009_b.sql", "")
        #expect(try bench.run(["new", "c", "--migrations", bench.set]).output.hasSuffix("/0010_c.sql\n"))
        try bench.write("9223372036854775807_last.sql", "")
        let result = try bench.run(["new", "c", "--migrations", bench.set])
        #expect(result.code == 1 && result.errors.contains("Nothing was written"), "\(result)")
    }

    @Test func aDateInAFoldersNameIsNoSmallNumber() throws {
        let bench = try Bench()
        try FileManager.default.createDirectory(atPath: bench.set + "/2091-01-01-000000_create", withIntermediateDirectories: true)
        try bench.write("2091-01-01-000000_create/up.sql", "CREATE TABLE a (x);\n")
        #expect(try bench.run(["new", "c", "--migrations", bench.set]).output.hasSuffix("/20910101000001_c.sql\n"))
    }

    // ---- The command line ----

    /// The arguments, and what the message must name.
    static let senseless: [([String], String)] = [
        (["plan", "--frob", "1"], "--frob: unknown option of plan"), (["plan", "--timeout", "1s"], "--timeout: unknown option of plan"),
        (["plan", "-x"], "-x: unknown option"), (["", "x"], "unknown command \"\""),
        (["plan", "--verify"], "--verify: its value is missing"), (["migrate", "--on-newer", ""], "--on-newer: its value is missing"),
        (["migrate", "--step", "0"], "--step 0: it must be 1 to"), (["migrate", "--to", "-1"], "--to -1: it must be a version"),
        (["migrate", "--step", "1", "--to", "2"], "--to 2: --to and --step exclude"),
        (["restore", "--snapshot", "none"], "--snapshot none: it must be"), (["restore", "--list=yes"], "--list takes no value"),
        (["check", "--require-downs", "perhaps"], "--require-downs perhaps: it must be yes or no"),
        (["new"], "TITLE is missing"), (["new", "!!", "--migrations", "set"], "\"!!\""),
        (["new", "a", "b", "--migrations", "set"], "\"b\""), (["check", "--database", "x.db"], "--migrations DIR is missing"),
        (["migrate", "--adopt", "liquibase"], "--adopt liquibase: it must be auto"),
        (["rollback", "--extensions", "relative.so"], "--extensions relative.so: it must be a list of absolute paths"),
        (["snapshot", "--quarantine", "0"], "--quarantine 0: it must be"), (["status", "app"], "\"app\": nothing was expected"),
        (["report", "app"], "\"app\": nothing was expected"), (["report", "--output"], "--output: its value is missing"),
        (["migrate", "app", "--database", "x.db", "--migrations", "set"], "\"app\": either"),
        (["migrate", "--config", "/nowhere.conf"], "/nowhere.conf has no [database NAME]"),
    ]

    @Test(arguments: senseless)
    func whatMakesNoSenseIsNamedAndExitsTwo(arguments: [String], named: String) throws {
        let result = try Tool.run("\(Tool.directory!)/firstlightctl", arguments)
        #expect(result.code == 2, "\(result)")
        #expect(result.output.isEmpty && result.errors.contains("usage: firstlightctl"), "\(result)")
        #expect(result.errors.contains(named), "\(result)")
        let json = try Tool.run("\(Tool.directory!)/firstlightctl", arguments + ["--json"])
        #expect(json.code == 2)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: String])
        #expect(object["error"]?.contains(named) == true)
    }

    @Test func theUsageFitsATerminalAndNamesEveryOption() throws {
        let usage = try Tool.ctl("help").output
        for line in usage.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        for option in [
            "require", "timeout", "output", "reason", "reboot", "to", "step", "require-downs", "snapshot", "list", "config", "database",
            "migrations", "verify", "snapshots", "quarantine", "on-failure", "keep-tables", "on-newer", "adopt", "strict-order", "extensions",
            "json", "help", "version",
        ] { #expect(usage.contains("--\(option)"), "\(option)") }
        #expect(try Tool.ctl("migrate", "--help").output == usage)
        #expect(try Tool.ctl("--version").output.hasPrefix("firstlightctl "))
    }

    @Test func everySettingOfTheConfigurationIsAnOption() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl(
            "migrate", "--verify", "quick", "--snapshots=3", "--quarantine", "2", "--on-failure", "restore,keep", "--on-newer", "keep",
            "--adopt", "none", "--strict-order", "no").code == 0)
        // Kept as it is, where the default takes it back.
        try FileManager.default.removeItem(atPath: bench.set + "/3_index.sql")
        #expect(try bench.ctl("migrate", "--on-newer", "keep").code == 3)
        #expect(try bench.ctl("migrate", "--on-newer", "stop").code == 1)
        #expect(try bench.json("migrate")["outcome"] as? String == "downgraded")
        let extensions = try bench.ctl("migrate", "--extensions", "/nowhere/spatial.so", "--to", "2")
        #expect(!(extensions.output + extensions.errors).contains("cannot print value"))
    }

    @Test(.enabled(if: Tool.isStatic && geteuid() == 0, "only a static firmware loads no extension, and an extension must be root's"))
    func aStaticFirmwareSaysThatItLoadsNoExtension() throws {
        let bench = try Bench.sound()
        #expect(try bench.ctl("migrate", "--to", "2").code == 0)
        let library = bench.root + "/x.so"
        try "int sqlite3_x_init(void) { return 0; }".write(toFile: bench.root + "/x.c", atomically: false, encoding: .utf8)
        let compiler = try Tool.run("/usr/bin/env", ["clang", "-shared", "-fPIC", "-o", library, bench.root + "/x.c"])
        try #require(compiler.code == 0, "clang is part of the Swift toolchain: \(compiler.errors)")
        let seen = try bench.ctl("migrate", "--extensions", library)
        #expect(seen.code == 3, "\(seen)")
        #expect((seen.output + seen.errors).contains("load extension \(library) for"), "\(seen)")
        #expect((seen.output + seen.errors).contains("Dynamic loading not supported"), "\(seen)")
        #expect(try bench.ctl("migrate").code == 0)
    }

    // ---- Whatever is there ----

    @Test(arguments: ["plan", "migrate", "rollback", "check", "snapshot", "restore", "restore --list"])
    func nothingThatLiesWhereADatabaseShouldBeCrashesIt(command: String) throws {
        let bench = try Bench.sound()
        var noise = SystemRandomNumberGenerator()
        let random = Data((0..<9000).map { _ in UInt8.random(in: 0...255, using: &noise) })
        let files: [(String, Data?)] = [
            ("random", random), ("headed", Data("SQLite format 3\0".utf8) + random), ("short", random.prefix(100)), ("empty", Data()),
            ("directory", nil), ("missing", nil),
        ]
        for (name, bytes) in files {
            let path = "\(bench.root)/data/\(name).db"
            if name == "directory" { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
            if let bytes { try bytes.write(to: URL(fileURLWithPath: path)) }
            let words = command.split(separator: " ").map { String($0) }
            let result = try bench.run([words[0], "--database", path, "--migrations", bench.set] + words.dropFirst())
            #expect((0...4).contains(result.code) && result.code != 2, "\(name): \(result)")
            #expect(!(result.output + result.errors).isEmpty, "\(name)")
            if ["random", "headed"].contains(name) {
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes, "\(name): \(result)")
            }
            #expect(bench.scratch.isEmpty)
        }
    }

    @Test(arguments: ["plan", "migrate", "check", "new x"])
    func aMissingDirectoryGetsASentence(command: String) throws {
        let bench = try Bench()
        let words = command.split(separator: " ").map { String($0) }
        let target = words[0] == "new" || words[0] == "check" ? [] : ["--database", bench.database]
        let result = try bench.run(words + target + ["--migrations", bench.root + "/nowhere"])
        #expect([1, 3].contains(result.code), "\(result)")
        #expect((result.output + result.errors).contains("nowhere"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: bench.database))
    }
}
