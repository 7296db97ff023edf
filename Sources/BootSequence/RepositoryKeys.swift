public import AutoMigrator
internal import Linux

/// The keys of `[database NAME]` that say how to treat the database: in the configuration, and as options of firstlightctl.
extension Repository {
    /// What became of a key.
    public enum KeyResult: Sendable, Equatable {
        case set
        /// The value is none; this is what it must be.
        case wrong(expected: String)
        case unknown
    }

    /// Sets what `key` names, as the configuration writes it.
    public mutating func set(_ key: String, _ value: String) -> KeyResult {
        switch key {
        case "on-failure":
            return Self.assign(Self.rungs(value), &onFailure, "a list of restore, rebuild, keep, stop")
        case "snapshots": return Self.assign(Self.count(value), &snapshots, "a number from 1 to 100")
        case "quarantine": return Self.assign(Self.count(value), &quarantine, "a number from 1 to 100")
        case "snapshot-every":
            return Self.assign(SnapshotInterval(text: value), &snapshotEvery, "days (7d), a number of boots (50 boots), or never")
        case "keep-tables": return Self.assign(Self.names(value), &keepTables, "a list of tables")
        case "verify": return Self.assign(Verify(text: value), &verify, "full, quick or none")
        case "on-newer": return Self.assign(Newer(text: value), &onNewer, "downgrade, keep or stop")
        case "adopt":
            return Self.assign(Adopt(text: value), &adopt, "auto, ecto, golang-migrate, goose, dbmate, grdb or none")
        case "strict-order": return Self.assign(ConfigurationReader.flag(value), &strictOrder, "yes or no")
        case "extensions": return Self.assign(Self.paths(value), &extensions, "a list of absolute paths")
        default: return .unknown
        }
    }

    private static func assign<T>(_ parsed: T?, _ place: inout T, _ expected: String) -> KeyResult {
        guard let parsed else { return .wrong(expected: expected) }
        place = parsed
        return .set
    }

    private static func count(_ text: String) -> Int? {
        Text.number(text).flatMap { (1...100).contains($0) ? Int($0) : nil }
    }

    private static func rungs(_ text: String) -> [Rung]? {
        var rungs: [Rung] = []
        for word in Text.split(text, 0x2C) {
            guard let rung = Rung(text: Text.trim(word)) else { return nil }
            rungs.append(rung)
        }
        return rungs
    }

    private static func names(_ text: String) -> [String]? {
        Text.split(text, 0x2C).map { Text.trim($0) }.filter { !$0.utf8.isEmpty }
    }

    private static func paths(_ text: String) -> [String]? {
        var paths: [String] = []
        for word in Text.split(text, 0x2C) where !Text.trim(word).utf8.isEmpty {
            let path = Text.trim(word)
            guard Text.hasPrefix(path, "/"), path.utf8.count > 1 else { return nil }
            paths.append(path)
        }
        return paths
    }
}
