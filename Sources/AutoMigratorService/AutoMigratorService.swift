#if ServiceLifecycle
public import AutoMigrator
internal import Foundation
public import Linux
public import Logging
public import ServiceLifecycle

/// The migrator as a service for swift-service-lifecycle: runs once when its group starts, and then stays until the
/// group shuts down.
///
///     let migrations = AutoMigratorService(repositories: [repository], logger: logger)
///     let group = ServiceGroup(
///         services: [migrations, server.after(migrations)], gracefulShutdownSignals: [.sigterm], logger: logger)
///     try await group.run()
///
/// A group starts its services in order, but does not wait for one before it starts the next: what needs the databases
/// is put `after` the migrations, or awaits `ready()`. Nobody else in the process may have one of the databases open
/// before: the migrator reads them by descriptor, and closing one drops the locks that SQLite holds in the same process
/// (RULES.md S12).
///
/// Staying until the shutdown keeps a group alive that treats the end of a service as the end of all, and one that is
/// shutting down from taking a service that ends out of its turn for a crash; swift-service-lifecycle has both as
/// rules.
///
/// A graceful shutdown or a cancellation while migrations run interrupts them: the statement is stopped and the run
/// undone, so that the schema is the one from before and the next start begins again. A power cut, or a kill by an
/// impatient init system, leaves as much: see `RepositoryBoot`.
public struct AutoMigratorService: Service {
    private let repositories: [Repository]
    private let logger: Logger
    private let require: Set<Outcome>?
    private let migrate: @Sendable ([Repository], Reporter) -> [RepositoryReport]
    private let interruption = Interruption()
    private let readiness = Readiness()

    /// Migrates with the defaults of `AutoMigrator`, `RUN_MIGRATIONS` in the environment included: unless it says yes,
    /// every repository's outcome is `skipped`.
    ///
    /// - Parameters:
    ///   - repositories: the databases, in the order of their turns.
    ///   - logger: where all of it is told; see `init(repositories:logger:require:migrator:)`.
    ///   - require: the outcomes that are good enough; with any other `run` and `ready` throw. Nil, the default, takes
    ///     every outcome: the services start whatever happened, as everywhere in Firstlight.
    public init(repositories: [Repository], logger: Logger, require: Set<Outcome>? = nil) {
        self.init(repositories: repositories, logger: logger, require: require) {
            DefaultMigrator(repositories: $0, reporter: $1)
        }
    }

    /// Migrates with a migrator of the program's own: all that `AutoMigrator` lets one override.
    ///
    /// - Parameters:
    ///   - repositories: the databases, in the order of their turns.
    ///   - logger: gets a line for each line of the migrator's log, at its level, with `repository` in the metadata
    ///     where the line names one; what it is doing at `debug`, with `phase`; and one line for each repository's end,
    ///     with `repository`, `path`, `outcome`, `schema`, `wanted`, `pending`, `duration_ms`, and where there is any
    ///     `lost`, `snapshot` and `quarantine`.
    ///   - require: the outcomes that are good enough; nil takes every outcome.
    ///   - migrator: makes the migrator, on the thread that it then runs on. The repositories are those above, made
    ///     interruptible, and they and the reporter are what its `repositories` and `reporter` should be:
    ///     `{ Migrator(repositories: $0, reporter: $1) }`.
    public init(
        repositories: [Repository], logger: Logger, require: Set<Outcome>? = nil,
        migrator: @escaping @Sendable (_ repositories: [Repository], _ reporter: Reporter) -> any AutoMigrator
    ) {
        self.repositories = repositories
        self.logger = logger
        self.require = require
        migrate = { migrator($0, $1).run() }
    }

    /// Migrates, and returns when the group shuts down. Called by the group; a second call does nothing but wait.
    ///
    /// - Throws: `AutoMigratorServiceError.outcome` when `require` does not have a repository's outcome; every
    ///   repository had its turn by then.
    public func run() async throws {
        guard readiness.claim() else { return try await gracefulShutdown() }
        let result = await withTaskCancellationOrGracefulShutdownHandler {
            await migrated()
        } onCancelOrGracefulShutdown: { [interruption] in
            interruption.request()
        }
        readiness.end(result)
        do {
            _ = try result.get()
        } catch is CancellationError {
            return
        }
        try? await gracefulShutdown()
    }

    /// Waits until every repository had its turn; when they had, returns at once. Any number of tasks may wait.
    ///
    /// - Returns: how each repository's run ended, in their order.
    /// - Throws: what `run` throws; `CancellationError` when the waiting task is cancelled, when its service is asked
    ///   to shut down, and when the run was interrupted. A service that awaits this should then return: what it throws
    ///   during a shutdown is an error of its group. `after` does so.
    public func ready() async throws -> [RepositoryReport] {
        // A group shuts down its last service first and waits for its end: who did not listen here would wait for
        // migrations that in turn are not told to stop before.
        try await cancelWhenGracefulShutdown { [readiness] in try await readiness.value() }
    }

    private func migrated() async -> Result<[RepositoryReport], any Error> {
        if interruption.isRequested { return .failure(CancellationError()) }
        let log = MigrationLog(logger, repositories)
        let reports = await onThread { [repositories, interruption, migrate] in
            migrate(repositories.map { interruption.watch($0) }, log.reporter)
        }
        for report in reports { log.end(report) }
        if interruption.isRequested {
            logger.notice("migrating was interrupted; what had not ended is undone and begins again at the next start")
            return .failure(CancellationError())
        }
        if let require, let report = reports.first(where: { !require.contains($0.outcome) }) {
            return .failure(AutoMigratorServiceError.outcome(report))
        }
        return .success(reports)
    }

    /// SQLite and the file system block, for minutes when a table is large: on the pool of Swift's concurrency, which
    /// has a thread per core, that would stop everybody else.
    private func onThread(_ work: @escaping @Sendable () -> [RepositoryReport]) async -> [RepositoryReport] {
        await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: work()) }
            thread.name = "AutoMigrator"
            // A main thread's usual size: musl's default for others is 128 KB.
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
#endif
