internal import Linux
internal import SQLite

/// What is done for a database behind READY, while the application works with it.
extension RepositoryBoot {
    /// Takes a snapshot where `snapshotEvery` says that one is due. What is damaged is not sealed: the next boot climbs the ladder.
    ///
    /// - Returns: nil when none is due, or nothing has changed since the last one. On the disk when it returns.
    public mutating func snapshotIfDue() throws(MigrationError) -> Snapshot? {
        guard repository.runMigrations, state.exists, try system({ () throws(LinuxError) in try isDue() }) else { return nil }
        // What a boot could not finish is the next boot's: the application works with these very files now.
        let isUnfinished = try system { () throws(LinuxError) in
            try FileSystem.isThere(state.intentPath) ? true : FileSystem.isThere(state.servedPath)
        }
        if isUnfinished { return nil }
        let newest = try? state.snapshots.list().first?.sequence
        let snapshot: Snapshot
        do throws(MigrationError) {
            snapshot = try self.snapshot()
        } catch {
            guard case .check = error else { throw error }
            // Only its name says anything.
            _ = try? FileDescriptor.open(state.damagedPath, .create, permissions: 0o600)
            throw error
        }
        if case .boots = repository.snapshotEvery {
            try system { () throws(LinuxError) in try countBoots(from: 0) }
        } else {
            try? FileSystem.touch(snapshot.path)
        }
        return snapshot.sequence == newest ? nil : snapshot
    }

    private func isDue() throws(LinuxError) -> Bool {
        switch repository.snapshotEvery {
        case .never: return false
        case .days(let days):
            let interval = days * 86_400
            guard let newest = try state.snapshots.list().first, let status = try FileSystem.status(newest.path) else { return true }
            // A clock that was set since makes it look older than it is, and one that is not set yet younger: at worst one too many.
            let age = Clock.secondsSince1970 - status.modified
            return age >= interval || age < 0 && Clock.sinceBootMilliseconds / 1000 >= interval
        case .boots(let boots):
            let (count, boot) = readBoots()
            if boot == Self.bootID { return false }
            if count + 1 >= boots { return true }
            try countBoots(from: count + 1)
            return false
        }
    }

    // ---- Boots, counted in a file ----

    private func readBoots() -> (count: Int64, boot: String) {
        guard let text = try? FileSystem.readText(state.bootsPath), let fields = CheckedText.fields(text) else { return (0, "") }
        return (Text.number(fields["count"] ?? "") ?? 0, fields["boot"] ?? "")
    }

    /// Not synced: a count that a cut takes back is one boot late.
    private func countBoots(from count: Int64) throws(LinuxError) {
        let text = CheckedText.text([("count", "\(count)"), ("boot", Self.bootID)])
        try FileSystem.replace(state.bootsPath, with: text, durable: false, permissions: 0o600)
    }

    private static var bootID: String {
        Text.trim((try? FileSystem.readText("/proc/sys/kernel/random/boot_id")) ?? "")
    }
}
