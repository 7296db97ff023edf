/// What is to be done about one database at boot: a `[database NAME]` section.
public struct Repository: Sendable {
    /// What to fall back to when something is wrong, tried in order.
    public enum Rung: Sendable, Equatable {
        /// A failed migration: the schema from before. A damaged database: the newest sealed snapshot that holds.
        case restore
        /// A fresh database with the image's schema; the old files go to quarantine.
        case rebuild
        /// The database stays as it is.
        case keep
        /// The database stays as it is, and the boot says `failed`.
        case stop

        public init?(text: String) {
            switch text {
            case "restore": self = .restore
            case "rebuild": self = .rebuild
            case "keep": self = .keep
            case "stop": self = .stop
            default: return nil
            }
        }
    }

    public var name: String
    /// The database file, in a directory of its own.
    public var path: String
    /// The directory with the image's migrations.
    public var migrations: String
    public var runMigrations = true
    public var onFailure: [Rung] = [.restore, .rebuild]
    /// Sealed generations that are kept, at least.
    public var snapshots = 2
    /// Quarantines that are kept.
    public var quarantine = 3
    public var verify = Verify.full

    public init(name: String, path: String, migrations: String) {
        self.name = name
        self.path = path
        self.migrations = migrations
    }
}
