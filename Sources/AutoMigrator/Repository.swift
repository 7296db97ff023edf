public import SQLite

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

        /// From the word in the configuration; nil for any other.
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

    /// What to do about a database that a newer image has migrated further than this one knows.
    public enum Newer: Sendable, Equatable {
        /// Stored downs, else the newest snapshot that this image knows; where neither can, as `keep`.
        case downgrade
        /// The newer schema is used as it is.
        case keep
        /// The database stays as it is, and the boot says `failed`.
        case stop

        /// From the word in the configuration; nil for any other.
        public init?(text: String) {
            switch text {
            case "downgrade": self = .downgrade
            case "keep": self = .keep
            case "stop": self = .stop
            default: return nil
            }
        }
    }

    /// A function that makes a connection ready for a set's SQL: registers functions and collations on `Database.connection`.
    public typealias Configure = @Sendable (_ database: borrowing Database) throws(SQLiteError) -> Void

    /// As in reports and in the configuration's section.
    public var name: String
    /// The database file, in a directory of its own.
    public var path: String
    /// The directory with the image's migrations.
    public var migrations: String
    /// Whether to migrate at all; without, the outcome is `skipped`.
    public var runMigrations = true
    /// What to fall back to, in this order.
    public var onFailure: [Rung] = [.restore, .rebuild]
    /// What to do where the image is the older one.
    public var onNewer = Newer.downgrade
    /// Whose history is taken up in a database that has none of ours.
    public var adopt = Adopt.auto
    /// Whether a pending step older than an applied one is an error; else it runs, out of order, and is reported.
    public var strictOrder = false
    /// Sealed generations that are kept, at least.
    public var snapshots = 2
    /// Quarantines that are kept, at most; and never more than a quarter of the partition, the newest apart.
    public var quarantine = 3
    /// How often a snapshot is taken without an upgrade, behind READY.
    public var snapshotEvery = SnapshotInterval.days(7)
    /// The tables whose rows are salvaged first from a damaged database: identity, network, calibration.
    public var keepTables: [String] = []
    /// How thoroughly the database is looked at before the commit.
    public var verify = Verify.full
    /// Run-time loadable SQLite extensions that the set's SQL needs, by absolute path. Only those that nobody but root could have
    /// put there are loaded.
    public var extensions: [String] = []
    /// Called on every connection that runs migrations or checks, after the extensions are loaded.
    public var configure: Configure?
    /// Where the program looks in on a run.
    public var hooks = Hooks()
    /// How long a run may take, in milliseconds; then it is interrupted and undone. Nil sets no limit.
    public var deadline: Int64?

    /// A repository with the defaults of the configuration.
    public init(name: String, path: String, migrations: String) {
        self.name = name
        self.path = path
        self.migrations = migrations
    }

    /// Opens a database of this repository with all that its SQL may need.
    func open(_ path: String, _ mode: Database.Mode) throws(MigrationError) -> Database {
        for path in extensions { try ExtensionFile.check(path) }
        return try sqlite { () throws(SQLiteError) in
            let database = try Database(path, mode)
            for path in extensions { try database.loadExtension(path) }
            try configure?(database)
            return database
        }
    }

    /// What a damaged database's indexes and columns may call: the extensions that can be had, and the program's own functions. Without one of
    /// them what needs it cannot be made again.
    func equip(_ database: borrowing Database) throws(SQLiteError) {
        for path in extensions where (try? ExtensionFile.check(path)) != nil { try database.loadExtension(path) }
        try configure?(database)
    }
}
