#if Lab
import Foundation

extension Scenario {
    static let all: [Scenario] = [
        firstBoot, nothingToDo, upgrade, upgradeOfTen, failingStep, restore, rebuild, downgrade, rotation, hotJournal, hotWAL, nearlyFull, fullWAL,
        salvage, salvagePart, damageMet, format, carriedOver, factoryReset, resetOfOthers, resetKeeping, resetOfDatabases, olderImage, gone, allGone, tornBesideWAL, badSnapshot, failingBehindCommit,
    ]

    // ---- The images ----

    static let one = [
        "1_start.sql": """
            -- migrate:up
            CREATE TABLE identity (serial TEXT);
            INSERT INTO identity VALUES ('FL-0001');
            CREATE TABLE readings (id INTEGER PRIMARY KEY, name TEXT, value REAL);
            CREATE INDEX by_name ON readings (name);
            CREATE TABLE heartbeat (beat TEXT);
            """
    ]
    static let two = one.merging(
        [
            "2_unit.sql": """
                -- migrate:up
                ALTER TABLE readings ADD COLUMN unit TEXT;
                UPDATE readings SET unit = 'degree ' || id;
                CREATE TABLE alarms (id INTEGER PRIMARY KEY, reading INTEGER);
                INSERT INTO alarms (reading) SELECT id FROM readings WHERE id % 3 = 0;
                -- migrate:down
                DROP TABLE alarms;
                ALTER TABLE readings DROP COLUMN unit;
                """
        ]) { $1 }
    static let twoWithoutDown = two.mapValues { $0.components(separatedBy: "-- migrate:down")[0] }
    static let ten = one.merging(
        Dictionary(
            uniqueKeysWithValues: (2...11).map { step in
                step == 6
                    ? ("6_vacuum.sql", "-- migrate:up transaction:false\nVACUUM;")
                    : (
                        "\(step)_step.sql",
                        """
                        CREATE TABLE t\(step) (x);
                        INSERT INTO t\(step) SELECT name FROM readings WHERE id % \(step) = 0;
                        UPDATE readings SET value = value + \(step);
                        """
                    )
            })
    ) { $1 }
    private static let wrong = "UPDATE readings SET name = 'gone'; INSERT INTO nowhere VALUES (1);"
    static let brokenBehindCommit = ten.merging(["7_step.sql": wrong]) { $1 }
    static let broken = two.merging(["3_broken.sql": wrong]) { $1 }

    private static func forgetSnapshots(_ machine: Machine) throws {
        try machine.mounted {
            for name in try FileManager.default.contentsOfDirectory(atPath: machine.state + "/snapshots") {
                unlink("\(machine.state)/snapshots/\(name)")
            }
        }
    }

    // ---- The scenarios ----

    /// The steps run past it, and the check behind them finds it.
    static let damageMet = Scenario(
        name: "damage beside the steps",
        prepare: { machine in
            try fielded(machine, after: "CREATE TABLE notes (text); INSERT INTO notes SELECT name FROM readings; CREATE INDEX by_text ON notes (text)")
            try damage(machine, tree: "by_text", letter: true)
            try install(machine, two)
        }, outcome: "restored", isLoud: true, isReplaced: true)

    static let firstBoot = Scenario(
        name: "first boot",
        prepare: { machine in
            machine.contents = [UInt8](repeating: 0, count: Machine.size)
            try install(machine, one)
        }, outcome: "migrated", before: ["failed", "volatile"])

    static let nothingToDo = Scenario(
        name: "nothing to do",
        prepare: { machine in
            try fielded(machine)
            try install(machine, one)
        }, outcome: "current", before: ["current", "restored", "failed"])

    static let upgrade = Scenario(
        name: "upgrade",
        prepare: { machine in
            try fielded(machine)
            try install(machine, two)
        }, outcome: "migrated")

    static let upgradeOfTen = Scenario(
        name: "upgrade of ten steps",
        prepare: { machine in
            try fielded(machine)
            try install(machine, ten)
        }, outcome: "migrated")

    static let failingStep = Scenario(
        name: "failing step",
        prepare: { machine in
            try fielded(machine)
            try install(machine, broken)
        }, outcome: "restored", isLoud: true)

    static let restore = Scenario(
        name: "restore",
        prepare: { machine in
            try fielded(machine)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: machine.database))
            try file.write(contentsOf: Data(repeating: 0x5A, count: 4096))
            try file.close()
            try install(machine, one)
        }, outcome: "restored", isLoud: true, loses: true, isReplaced: true)

    static let rebuild = Scenario(
        name: "rebuild",
        prepare: { machine in
            try restore.prepare(machine)
            try forgetSnapshots(machine)
        }, outcome: "rebuilt", isLoud: true, loses: true, isReplaced: true)

    static let downgrade = Scenario(
        name: "downgrade",
        prepare: { machine in
            try fielded(machine)
            machine.unmount()
            machine.set = two
            try machine.install()
            _ = try machine.boot()
            try install(machine, one)
        }, outcome: "downgraded", before: ["ahead", "failed"])

    static let rotation = Scenario(
        name: "snapshot rotation at the limit",
        prepare: { machine in
            try fielded(machine)
            machine.unmount()
            machine.set = two
            try machine.install()
            _ = try machine.boot()
            try Application(path: machine.database).execute("INSERT INTO readings (name) VALUES ('one more')")
            machine.unmount()
            try install(machine, two.merging(["3_more.sql": "CREATE TABLE more (x);"]) { $1 }, keys: ["snapshots = 1"])
        }, outcome: "migrated")

    static let hotJournal = Scenario(
        name: "hot rollback journal",
        prepare: { machine in
            try fielded(machine)
            try cutApplication(machine, "UPDATE readings SET name = 'never committed', value = -1")
            try install(machine, two)
        }, outcome: "migrated")

    static let hotWAL = Scenario(
        name: "hot WAL",
        prepare: { machine in
            try fielded(machine, mode: "WAL")
            try cutApplication(
                machine, "COMMIT; UPDATE readings SET value = -id WHERE id % 2; BEGIN; UPDATE readings SET name = 'never committed'")
            try install(machine, two)
        }, outcome: "migrated")

    static let nearlyFull = Scenario(
        name: "nearly full disk",
        prepare: { machine in
            try fielded(machine, rows: 3000)
            // Room for the journal of an upgrade, and for no snapshot.
            shell("cd \(machine.mount) && dd if=/dev/zero of=log bs=4k 2>/dev/null; sync -f .; truncate -s -700K log; sync -f .")
            try install(machine, two)
        }, outcome: "migrated")

    static let fullWAL = Scenario(
        name: "full disk, WAL",
        prepare: { machine in
            try fielded(machine, mode: "WAL")
            machine.unmount()
            // The room that is kept for this was set aside before.
            _ = try machine.boot()
            shell("cd \(machine.mount) && dd if=/dev/zero of=log bs=4k 2>/dev/null; sync -f .")
            try install(machine, one)
        }, outcome: "current", before: ["current", "restored", "failed"])

    static let salvage = Scenario(
        name: "salvage, every row",
        prepare: { machine in
            try fielded(machine, rows: 1000)
            try damage(machine, tree: "by_name")
            try install(machine, two)
        }, outcome: "restored", isLoud: true, isReplaced: true)

    static let salvagePart = Scenario(
        name: "salvage, what can be read",
        prepare: { machine in
            try fielded(machine, rows: 1000)
            try damage(machine, tree: "readings")
            try install(machine, two, keys: ["on-failure = rebuild", "keep-tables = identity"])
        }, outcome: "rebuilt", isLoud: true, loses: true, isReplaced: true)

    static let format = Scenario(
        name: "format",
        prepare: { machine in
            try fielded(machine)
            machine.unmount()
            // Nothing that e2fsck could begin with.
            var generator = SeededGenerator(seed: 5)
            machine.change(at: 0, (0..<(Machine.size - (1 << 20))).map { _ in UInt8.random(in: 0...255, using: &generator) })
            try install(machine, one)
        }, outcome: "rebuilt", before: ["failed", "volatile"], isLoud: true, loses: true, isEmptied: true)

    /// Nothing puts the filesystem right, and mounted read-only it still gives out its files.
    static let carriedOver = Scenario(
        name: "salvage, format, copy back",
        prepare: { machine in
            try fielded(machine)
            try install(machine, one)
            try machine.disarmCheck()
            machine.clearInode(8)
        }, outcome: "current", before: ["current", "failed", "volatile"])

    static let factoryReset = Scenario(
        name: "factory reset",
        prepare: { machine in
            try fielded(machine)
            try install(machine, one)
        }, outcome: "migrated", before: ["current", "failed", "volatile"],
        order: { try $0.work("wipe") })

    // ---- Resets that were asked for before ----

    static let keptText = "to be kept\n"

    /// A device in the field, with files that are no database's, whose reset has been asked for.
    private static func toBeReset(_ machine: Machine, _ sections: String = "", keeping paths: [String] = []) throws {
        try fielded(machine)
        for path in paths + ["junk/file"] {
            let path = "\(machine.mount)/\(path)"
            try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try keptText.write(toFile: path, atomically: false, encoding: .utf8)
        }
        machine.sections = sections
        try install(machine, one)
        try machine.tool("factory-reset", "--reboot", "no", "--reason", "torture")
    }

    private static let whileReset: Set<String> = ["current", "restored", "rebuilt", "failed", "volatile"]

    /// Its filesystem reaches to the partition's end, and has backups where ours has none.
    static let resetOfOthers = Scenario(
        name: "factory reset of others' filesystem",
        prepare: { machine in
            shell("mkfs.ext4 -q -F -b 1024 \(machine.loop.path)")
            try toBeReset(machine)
        }, outcome: "migrated", before: whileReset, takesAll: true)

    static let resetKeeping = Scenario(
        name: "factory reset, files preserved",
        prepare: { try toBeReset($0, "[data]\npreserve = identity, keys/device", keeping: ["identity/serial", "keys/device"]) },
        outcome: "migrated", before: whileReset, takesAll: true, kept: ["identity/serial", "keys/device"])

    static let resetOfDatabases = Scenario(
        name: "factory reset of the databases",
        prepare: { try toBeReset($0, "[button]\nreset = database", keeping: ["app/picture", "identity/serial"]) },
        outcome: "migrated", before: whileReset, takesAll: true, kept: ["app/picture", "identity/serial", "junk/file"])

    static let olderImage = Scenario(
        name: "image older than the database",
        prepare: { machine in
            try fielded(machine)
            machine.unmount()
            machine.set = twoWithoutDown
            try machine.install()
            _ = try machine.boot()
            try install(machine, one)
        }, outcome: "downgraded", before: ["ahead", "failed"], isLoud: true, loses: true)

    static let gone = Scenario(
        name: "database gone",
        prepare: { machine in
            try fielded(machine)
            unlink(machine.database)
            try install(machine, two)
        }, outcome: "restored", isLoud: true, loses: true)

    /// Only the marker knows that there was a database.
    static let allGone = Scenario(
        name: "database and snapshots gone",
        prepare: { machine in
            try gone.prepare(machine)
            try forgetSnapshots(machine)
        }, outcome: "rebuilt", isLoud: true, loses: true)

    static let tornBesideWAL = Scenario(
        name: "torn database beside a full WAL",
        prepare: { machine in
            try fielded(machine, mode: "WAL")
            machine.unmount()
            // The snapshot behind the upgrade is in WAL mode, too: a WAL that stayed beside it would be played over it.
            machine.set = two
            try machine.install()
            _ = try machine.boot()
            try cutApplication(machine, "COMMIT; UPDATE readings SET value = -id; BEGIN")
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: machine.database))
            try file.write(contentsOf: Data(repeating: 0x5A, count: 4096))
            try file.close()
            try install(machine, two)
        }, outcome: "restored", isLoud: true, loses: true, isReplaced: true)

    static let badSnapshot = Scenario(
        name: "restore, the newest snapshot damaged",
        prepare: { machine in
            try fielded(machine)
            machine.unmount()
            machine.set = two
            try machine.install()
            _ = try machine.boot()
            let names = try FileManager.default.contentsOfDirectory(atPath: machine.state + "/snapshots").sorted()
            let newest = URL(fileURLWithPath: "\(machine.state)/snapshots/\(names.last { $0.hasSuffix(".db") }!)")
            var bytes = try Data(contentsOf: newest)
            // In the table and in its index: no check of SQLite's finds it (RULES.md S4).
            while let place = bytes.range(of: Data("reading number 200".utf8)) { bytes[place.upperBound - 1] ^= 1 }
            try bytes.write(to: newest)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: machine.database))
            try file.write(contentsOf: Data(repeating: 0x5A, count: 4096))
            try file.close()
            try install(machine, two)
        }, outcome: "restored", isLoud: true, loses: true, isReplaced: true)

    static let failingBehindCommit = Scenario(
        name: "failing step behind a committed one",
        prepare: { machine in
            try fielded(machine, mode: "WAL")
            try cutApplication(machine, "COMMIT; UPDATE readings SET value = -id; BEGIN")
            try install(machine, brokenBehindCommit)
        }, outcome: "restored", isLoud: true)
}
#endif
