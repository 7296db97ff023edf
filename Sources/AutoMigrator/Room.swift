internal import Linux

/// Makes room on the partition, giving up the least valuable first.
struct Room {
    let state: RepositoryState
    let log: Log

    /// While a database is being recovered each snapshot may be the only good one.
    var keepsSnapshots = false

    /// Whether `bytes` are free, after removing, one by one and only as far as needed: the oldest quarantines but the newest,
    /// then snapshots that are neither the newest nor the newest of their schema. Nothing goes where all of it would not do.
    func make(_ bytes: Int64) -> Bool {
        if isFree(bytes) { return true }
        guard let pinned = Pin.quarantine(state), let snapshots = try? state.snapshots.list() else { return false }
        var candidates = state.quarantines().dropLast().filter { $0 != pinned }
        if !keepsSnapshots {
            var schemas: Set<Int64> = []
            candidates += snapshots.filter { !schemas.insert($0.seal.schema).inserted }.reversed().map { $0.path }
        }
        let most = candidates.reduce(Int64(0)) { $0 + ((try? FileSystem.treeSize($1)) ?? 0) }
        guard let space = try? FileSystem.space(state.databaseDirectory), space.available + most >= bytes else { return false }
        for path in candidates {
            log.warning("\(state.database): \(path) goes to make room for \(bytes) bytes")
            try? FileSystem.removeTree(path)
            if isFree(bytes) { return true }
        }
        return false
    }

    private func isFree(_ bytes: Int64) -> Bool {
        guard let space = try? FileSystem.space(state.databaseDirectory) else { return false }
        return space.available >= bytes
    }
}
