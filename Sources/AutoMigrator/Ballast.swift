internal import Linux

/// Room kept for the application's own opening of a WAL database. On a full disk making the -shm file fails with SIGBUS or an I/O error
/// (RULES.md S20): an appliance that its last log line filled would not start again.
struct Ballast {
    /// In bytes: a -shm of 32 KiB and the first frames of a WAL.
    static let size: Int64 = 64 << 10

    let state: RepositoryState
    let log: Log

    /// Sets the room aside, where there is enough of it.
    func lay() {
        if FileSystem.exists(state.ballastPath) { return }
        guard let space = try? FileSystem.space(state.databaseDirectory), space.available > 8 * Ballast.size else { return }
        do throws(LinuxError) {
            // Written, not only allocated: some filesystems take blocks for a hole when it is filled.
            let file = try FileDescriptor.open(state.ballastPath, .create, permissions: 0o600)
            let bytes = [UInt8](repeating: 0xFF, count: Int(Ballast.size))
            try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in
                try file.write(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            try? FileSystem.remove(state.ballastPath)
        }
    }

    /// Gives the room free where a WAL database would not find any: the ballast first, then the oldest quarantines. Writes nothing where
    /// there is room, or no WAL.
    ///
    /// - Parameter changed: this boot has written. What it freed again can be had only when the filesystem's journal is committed, which
    ///   on a nearly full partition is not left to chance.
    func release(changed: Bool) {
        guard isWAL(), let space = try? FileSystem.space(state.databaseDirectory), space.available < 8 * Ballast.size else { return }
        if space.available < Ballast.size {
            log.warning("\(state.database): \(space.available) bytes free, too few for a database in WAL mode; room is made for it")
            try? FileSystem.remove(state.ballastPath)
            _ = Room(state: state, log: log).make(Ballast.size)
        } else if !changed {
            return
        }
        try? FileSystem.syncDirectory(state.databaseDirectory)
    }

    /// The file format's read version (fileformat2.html, 1.3).
    private func isWAL() -> Bool {
        guard let head = try? FileDescriptor.open(state.database, .read).bytes(at: 0, count: 20) else { return false }
        return head.count == 20 && head[19] == 2
    }
}
