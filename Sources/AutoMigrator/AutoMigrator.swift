public import Linux

/// Runs migrations automatically when an application starts, for applications where they must not fail: Ecto.AutoMigrator
/// (hexdocs.pm/ecto_auto_migrator) in Swift's terms.
///
/// Everything has a default and can be overridden: whether to run, which repositories, loading their migrations, creating and migrating
/// one or all, making one anew, rolling one back. An override calls the default's work by `defaultMigrate` and the others beside it.
/// Nothing is thrown: each repository's end is a `RepositoryReport`, and one that fails never keeps the others from their turn.
///
/// Ecto.AutoMigrator's own recipe, for a device whose data may go but whose start may not fail: when migrating fails, destroy the
/// database, migrate from scratch, and go on whatever happens.
///
///     struct Migrator: AutoMigrator {
///         var repositories: [Repository]
///
///         func migrate(_ repository: Repository) -> RepositoryReport {
///             let report = defaultMigrate(repository)
///             return report.succeeded ? report : recreate(repository)
///         }
///     }
///
///     let reports = Migrator(repositories: [repository]).run()
///
/// (The old database goes to quarantine instead of being deleted. `onFailure = [.rebuild]` is the same recipe as a policy.)
///
/// After a power cut anywhere in a run the next one finishes or repeats it; see `RepositoryBoot`.
public protocol AutoMigrator {
    /// Whether `run` does anything. Default: what `RUN_MIGRATIONS` in the environment says; unset, empty, `0`, `false`, `no`, `off` mean no.
    func shouldRun() -> Bool

    /// The databases, in the order of their turns. Default: the one at `DATABASE_PATH` in the environment, with its migrations in
    /// `MIGRATIONS_PATH`; none where one of the two is unset.
    var repositories: [Repository] { get }

    /// The migrations of a repository. Default: the files in `repository.migrations`. Steps in Swift are added here.
    /// - Throws: what keeps the set from being whole; then nothing is written, and above all nothing undone.
    func load(_ repository: Repository) throws(MigrationError) -> MigrationSet

    /// Makes what the database needs before it can be opened. Default: its directory.
    /// - Throws: why it could not; the repository's report then says so, and its migrations do not run.
    func create(_ repository: Repository) throws(MigrationError)

    /// `create` for every repository; those that could not be created, with the reason. Default: one by one.
    func createAll() -> [RepositoryReport]

    /// Brings one database to the image's schema, whatever state it is in. Default: `RepositoryBoot.run`, with the repository's policies.
    func migrate(_ repository: Repository) -> RepositoryReport

    /// `migrate` for every repository. Default: one by one, whatever becomes of each.
    func migrateAll() -> [RepositoryReport]

    /// Makes a database anew with the whole set. Default: `RepositoryBoot.recreate`; the old files go to quarantine.
    func recreate(_ repository: Repository) -> RepositoryReport

    /// Undoes steps until `version` is the newest; 0 undoes all. Default: `RepositoryBoot.rollBack`.
    func rollBack(_ repository: Repository, to version: Int64) -> RepositoryReport

    /// Where all of it is told. Default: nowhere.
    var reporter: Reporter { get }
}

extension AutoMigrator {
    /// The default: what `RUN_MIGRATIONS` in the environment says.
    public func shouldRun() -> Bool { RunMigrations.isOn(Environment.value("RUN_MIGRATIONS")) }

    /// The default: `DATABASE_PATH` and `MIGRATIONS_PATH` in the environment.
    public var repositories: [Repository] {
        guard let path = Environment.value("DATABASE_PATH"), let migrations = Environment.value("MIGRATIONS_PATH") else { return [] }
        return [Repository(name: Text.stem(of: Text.name(of: path)), path: path, migrations: migrations)]
    }

    /// The default: the files in `repository.migrations`.
    public func load(_ repository: Repository) throws(MigrationError) -> MigrationSet { try RepositoryBoot.load(repository) }

    /// The default: the directory of the database.
    public func create(_ repository: Repository) throws(MigrationError) { try defaultCreate(repository) }

    /// The default: `create`, one by one.
    public func createAll() -> [RepositoryReport] { defaultCreateAll() }

    /// The default: one boot of the repository, with its policies.
    public func migrate(_ repository: Repository) -> RepositoryReport { defaultMigrate(repository) }

    /// The default: `migrate`, one by one, whatever becomes of each.
    public func migrateAll() -> [RepositoryReport] { repositories.map { migrate($0) } }

    /// The default: a new database in the old one's place, which goes to quarantine.
    public func recreate(_ repository: Repository) -> RepositoryReport { defaultRecreate(repository) }

    /// The default: the downs, in one transaction under a snapshot.
    public func rollBack(_ repository: Repository, to version: Int64) -> RepositoryReport {
        var boot = boot(repository)
        return boot.rollBack(to: .version(version))
    }

    /// The default: nowhere.
    public var reporter: Reporter { .silent }

    /// The whole of it: create all, migrate all, unless `shouldRun` says no. One report for each repository, in their order.
    public func run() -> [RepositoryReport] {
        guard shouldRun() else {
            return repositories.map {
                var report = RepositoryReport(name: $0.name, path: $0.path, outcome: .skipped)
                report.reason = "migrations are switched off"
                return report
            }
        }
        let failed = createAll()
        // A repository that could not be created has its turn all the same: what is there may still serve.
        return migrateAll().map { report in
            guard report.outcome == .failed, let creation = failed.first(where: { $0.name == report.name }) else { return report }
            return creation
        }
    }

    // ---- The defaults' work, for overrides to call ----

    /// Makes the database's directory, and those above it.
    public func defaultCreate(_ repository: Repository) throws(MigrationError) {
        try system { () throws(LinuxError) in try FileSystem.makeDirectories(Text.directory(of: repository.path)) }
    }

    /// `create`, one by one.
    public func defaultCreateAll() -> [RepositoryReport] {
        var failed: [RepositoryReport] = []
        for repository in repositories {
            do throws(MigrationError) {
                try create(repository)
            } catch {
                var report = RepositoryReport(name: repository.name, path: repository.path, outcome: .failed)
                report.reason = error.text
                failed.append(report)
            }
        }
        return failed
    }

    /// `RepositoryBoot.run` with this migrator's `load`.
    public func defaultMigrate(_ repository: Repository) -> RepositoryReport {
        var boot = boot(repository)
        defer { boot.acknowledge() }
        return boot.run()
    }

    /// `RepositoryBoot.recreate` with this migrator's `load`.
    public func defaultRecreate(_ repository: Repository) -> RepositoryReport {
        var boot = boot(repository)
        defer { boot.acknowledge() }
        return boot.recreate()
    }

    /// One repository's boot with this migrator's `load` and `reporter`, for what the protocol does not offer: a plan, a goal, snapshots.
    public func boot(_ repository: Repository) -> RepositoryBoot {
        RepositoryBoot(repository, reporter: reporter) { (repository) throws(MigrationError) in try load(repository) }
    }
}
