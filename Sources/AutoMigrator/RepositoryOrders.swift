internal import Linux
internal import SQLite

/// What a person or a program asks for, beside the boot.
extension RepositoryBoot {
    /// Undoes applied steps, newest first, in one transaction under a snapshot: by the image's own downs, else by those that travel in the
    /// database. `.version(v)` leaves `v` applied; 0 undoes all.
    ///
    /// Outcome `downgraded`, or `restored` with the reason and the database as it was. After a power cut it is one or the other.
    public mutating func rollBack(to goal: Goal) -> RepositoryReport {
        reported { (boot) throws(MigrationError) in try boot.undoSteps(to: goal) }
    }

    /// Moves the database to quarantine, byte for byte, and builds a new one with the whole set. Where there was none, it is
    /// created.
    ///
    /// Outcome `rebuilt` (`migrated` where there was none), or `failed` with the reason and the files as they were. After a power cut the old or
    /// the new database is in place.
    public mutating func recreate() -> RepositoryReport {
        reported { (boot) throws(MigrationError) in
            try boot.finishIntent()
            let set = try boot.load(boot.repository)
            boot.report.wanted = set.newest
            let found = try system { () throws(LinuxError) in try Inspection(boot.repository.path) }
            if found.file == .missing && !found.sidecars { return try boot.create(set) }
            try system { () throws(LinuxError) in try boot.prepareState(born: false) }
            if try boot.rebuild(set, "made anew on request") { return }
            boot.end(.failed, reason: "\(boot.report.reason ?? "it cannot be built"); the old database is left as it is")
        }
    }

    /// The sealed snapshots of the database, newest first.
    public var snapshots: [Snapshot] { (try? state.snapshots.list()) ?? [] }

    /// The database of a newer image that is kept in quarantine while an older one runs; nil where there is none.
    public var pinned: Snapshot? {
        guard let pin = try? Pin.read(state) else { return nil }
        return Snapshot(sequence: 0, seal: pin.seal, path: pin.file(state))
    }

    /// Copies the database into a sealed snapshot, on the disk when it returns. Others may have the database open meanwhile.
    /// - Throws: `.check` when it is damaged; then there is no snapshot of it.
    public mutating func snapshot() throws(MigrationError) -> Snapshot {
        try finishIntent()
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        guard found.file == .database else {
            throw .goal(reason: "\(repository.path) is no database; there is nothing to copy")
        }
        let isOpen = try system { () throws(LinuxError) in try FileSystem.isOpenElsewhere(repository.path) } ?? true
        // A copy is no birth: perhaps no image of ours has run for it yet.
        try system { () throws(LinuxError) in try prepareState(born: false) }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let sequence = try system { () throws(LinuxError) in try state.nextSequence() }
        let snapshot = isOpen
            ? try state.snapshots.take(ofOpen: repository.path, sequence: sequence) : try takeSnapshot()
        _ = consume lock
        if let finding = try Self.damage(in: snapshot) {
            // Sealed, it would push out what is sound.
            try? FileSystem.remove(snapshot.path)
            throw .check(reason: "\(repository.path) is damaged: \(finding)")
        }
        state.snapshots.prune(keep: repository.snapshots)
        return snapshot
    }

    /// Puts a sealed snapshot in the database's place; the database goes to quarantine, byte for byte. Nothing is migrated.
    ///
    /// Outcome `restored`, or `failed` with the reason. After a power cut the old or the restored database is in place.
    /// - Parameter snapshot: one of `snapshots`, or `pinned`.
    public mutating func restore(_ snapshot: Snapshot) -> RepositoryReport {
        reported { (boot) throws(MigrationError) in
            try boot.finishIntent()
            boot.report.wanted = (try? boot.load(boot.repository))?.newest
            try system { () throws(LinuxError) in try boot.prepareState(born: snapshot.seal.schema != 0) }
            guard try boot.putInPlace(snapshot) else {
                throw .seal(path: snapshot.path, reason: "it is damaged; nothing was restored")
            }
            if snapshot.sequence == 0 { Pin.remove(boot.state) }
            boot.report.schema = snapshot.seal.schema == 0 ? nil : snapshot.seal.schema
            boot.report.snapshot = snapshot.title
            boot.report.lost = Told.joined(boot.report.quarantine.map { "what was written after it; that is in \($0)" }, boot.report.lost)
            boot.end(.restored, reason: "on request")
        }
    }

    private mutating func undoSteps(to goal: Goal) throws(MigrationError) {
        try finishIntent()
        let set: MigrationSet
        do throws(MigrationError) {
            set = try load(repository)
        } catch {
            guard case .noMigrations = error else { throw error }
            // The downs travel in the database.
            set = try MigrationSet([], directory: repository.migrations)
        }
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        guard found.file == .database else {
            throw .goal(reason: "\(repository.path) is no database; there is nothing to undo")
        }
        let history = try readHistory(found, set)
        report.schema = history.schema
        let moves = try Plan.back(set, history, to: goal)
        var left = history.applied.map { $0.version }
        left.removeAll { version in moves.contains { $0.version == version } }
        report.wanted = left.last
        if moves.isEmpty { return end(.current) }

        try system { () throws(LinuxError) in try prepareState() }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        retryHeld = true
        let failure = try attempt(set, Plan(set, history)) { (history) throws(MigrationError) in
            try Plan.back(set, history, to: goal)
        }
        _ = consume lock
        if let failure { return end(.restored, reason: "\(failure.text); nothing was undone") }
        // The plan that this leaves is not the one that was tried; the next boot may well go forward again.
        Attempts(state).clear()
        try snapshotAfterwards()
        end(.downgraded, reason: "undone on request: \(moves.map { $0.title }.joined(separator: ", "))")
    }
}
