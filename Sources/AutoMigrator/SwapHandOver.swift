internal import Linux

/// A swap that a boot could not finish, and what the next one makes of it: the application has worked with the files in between.
extension Swap {
    /// The boot ends here, and the application begins: an intent that is left is one of before its work. One rename, which no full disk keeps from
    /// being done. Durable when it returns.
    ///
    /// - Parameter isServing: READY has come already, and the files are not this process's to move or to vouch for.
    static func handOver(_ state: RepositoryState, isServing: Bool) throws(LinuxError) {
        guard try FileSystem.isThere(state.intentPath) else { return }
        if !isServing, case .intent(var swap) = try read(state) {
            // Without a database the application would make itself one.
            if try !swap.isInPlace(state) { try? swap.moveBack(state) }
            // With what is found then it tells whether anything was written meanwhile. A cut between the two leaves both, and no application has
            // begun; on a full disk the one rename below is all that can be done.
            swap.left = try? print(state)
            if swap.left != nil, (try? swap.write(to: state.servedPath, state)) != nil { return try clear(state) }
        }
        try FileSystem.rename(state.intentPath, to: state.servedPath)
        try FileSystem.syncDirectory(state.directory)
    }

    /// What another boot makes of an intent that has been handed over, the application's work behind it. Durable when it returns.
    ///
    /// - Returns: the intent that is to be finished now; nil where the database had not been moved yet: it is what the application works
    ///   with, and judged as such. Half a run's steps are nobody's work, and are undone wherever they are.
    func takeBack(_ state: RepositoryState) throws(LinuxError) -> Swap? {
        let now = try Swap.inodes(state)
        let isHalfARun = operation == .run || operation == .undo
        let hasMoved = try hasMoved(state)
        let isWhereItWas = now[3] != 0 && now[3] == inodes[3] && !hasMoved
        if operation == .setAside || !isHalfARun && isWhereItWas {
            try giveUp(state)
            return nil
        }
        var swap = self
        swap.left = nil
        if operation == .run { swap.operation = .undo }
        // Else all was done but for the intent's going, and what the application wrote went to the replacement.
        if try !isInPlace(state) {
            // Beside the one that the application has written since, a journal from before would undo that.
            swap.inodes = now[3] == 0 ? seen(now) : now
            // Nothing there, nothing written.
            let found = try Swap.print(state)
            if now[3] != 0 && found != left {
                let since = Told(
                    .restored, reason: "\(operation.text) \(sequence) was cut short, and the application has run meanwhile",
                    lost: "what the application wrote to the old files since a boot ended without having finished this")
                swap.told = told?.joined(with: since) ?? since
            }
        }
        // Nobody has heard of that one yet, whose place this one's record takes.
        swap.told = swap.told?.joined(with: try Swap.readUntold(state)?.told)
        try swap.write(to: state)
        try forgetServed(state)
        return swap
    }

    /// What made the swap necessary is looked for anew, in the database that the application has worked with.
    private func giveUp(_ state: RepositoryState) throws(LinuxError) {
        _ = try FileDescriptor.open(state.damagedPath, .create, permissions: 0o600)
        // Moved before the boot ended: the application's database has gone on without it, and nobody can put the two together any more.
        let quarantine = state.quarantinePath(sequence)
        for (suffix, inode) in zip(RepositoryState.suffixes, inodes) where operation != .setAside && (suffix == "-journal" || suffix == "-wal") {
            let sidecar = "\(quarantine)/\(Text.name(of: state.database))\(suffix)"
            guard inode != 0, let status = try FileSystem.status(sidecar), status.inode == inode, status.size > 0 else { continue }
            let reason = "\(operation.text) \(sequence) was given up, since the application has run meanwhile"
            try tell(Told(.restored, reason: reason, lost: "what \(sidecar) had"), state)
        }
        try FileSystem.remove(state.replacement)
        try forgetServed(state)
    }

    /// Changes with every write to the database or a sidecar.
    private static func print(_ state: RepositoryState) throws(LinuxError) -> String {
        var hash = XXH64()
        for suffix in ["-journal", "-wal", ""] {
            let status = try FileSystem.status(state.database + suffix)
            hash.update("\(status?.inode ?? 0) \(status?.size ?? 0) \(status?.modifiedNanoseconds ?? 0) ")
        }
        return Text.hex(hash.digest)
    }

    private func forgetServed(_ state: RepositoryState) throws(LinuxError) {
        try FileSystem.remove(state.servedPath)
        try FileSystem.syncDirectory(state.directory)
    }

    /// The way back from (d), where the database has been moved and its place is free: whoever comes next finds what was there before.
    func moveBack(_ state: RepositoryState) throws(LinuxError) {
        let quarantine = state.quarantinePath(sequence)
        var names: [String] = []
        for (suffix, inode) in zip(RepositoryState.suffixes, inodes) where inode != 0 {
            let name = Text.name(of: state.database) + suffix
            guard try FileSystem.status("\(quarantine)/\(name)")?.inode == inode else { continue }
            if try FileSystem.isThere("\(state.databaseDirectory)/\(name)") { return }
            names.append(name)
        }
        var done: [String] = []
        do throws(LinuxError) {
            // The database last: without its journal it would be another one.
            for name in names {
                try FileSystem.rename("\(quarantine)/\(name)", to: "\(state.databaseDirectory)/\(name)")
                done.append(name)
            }
        } catch {
            for name in done.reversed() { try? FileSystem.rename("\(state.databaseDirectory)/\(name)", to: "\(quarantine)/\(name)") }
            throw error
        }
        if !done.isEmpty { try FileSystem.syncDirectory(state.databaseDirectory) }
    }
}
