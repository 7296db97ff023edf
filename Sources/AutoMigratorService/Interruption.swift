#if ServiceLifecycle
internal import AutoMigrator
internal import SQLite
internal import Synchronization

/// The word from the group that a run of migrations is to stop, on its way to the thread that runs them.
final class Interruption: Sendable {
    private let requested = Atomic(false)

    var isRequested: Bool { requested.load(ordering: .relaxed) }

    func request() { requested.store(true, ordering: .relaxed) }

    /// The repository, with the interruption added to what its own hooks say.
    func watch(_ repository: Repository) -> Repository {
        var watched = repository
        let (progress, configure) = (repository.hooks.progress, repository.configure)
        watched.hooks.progress = { [self] in !isRequested && progress?($0) ?? true }
        // A snapshot before the first step cannot be interrupted; so none is begun.
        watched.configure = { [self] (database) throws(SQLiteError) in
            if isRequested {
                throw SQLiteError(
                    operation: "open", database: database.path, code: SQLiteError.interrupted,
                    message: "interrupted by a shutdown")
            }
            try configure?(database)
        }
        return watched
    }
}
#endif
