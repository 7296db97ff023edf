internal import Linux

/// What the name of a file or folder says: which step, and which half of it.
struct MigrationName: Equatable {
    enum Half: Equatable {
        /// Up and, behind a marker, down: dbmate, goose, sql-migrate; or all up.
        case whole
        /// `.up.sql`, `up.sql`, Flyway's `V`.
        case up
        /// `.down.sql`, `down.sql`.
        case down
        /// `U1__name.sql`: Flyway's undo of V1, or, where there is no V1, refinery's step without a fixed place.
        case undo
        /// A folder with `up.sql` (diesel, rusqlite_migration) or `migration.sql` (Prisma).
        case folder
    }

    let version: Int64
    /// What follows the version; empty for `0001.sql`.
    let name: String
    let half: Half

    /// A file's. Nil for a file that is no migration; it is left out.
    ///
    ///     20240301120000_add_sensors.sql   dbmate, goose, sql-migrate, sqlx, drizzle; 0001.sql and 001-name.sql, too
    ///     000001_add_sensors.up.sql        golang-migrate, sqlx; .down.sql beside it
    ///     V1__add_sensors.sql              Flyway, refinery; U1__… beside it
    static func parse(file path: String) throws(MigrationError) -> MigrationName? {
        let name = Text.name(of: path)
        if Text.hasPrefix(name, ".") { return nil }
        guard Text.hasSuffix(name, ".sql") else {
            if isCode(name) { throw .file(path: path, line: nil, reason: "a step in another language; it cannot run here") }
            return nil
        }
        // Dumps of a whole schema, which dbmate and Rails put beside their migrations.
        if name == "schema.sql" || name == "structure.sql" { return nil }
        let stem = Text.stem(of: name)
        if let flyway = try flyway(stem, path) { return flyway }
        let (rest, half) = split(half: stem)
        guard let (version, title) = date(rest) ?? split(rest) else {
            throw .file(
                path: path, line: nil, reason: "the name is not VERSION_name.sql, VERSION a number below 2^63")
        }
        return MigrationName(version: version, name: title, half: half)
    }

    /// golang-migrate lets anything follow the direction: `000001_init.up.db.sql` (source/parse.go).
    private static func split(half stem: String) -> (rest: String, half: Half) {
        let parts = Text.split(stem, 0x2E)
        guard let index = parts.lastIndex(where: { $0 == "up" || $0 == "down" }), index > 0 else { return (stem, .whole) }
        return (parts[..<index].joined(separator: "."), parts[index] == "up" ? .up : .down)
    }

    /// A folder's: `2019-01-01-000000_name` (diesel), `01-name` (rusqlite_migration), `20240301120000_name` (Prisma). Nil for a name
    /// that does not begin with a digit.
    static func parse(folder path: String) -> MigrationName? {
        let name = Text.name(of: path)
        guard let (version, title) = date(name) ?? day(name) ?? split(name) else { return nil }
        return MigrationName(version: version, name: title, half: .folder)
    }

    /// Digits, then a separator and a name, or nothing.
    private static func split(_ text: String) -> (version: Int64, name: String)? {
        let bytes = Array(text.utf8)
        let digits = bytes.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty, let version = Text.number(String(decoding: digits, as: UTF8.self)) else { return nil }
        let rest = bytes.dropFirst(digits.count)
        guard let separator = rest.first else { return (version, "") }
        guard separator == 0x5F || separator == 0x2D else { return nil }
        return (version, String(decoding: rest.drop { $0 == 0x5F || $0 == 0x2D }, as: UTF8.self))
    }

    /// A date, and perhaps a time: diesel's `2019-01-01-000000_name` and `2019-01-01_name`, `20190101-000000.sql`. diesel compares versions as
    /// text (diesel_migrations, file_based_migrations.rs), so what is shorter is filled up with zeros to have the same place as a number.
    private static func date(_ text: String) -> (version: Int64, name: String)? {
        let bytes = Array(text.utf8)
        func isDigits(_ range: Range<Int>) -> Bool {
            range.upperBound <= bytes.count && bytes[range].allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        }
        func isDash(_ index: Int) -> Bool { index < bytes.count && bytes[index] == 0x2D }
        var end: Int
        if isDigits(0..<4) && isDash(4) && isDigits(5..<7) && isDash(7) && isDigits(8..<10) {
            end = 10
            if isDash(end) && isDigits(11..<12) {
                end = 12
                while end < 17 && isDigits(end..<(end + 1)) { end += 1 }
            }
        } else if isDigits(0..<8) && isDash(8) && isDigits(9..<15) {
            end = 15
        } else {
            return nil
        }
        let rest = bytes[end...]
        guard rest.isEmpty || rest.first == 0x5F || rest.first == 0x2D else { return nil }
        var digits = bytes[..<end].filter { $0 != 0x2D }
        digits += [UInt8](repeating: 0x30, count: max(14 - digits.count, 0))
        guard let version = Text.number(String(decoding: digits, as: UTF8.self)) else { return nil }
        return (version, String(decoding: rest.drop { $0 == 0x5F || $0 == 0x2D }, as: UTF8.self))
    }

    /// Prisma sorts its folders by text, too: `20250221_name` among names of fourteen digits has its place by the day.
    private static func day(_ text: String) -> (version: Int64, name: String)? {
        guard let (version, name) = split(text), version >= 1900_00_00, version <= 2999_12_31 else { return nil }
        return (version * 1_000_000, name)
    }

    private static func flyway(_ stem: String, _ path: String) throws(MigrationError) -> MigrationName? {
        let bytes = Array(stem.utf8)
        guard let letter = bytes.first, [0x56, 0x55, 0x52, 0x42].contains(letter) else { return nil }
        let rest = String(decoding: bytes.dropFirst(), as: UTF8.self)
        if letter == 0x52 && Text.hasPrefix(rest, "__") {
            throw .file(path: path, line: nil, reason: "a repeatable migration; each step runs once here")
        }
        guard bytes.count > 1, bytes[1] >= 0x30, bytes[1] <= 0x39 else { return nil }
        if letter == 0x42 { throw .file(path: path, line: nil, reason: "a baseline migration; a step has one way to be reached here") }
        let digits = bytes.dropFirst().prefix { $0 >= 0x30 && $0 <= 0x39 }
        let title = bytes.dropFirst(1 + digits.count)
        guard title.starts(with: [0x5F, 0x5F]), let version = Text.number(String(decoding: digits, as: UTF8.self)) else {
            throw .file(path: path, line: nil, reason: "the version is not one whole number below 2^63, followed by __")
        }
        return MigrationName(
            version: version, name: String(decoding: title.dropFirst(2), as: UTF8.self), half: letter == 0x55 ? .undo : .up)
    }

    /// A step in a program's language stands in the order of the others: leaving it out would run what builds on it.
    private static func isCode(_ name: String) -> Bool {
        guard let first = name.utf8.first, first >= 0x30, first <= 0x39 else { return false }
        return [".go", ".rs", ".js", ".ts", ".mjs", ".cjs", ".py", ".rb", ".ex", ".exs", ".php"].contains { Text.hasSuffix(name, $0) }
    }
}
