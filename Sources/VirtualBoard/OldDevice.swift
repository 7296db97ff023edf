#if Lab
import AutoMigrator
import Foundation
import Linux
import SQLite

/// The database of a data logger that left the factory two years ago: the example appliance's schema after step 4, with 50,000
/// readings.
public enum OldDevice {
    public static let readings: Int64 = 50_000
    private static let steps = 4

    /// Makes it at `file` from the appliance's own migrations.
    public static func make(at file: URL, migrations: URL, in scratch: Scratch) throws {
        let set = scratch.fresh("migrations")
        try FileManager.default.createDirectory(at: set, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: set) }
        let names = try FileManager.default.contentsOfDirectory(atPath: migrations.path).sorted().prefix(steps)
        for name in names {
            try FileManager.default.copyItem(
                at: migrations.appendingPathComponent(name), to: set.appendingPathComponent(name))
        }
        let directory = scratch.fresh("old-device")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let made = directory.appendingPathComponent("app.db")
        var boot = RepositoryBoot(
            Repository(name: "app", path: made.path, migrations: set.path), reporter: .silent)
        let report = boot.run(unclean: false)
        guard report.outcome == .migrated else { throw BoardError("the old device's schema: \(report.reason ?? "?")") }
        do {
            let database = try Database(made.path, .readWrite)
            try database.execute(rows)
        }
        // The device never knew Firstlight: of what lies beside the database nothing comes along.
        try FileManager.default.moveItem(at: made, to: file)
        try FileManager.default.removeItem(at: directory)
    }

    /// A reading every 15 minutes from six sensors in turn, from January 2024 on: daily and yearly waves, and two meters that only rise.
    private static let rows = """
        BEGIN;
        INSERT INTO sensors (id, serial, name, kind, unit, added_at, location) VALUES
            (1, '28-0301A2791B', 'Flow', 'temperature', '°C', 1704067200, 'boiler room'),
            (2, '28-0301A279C4', 'Return', 'temperature', '°C', 1704067200, 'boiler room'),
            (3, '28-0301A27A02', 'Outside', 'temperature', '°C', 1704067200, 'north wall'),
            (4, '28-0301A27A1F', 'Attic', 'temperature', '°C', 1704067200, NULL),
            (5, 'EM24-0017734', 'Heat pump', 'energy', 'kWh', 1704067200, 'cabinet'),
            (6, 'EM24-0017735', 'Household', 'energy', 'kWh', 1704067200, 'cabinet');
        UPDATE settings SET value = 'Maple Street 4' WHERE key = 'display-name';
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < \(readings - 1))
        INSERT INTO readings (sensor_id, taken_at, value)
            SELECT i % 6 + 1, 1704067200 + (i / 6) * 900,
                CASE WHEN i % 6 < 4 THEN round(20 + 5 * (i % 6) + ((i / 6) % 96 - 48) / 16.0, 1)
                ELSE round((i / 6) * (0.25 + (i % 6) * 0.05), 3) END
            FROM n;
        COMMIT;
        """
}
#endif
