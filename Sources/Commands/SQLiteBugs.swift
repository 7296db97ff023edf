internal import Linux

/// What is known of a version of SQLite that an appliance should not run with for long.
enum SQLiteBugs {
    /// Nil where nothing is known. By the number only: a distribution may have mended it without another.
    static func warning(_ version: String) -> String? {
        let parts = Text.split(version, 0x2E).map { Text.number($0) ?? -1 }
        guard parts.count >= 3, parts[0] == 3, hasWALResetBug(parts[1], parts[2]) else { return nil }
        return "SQLite \(version) has the WAL-reset bug (3.7.0 to 3.51.2): it can corrupt a database in WAL mode that several connections use at once. "
            + "Put SQLite 3.51.3 or newer into the image (3.50.7 and 3.44.6 are mended, too); until then use one connection for each database, "
            + "or another journal mode"
    }

    /// sqlite.org/wal.html, "The WAL-Reset Bug" (RULES.md S17).
    private static func hasWALResetBug(_ minor: Int64, _ patch: Int64) -> Bool {
        switch minor {
        case 44: patch < 6
        case 50: patch < 7
        case 51: patch < 3
        default: minor >= 7 && minor < 51
        }
    }
}
