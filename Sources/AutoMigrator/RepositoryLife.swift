internal import Linux

/// What is on record of a database's life: that an image of ours has run for it, so that one that is gone, empty or another is a loss.
extension RepositoryBoot {
    /// Proof of an earlier life: without, what is no database may be an encrypted one (RULES.md S5).
    func hasLived() throws(MigrationError) -> Bool {
        try system { () throws(LinuxError) in try state.isBorn() ? true : !(try state.snapshots.list()).isEmpty }
    }

    /// Whether a sealed snapshot shows that the database had a history.
    func hasKnownHistory() throws(MigrationError) -> Bool {
        try system { () throws(LinuxError) in try state.snapshots.list().contains { $0.seal.schema != 0 } }
    }

    /// A step that this image does not know, and that no image has left its down and name of: another tool's, or a row that damage has made.
    func isStrange(_ history: History, _ set: MigrationSet) -> Bool {
        history.applied.contains { step in step.name == nil && !set.migrations.contains { $0.version == step.version } }
    }

    /// There is nothing to put in its place: it is gone on with, and the loss told.
    mutating func tellOfAnother(_ cause: String) throws(MigrationError) {
        try system { () throws(LinuxError) in try prepareState(born: false) }
        let told = Told(.rebuilt, reason: cause, lost: "the database that was there before")
        let swap = try Swap(.setAside, state)
        try system { () throws(LinuxError) in try swap.tell(told, state) }
        try takeUpUntold()
    }

    /// The directory for what is to come. For a database that no image of ours has run for yet, its birth is not on record before the first has.
    mutating func prepareForSteps() throws(MigrationError) {
        if livedBefore == nil {
            // A snapshot of before the first step is no life.
            livedBefore = try system { () throws(LinuxError) in try state.isBorn() } ? true : hasKnownHistory()
        }
        let born = livedBefore ?? true
        try system { () throws(LinuxError) in try prepareState(born: born) }
    }

    func prepareState(born: Bool = true, durable: Bool = true) throws(LinuxError) {
        try state.prepare(durable: durable)
        Ballast(state: state, log: reporter.log).lay()
        if born { try state.markBorn() }
    }

    /// A step has run for it. Where this fails the next boot makes up for it.
    func markLived() {
        if report.schema ?? 0 != 0 { try? state.markBorn() }
    }
}
