#if Lab
/// The appliance whose database is damaged: a data logger, as migrations and as what its application wrote.
enum HostileAppliance {
    /// Applied to the database before it is damaged.
    static let versions: [Int64] = [20240101080000, 20240301080000]
    /// Pending in a scene whose image is ahead.
    static let pending: Int64 = 20240601080000

    static func migrations(_ schema: HostileScene.Schema, pending: Bool) -> [String: String] {
        var files = [
            "20240101080000_create.sql": """
            -- migrate:up
            CREATE TABLE sensors (
                id INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
                kind TEXT NOT NULL CHECK (kind IN ('temperature', 'energy')));
            CREATE TABLE readings (
                id INTEGER PRIMARY KEY, sensor_id INTEGER NOT NULL REFERENCES sensors (id) ON DELETE CASCADE,
                taken_at INTEGER NOT NULL, value REAL NOT NULL);
            CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
            -- migrate:down
            DROP TABLE settings;
            DROP TABLE readings;
            DROP TABLE sensors;
            """,
            "20240301080000_files_and_events.sql": """
            -- migrate:up
            CREATE INDEX readings_by_sensor ON readings (sensor_id, taken_at);
            CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, content BLOB NOT NULL);
            CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, message TEXT NOT NULL);
            CREATE TRIGGER settings_changed AFTER UPDATE OF value ON settings BEGIN
                INSERT INTO events (kind, message) VALUES ('setting', OLD.key || ' is now ' || NEW.value);
            END;
            CREATE VIEW daily AS SELECT sensor_id, taken_at / 86400 AS day, min(value) AS lowest, max(value) AS highest
                FROM readings GROUP BY 1, 2;
            \(schema == .full ? "CREATE VIRTUAL TABLE notes USING fts5(title, body);" : "")
            -- migrate:down
            \(schema == .full ? "DROP TABLE notes;" : "")
            DROP VIEW daily;
            DROP TRIGGER settings_changed;
            DROP TABLE events;
            DROP TABLE files;
            DROP INDEX readings_by_sensor;
            """,
        ]
        if pending {
            files["20240601080000_units.sql"] = """
                -- migrate:up
                ALTER TABLE readings ADD COLUMN unit TEXT;
                UPDATE readings SET unit = 'W' WHERE sensor_id = 1;
                CREATE TABLE alarms (id INTEGER PRIMARY KEY, reading_id INTEGER REFERENCES readings (id), level REAL);
                -- migrate:down
                DROP TABLE alarms;
                ALTER TABLE readings DROP COLUMN unit;
                """
        }
        return files
    }

    /// What was written before the second snapshot.
    static func earlyRows(_ schema: HostileScene.Schema) -> String {
        """
        INSERT INTO sensors VALUES (1, 'A100', 'meter', 'energy'), (2, 'A200', 'hall', 'temperature'),
            (3, 'A300', 'cellar', 'temperature'), (4, 'A400', 'roof', 'temperature');
        INSERT INTO settings SELECT 'key-' || i, 'value ' || (i * 7919 % 1000) FROM \(numbers(1, 60));
        INSERT INTO events SELECT i, 'start', 'the unit was started, for the ' || i || 'th time' FROM \(numbers(1, 150));
        \(readings(1, 1000))
        \(files(1, 8))
        \(schema == .full ? notes(1, 60) : "")
        """
    }

    /// What was written after it. Freed pages stay in the file.
    static func lateRows(_ schema: HostileScene.Schema) -> String {
        """
        \(readings(1001, 2000))
        UPDATE settings SET value = 'late' WHERE key IN ('key-7', 'key-8');
        \(files(9, 14))
        DELETE FROM files WHERE id IN (2, 5, 11);
        \(schema == .full ? notes(61, 90) : "")
        """
    }

    /// Touches many pages: for a transaction that is cut short, or one that is still in the WAL.
    static let change = """
        UPDATE readings SET value = value + 0.25 WHERE id % 3 = 0;
        UPDATE settings SET value = 'changed' WHERE key LIKE 'key-1%';
        \(readings(2001, 2200))
        \(files(15, 17))
        """

    /// Another unit's life: what its sidecars do to our database is a stranger's doing.
    static func strangersRows(_ schema: HostileScene.Schema) -> String {
        """
        INSERT INTO sensors VALUES (1, 'Z900', 'boiler', 'temperature'), (7, 'Z907', 'yard', 'temperature');
        INSERT INTO settings SELECT 'other-' || i, 'thing ' || i FROM \(numbers(1, 90));
        INSERT INTO readings SELECT i, 7, 1600000000 + i * 60, i * 1.5 FROM \(numbers(1, 900));
        \(files(1, 10))
        \(schema == .full ? notes(1, 20) : "")
        """
    }

    /// A subquery with one column `i`.
    static func numbers(_ first: Int, _ last: Int) -> String {
        "(WITH RECURSIVE n(i) AS (SELECT \(first) UNION ALL SELECT i + 1 FROM n WHERE i < \(last)) SELECT i FROM n)"
    }

    private static func readings(_ first: Int, _ last: Int) -> String {
        "INSERT INTO readings SELECT i, 1 + i % 4, 1700000000 + i * 900, (i * 7919 % 10007) / 16.0 FROM \(numbers(first, last));"
    }

    /// Blobs with overflow chains of three pages. Their bytes are a pattern: nothing here is random.
    private static func files(_ first: Int, _ last: Int) -> String {
        """
        INSERT INTO files SELECT i, 'file-' || i || '.bin',
            CAST(substr(replace(hex(zeroblob(6000)), '0', char(65 + i % 26, 97 + i * 5 % 26)), 1, 9000 + i) AS BLOB)
            FROM \(numbers(first, last));
        """
    }

    private static func notes(_ first: Int, _ last: Int) -> String {
        """
        INSERT INTO notes SELECT 'note ' || i, 'inspected meter ' || (i % 9) || ' and found ' || (i * 31 % 17) || ' litres'
            FROM \(numbers(first, last));
        """
    }
}
#endif
