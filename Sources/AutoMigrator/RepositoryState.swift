internal import Linux

/// The directory `.firstlight/NAME/` beside a database: what Firstlight must remember about it, on the same filesystem.
///
///     lock         flock(2) of whoever works on the database
///     born         made after the database's first commit: from then on a missing file is a lost one
///     attempts     how often the present plan was tried (Attempts)
///     pin          which quarantine holds the database of a newer image (Pin)
///     ballast      room that a WAL database needs to be opened on a full disk (Ballast)
///     intent       a swap or a run that a power cut may interrupt, to be finished by the next boot
///     served       the same, where a boot ended without having finished it: the application has worked with the files since
///     snapshots/   sealed copies
///     quarantine/  files that were moved out of the way, byte for byte, one directory each
struct RepositoryState {
    /// The database.
    let database: String
    let directory: String
    let snapshots: SnapshotStore

    init(database: String) {
        self.database = database
        let name = Text.stem(of: Text.name(of: database))
        directory = "\(Text.directory(of: database))/.firstlight/\(name)"
        snapshots = SnapshotStore(directory: "\(directory)/snapshots")
    }

    var databaseDirectory: String { Text.directory(of: database) }
    var bornPath: String { "\(directory)/born" }
    var attemptsPath: String { "\(directory)/attempts" }
    var pinPath: String { "\(directory)/pin" }
    var ballastPath: String { "\(directory)/ballast" }
    var intentPath: String { "\(directory)/intent" }
    /// An intent that a boot has left behind unfinished. READY came all the same, and the files have been the application's since.
    var servedPath: String { "\(directory)/served" }
    /// The intent of a swap that is done, until somebody has been told what it cost.
    var untoldPath: String { "\(directory)/untold" }
    /// The upkeep behind READY found damage: the next boot looks closely.
    var damagedPath: String { "\(directory)/damaged" }
    /// Boots since the last snapshot, where `snapshot-every` counts them.
    var bootsPath: String { "\(directory)/boots" }
    /// Rows that were salvaged from damage live in the database, and what is known of them.
    var suspectPath: String { "\(directory)/suspect" }
    var quarantine: String { "\(directory)/quarantine" }
    /// Where a replacement is made ready: in the database's own directory, so that one rename puts it in place.
    var replacement: String { "\(databaseDirectory)/.\(Text.name(of: database)).firstlight-new" }

    /// The files that are one database: all of them move together (RULES.md S2).
    static let suffixes = ["-journal", "-wal", "-shm", ""]

    /// A path as intent and pin have it: below this directory, wherever that is mounted or called at the next boot.
    func stored(_ path: String) -> String { Text.dropPrefix(path, directory + "/") ?? path }

    /// The path that `stored` was given; an empty one names nothing.
    func restored(_ path: String) -> String {
        path.utf8.isEmpty || Text.hasPrefix(path, "/") ? path : "\(directory)/\(path)"
    }

    var exists: Bool { FileSystem.exists(directory) }
    /// Whether the database existed once.
    func isBorn() throws(LinuxError) -> Bool { try FileSystem.isThere(bornPath) }

    /// Makes what is missing; writes nothing where all is there.
    /// - Parameter durable: names and all are on the disk when it returns. Not needed before a birth, which `markBorn` makes durable
    ///   as a whole.
    func prepare(durable: Bool = true) throws(LinuxError) {
        var made = false
        for path in [Text.directory(of: directory), directory, snapshots.directory, quarantine, "\(quarantine)/spare"] {
            if try FileSystem.isThere(path) { continue }
            made = try FileSystem.makeDirectory(path, permissions: 0o700) || made
        }
        if !(try FileSystem.isThere(attemptsPath)) {
            // Its blocks are taken now: on a full disk only what is there can be overwritten. Not synced: lost, it reads as
            // no attempt.
            let file = try FileDescriptor.open(attemptsPath, .create, permissions: 0o600)
            let zeros = [UInt8](repeating: 0, count: 2 * Attempts.slot)
            try zeros.withUnsafeBufferPointer { (zeros) throws(LinuxError) in
                try file.write(UnsafeRawBufferPointer(zeros))
            }
            made = true
        }
        if !made || !durable { return }
        try FileSystem.syncDirectory(quarantine)
        try FileSystem.syncDirectory(directory)
        try FileSystem.syncDirectory(Text.directory(of: directory))
        try FileSystem.syncDirectory(databaseDirectory)
    }

    /// Takes the lock, for as long as the descriptor lives.
    /// - Throws: EBUSY when another process works on the database: one that holds it for half a second. A program that starts others has
    ///   copies of its descriptors in them for a moment, and with them its own lock of just before.
    func lock() throws(LinuxError) -> FileDescriptor {
        let file = try FileDescriptor.open("\(directory)/lock", .append, permissions: 0o600)
        for _ in 0..<10 {
            if try file.tryLock() { return file }
            Clock.sleep(milliseconds: 50)
        }
        throw LinuxError("lock", "\(directory)/lock", code: LinuxError.busy)
    }

    /// Remembers that the database existed. Durable when it returns, where the database's directory has been synced since `prepare`.
    func markBorn() throws(LinuxError) {
        if try isBorn() { return }
        // Only its name says anything.
        _ = try FileDescriptor.open(bornPath, .create, permissions: 0o600)
        try FileSystem.syncDirectory(directory)
        try FileSystem.syncDirectory(Text.directory(of: directory))
    }

    /// The next number for a snapshot, a quarantine or an intent: above all that are there.
    func nextSequence() throws(LinuxError) -> Int64 {
        var newest = try snapshots.list().first?.sequence ?? 0
        for name in try FileSystem.isThere(quarantine) ? FileSystem.list(quarantine) : [] {
            newest = max(newest, Text.number(name) ?? 0)
        }
        return newest + 1
    }

    func quarantinePath(_ sequence: Int64) -> String { "\(quarantine)/\(Text.padded(sequence, 6))" }

    /// A quarantine directory for `sequence`, durable. The spare one made ahead is renamed: on a full disk mkdir fails and
    /// rename works.
    func makeQuarantine(_ sequence: Int64) throws(LinuxError) -> String {
        let path = quarantinePath(sequence)
        if !(try FileSystem.isThere(path)) {
            do throws(LinuxError) {
                try FileSystem.rename("\(quarantine)/spare", to: path)
            } catch {
                try FileSystem.makeDirectory(path, permissions: 0o700)
            }
        }
        try FileSystem.syncDirectory(quarantine)
        return path
    }

    /// Removes the oldest quarantines: those beyond `keep`, and those that take all of them together beyond a quarter of the partition. The
    /// newest and the pinned one stay. Makes the spare directory for the next one; best effort: on a full disk it is made when it is needed.
    func pruneQuarantine(keep: Int) {
        guard let pinned = Pin.quarantine(self) else { return }
        let share = ((try? FileSystem.space(databaseDirectory).total) ?? 0) / 4
        var bytes: Int64 = 0
        for (age, path) in quarantines().reversed().enumerated() {
            bytes += (try? FileSystem.treeSize(path)) ?? 0
            if age > 0, path != pinned, age >= keep || bytes > share { try? FileSystem.removeTree(path) }
        }
        _ = try? FileSystem.makeDirectory("\(quarantine)/spare", permissions: 0o700)
    }

    /// Oldest first.
    func quarantines() -> [String] {
        ((try? FileSystem.list(quarantine)) ?? []).filter { Text.number($0) != nil }.map { "\(quarantine)/\($0)" }
    }
}
