#if Lab
/// Damages and oddities that are written as SQL.
extension Damage {
    /// SQL that makes it, run on a database that nothing is wrong with; nil for what is done to the bytes.
    var sql: String? {
        switch self {
        case .schema(let fault): fault.sql
        case .peaceful(let oddity): oddity.sql
        default: nil
        }
    }
}

/// Makes sqlite_schema a table like any other.
private let writable = "PRAGMA writable_schema=ON;"

extension Damage.SchemaFault {
    fileprivate var sql: String? {
        switch self {
        case .table, .trigger, .view, .index: nil
        case .rootZero: "\(writable) UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'readings'"
        case .rootOutside: "\(writable) UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'readings_by_sensor'"
        case .rootShared:
            """
            \(writable) UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'events')
                WHERE name = 'files'
            """
        case .rowGone: "\(writable) DELETE FROM sqlite_schema WHERE name = 'events'"
        }
    }
}

extension Damage.Oddity {
    fileprivate var sql: String {
        switch self {
        case .newerView: Self.insert("view", "newer", "newer", "CREATE VIEW newer AS SELECT * FROM readings QUALIFY id > 1")
        case .newerTable:
            """
            CREATE TABLE newer (a);
            INSERT INTO newer VALUES (1);
            \(writable) UPDATE sqlite_schema SET sql = 'CREATE TABLE newer (a) COLUMNAR' WHERE name = 'newer'
            """
        case .newerTrigger:
            Self.insert("trigger", "newer", "readings", "CREATE TRIGGER newer AFTER MERGE ON readings BEGIN SELECT 1; END")
        case .orphans: "PRAGMA foreign_keys=OFF; INSERT INTO readings VALUES (90001, 99, 1, 1.5)"
        case .failingCheck:
            "PRAGMA ignore_check_constraints=ON; INSERT INTO sensors VALUES (9, 'B1', 'new kind', 'humidity')"
        case .missingCollation:
            """
            CREATE TABLE names (name TEXT);
            CREATE INDEX by_name ON names (name);
            INSERT INTO names VALUES ('Ärger');
            \(writable) UPDATE sqlite_schema SET sql = 'CREATE TABLE names (name TEXT COLLATE german)' WHERE name = 'names'
            """
        case .missingModule: Self.insert("table", "places", "places", "CREATE VIRTUAL TABLE places USING geopoly(a)")
        case .jsonIndex: "CREATE INDEX by_kind ON events (json_extract('{\"a\":' || id || '}', '$.a'))"
        }
    }

    /// An object without pages of its own.
    private static func insert(_ type: String, _ name: String, _ table: String, _ sql: String) -> String {
        "\(writable) INSERT INTO sqlite_schema VALUES ('\(type)', '\(name)', '\(table)', 0, '\(sql)')"
    }
}
#endif
