#if Lab
import Foundation
import VirtualBoard

/// Everything that story and desk put on a board: firmwares and disks.
struct Workshop {
    let scratch: Scratch
    let images: BoardImages
    /// As built: the example appliance's migrations.
    let firmware: Firmware
    private let migrations: URL
    private let files: [String: String]
    private let daemon: Data?

    static let directory = "/usr/share/firstlight/migrations/app"
    private static let next = "\(directory)/20260601090000_add_alarms.sql"
    private static let addAlarms = """
        -- migrate:up
        CREATE TABLE alarms (
            id INTEGER PRIMARY KEY,
            sensor_id INTEGER NOT NULL REFERENCES sensors (id) ON DELETE CASCADE,
            above REAL NOT NULL
        );
        INSERT INTO alarms (sensor_id, above) SELECT id, 90 FROM sensors WHERE kind = 'temperature';

        -- migrate:down
        DROP TABLE alarms;
        """
    private static let addAlarmsBroken = """
        -- migrate:up
        CREATE TABLE alarms (id INTEGER PRIMARY KEY, sensor_id INTEGER NOT NULL);
        DELETE FROM readings WHERE sensor_id = 1;
        INSERT INTO alarm (sensor_id) SELECT id FROM sensors;
        """

    /// - Parameters:
    ///   - daemon: a firstlightd in the place of the one that the board was built with.
    ///   - scratch: somebody else's, for its files; else it has its own.
    init(board: URL, migrations: URL, daemon: Data? = nil, in scratch: Scratch? = nil) throws {
        self.scratch = try scratch ?? Scratch()
        images = try BoardImages(board)
        let built = try Firmware(images)
        firmware = daemon.map { built.adding("/usr/sbin/firstlightd", $0, mode: 0o755) } ?? built
        self.daemon = daemon
        self.migrations = migrations
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: migrations.path) {
            files[name] = try String(contentsOf: migrations.appendingPathComponent(name), encoding: .utf8)
        }
        self.files = files
    }

    /// The same for the board whose init is systemd.
    func systemd() throws -> Workshop {
        let board = images.directory.deletingLastPathComponent().appendingPathComponent("board-systemd")
        guard FileManager.default.fileExists(atPath: board.path) else {
            throw BoardError("\(board.path) is missing; scripts/build-image --init systemd makes it")
        }
        return try Workshop(board: board, migrations: migrations, daemon: daemon, in: scratch)
    }

    /// The next release: one more step.
    var nextFirmware: Firmware { firmware.adding(Self.next, Self.addAlarms) }

    /// The same release as it should not have left the house: it fails after it has thrown rows away.
    var brokenFirmware: Firmware { firmware.adding(Self.next, Self.addAlarmsBroken) }

    /// The reference disk, flashed onto a card of so many MiB.
    func card(of size: Int) throws -> DataDisk { try DataDisk(flashed: built("firstlight.img"), size: size, in: scratch) }

    /// What is in a slot of the reference disk.
    func slot() throws -> SlotImage { try SlotImage(built("root.ext4"), in: scratch) }

    /// The slot's counterparts of the two firmwares above.
    func nextSlot() throws -> SlotImage { try slot().adding(Self.next, Self.addAlarms, in: scratch) }
    func brokenSlot() throws -> SlotImage { try slot().adding(Self.next, Self.addAlarmsBroken, in: scratch) }

    private func built(_ name: String) throws -> URL {
        let file = images.directory.deletingLastPathComponent().appendingPathComponent("disk/\(name)")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw BoardError("\(file.path) is missing; scripts/build-disk makes it")
        }
        return file
    }

    /// The next release with a step that takes seconds.
    var slowFirmware: Firmware {
        firmware.adding(
            "\(Self.directory)/20240206000000_think.sql",
            """
            -- migrate:up
            CREATE TABLE thoughts (n INTEGER);
            INSERT INTO thoughts WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000000) SELECT sum(i) FROM n;
            """)
    }

    /// Its very first step does not work.
    var stillbornFirmware: Firmware {
        firmware.replacing(
            directory: Self.directory, with: ["20240205090000_create_sensors.sql": "-- migrate:up\nCREATE TABEL sensors (id);\n"])
    }

    var firmwareWithoutMigrations: Firmware { firmware.removing(Self.directory) }

    func blankDisk() throws -> DataDisk { try DataDisk(blank: images, in: scratch) }

    func oldDisk() throws -> DataDisk { try DataDisk(images, database: oldDatabase(), in: scratch) }

    /// The reference disk on a card of so many MiB, with the data of a device that is two years old.
    func oldCard(of size: Int) throws -> DataDisk {
        let card = try card(of: size)
        try card.format(with: oldDatabase())
        return card
    }

    private func oldDatabase() throws -> URL {
        let database = scratch.fresh("app.db")
        try OldDevice.make(at: database, migrations: migrations, in: scratch)
        return database
    }
}
#endif
