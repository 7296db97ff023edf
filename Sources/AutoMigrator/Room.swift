internal import Linux

/// Makes room on the partition, giving up the least valuable first.
struct Room {
    let state: RepositoryState
    let log: Log

    /// Whether `bytes` are free, after removing, one by one and only as far as needed: the oldest quarantines but the newest,
    /// then snapshots that are neither the newest nor the newest of their schema.
    func make(_ bytes: Int64) -> Bool {
        if isFree(bytes) { return true }
        guard let pinned = Pin.quarantine(state) else { return false }
        for path in state.quarantines().dropLast() where path != pinned {
            log.warning("\(state.database): \(path) goes to make room for \(bytes) bytes")
            try? FileSystem.removeTree(path)
            if isFree(bytes) { return true }
        }
        guard let snapshots = try? state.snapshots.list() else { return false }
        var schemas: Set<Int64> = []
        let spare = snapshots.filter { !schemas.insert($0.seal.schema).inserted }
        for snapshot in spare.reversed() {
            log.warning("\(state.database): snapshot \(snapshot.title) goes to make room for \(bytes) bytes")
            try? FileSystem.remove(snapshot.path)
            if isFree(bytes) { return true }
        }
        return false
    }

    private func isFree(_ bytes: Int64) -> Bool {
        guard let space = try? FileSystem.space(state.databaseDirectory) else { return false }
        return space.available >= bytes
    }
}
