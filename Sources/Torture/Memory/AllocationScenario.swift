#if Lab
import AutoMigrator
import Foundation
import Linux

/// A boot of one repository during which SQLite is refused memory.
public enum AllocationScenario: String, CaseIterable, Sendable {
    case firstBoot = "first-boot"
    case nothingToDo = "nothing-to-do"
    case upgrade
    /// In WAL mode, with committed rows in the WAL that a cut left.
    case upgradeWAL = "upgrade-wal"
    case failingStep = "failing-step"
    /// By the downs stored in the database.
    case downgrade
    /// A damaged file, and two sealed snapshots.
    case restore
    /// A damaged index, after an unclean shutdown: every row can be read.
    case salvage
    case hotJournal = "hot-journal"
    case leftoverWAL = "leftover-wal"

    /// The image has a step more than the database.
    var isPending: Bool { self == .upgrade || self == .upgradeWAL || self == .failingStep }

    /// The image's migrations.
    var migrations: [String: String] {
        var files = HostileAppliance.migrations(.plain, pending: isPending)
        if self == .failingStep {
            files["20240701080000_broken.sql"] = "UPDATE readings SET value = 0;\nINSERT INTO nowhere VALUES (1);\n"
        }
        return files
    }

    /// How a boot with all the memory it wants ends.
    var outcome: Outcome {
        switch self {
        case .firstBoot, .upgrade, .upgradeWAL: .migrated
        case .nothingToDo, .hotJournal, .leftoverWAL: .current
        case .failingStep, .restore, .salvage: .restored
        case .downgrade: .downgraded
        }
    }

    /// The files before the boot.
    func files(_ folder: String) throws -> HostileTree {
        try FileSystem.removeTree("\(folder)/data")
        try FileSystem.makeDirectories("\(folder)/data/app")
        if self == .firstBoot { return try HostileTree("\(folder)/data") }
        try AllocationBoot(folder, HostileAppliance.migrations(.plain, pending: false)).expect(.migrated)
        let path = "\(folder)/data/\(HostileTemplate.database)"
        let isWAL = self == .upgradeWAL || self == .leftoverWAL
        try execute(path, "PRAGMA journal_mode=\(isWAL ? "WAL" : "DELETE"); BEGIN; \(Self.rows) COMMIT")
        if self == .restore || self == .salvage {
            var boot = try AllocationBoot(folder, migrations).boot()
            _ = try boot.snapshot()
            try execute(path, "DELETE FROM events WHERE id > 20")
        }
        if self == .downgrade {
            // The newer image took a snapshot that this one knows, and the application wrote since.
            try AllocationBoot(folder, HostileAppliance.migrations(.plain, pending: true)).expect(.migrated)
            try execute(path, "UPDATE readings SET value = value + 2; DELETE FROM events WHERE id > 20")
        }
        var tree = try HostileTree("\(folder)/data")
        switch self {
        case .restore:
            var generator = SeededGenerator(seed: 3)
            tree[HostileTemplate.database] = .file(generator.bytes(40_000))
        case .salvage:
            let leaves = HostileConnection(path).column(
                "SELECT pageno FROM dbstat WHERE name = 'readings_by_sensor' AND pagetype = 'leaf'")
            guard let number = leaves?.first.flatMap({ Int($0) }), var bytes = tree.data(HostileTemplate.database) else {
                throw HostileError("\(path): its index has no leaf")
            }
            let start = (number - 1) * HostileTemplate.pageSize
            bytes.replaceSubrange(start..<start + HostileTemplate.pageSize, with: Data(count: HostileTemplate.pageSize))
            tree[HostileTemplate.database] = .file(bytes)
        case .hotJournal, .upgradeWAL, .leftoverWAL:
            let database = HostileConnection(path)
            let change = "UPDATE readings SET value = value + 1; DELETE FROM files WHERE id = 2"
            let sql = isWAL ? "PRAGMA wal_autocheckpoint=0; BEGIN; \(change); COMMIT" : "PRAGMA cache_size=2; BEGIN; \(change)"
            if !database.execute(sql) { throw HostileError("\(path): \(database.message)") }
            let suffix = isWAL ? "-wal" : "-journal"
            tree[HostileTemplate.database] = .file(try HostileTree.read(path))
            tree[HostileTemplate.database + suffix] = .file(try HostileTree.read(path + suffix))
        default: break
        }
        return tree
    }

    private func execute(_ path: String, _ sql: String) throws {
        let database = HostileConnection(path)
        if !database.execute(sql) { throw HostileError("\(path): \(database.message)") }
    }

    /// Few: a boot is tried once for every allocation it makes.
    private static let rows = """
        INSERT INTO sensors VALUES (1, 'A100', 'meter', 'energy'), (2, 'A200', 'hall', 'temperature');
        INSERT INTO settings VALUES ('interval', '900'), ('name', 'logger');
        INSERT INTO readings (id, sensor_id, taken_at, value)
            SELECT i, 1 + i % 2, 1700000000 + i, i * 0.5 FROM \(HostileAppliance.numbers(1, 400));
        INSERT INTO events SELECT i, 'start', 'started for the ' || i || 'th time' FROM \(HostileAppliance.numbers(1, 30));
        INSERT INTO files VALUES (1, 'a', zeroblob(6000)), (2, 'b', zeroblob(9000));
        """
}
#endif
