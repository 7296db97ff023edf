internal import Linux

/// Puts a replacement where a database is, with a power cut allowed anywhere.
///
/// The intent is on the disk before the first file moves and goes last, so that a boot that finds it does the rest:
///
///     (a) intent durable
///     (b) the replacement under a temporary name beside the database, synced, its seal verified; its inode put on record
///     (c) the quarantine directory, durable
///     (d) sidecars, then the database, into it: what is there now, recorded anew where that has changed since (a)
///     (e) quarantine and database directory synced
///     (f) replacement renamed to the database's name, directory synced
///     (g) intent removed, or renamed to `untold` where it says what a person has to hear; directory synced
///
/// Nothing is ever unlinked to make the way free. After a cut before (f) the next boot repeats (b) to (f), each of which is the same
/// when done twice; after (f) the database is the recorded replacement, and only (g) is left.
struct Swap {
    enum Operation: Equatable {
        /// A snapshot, or a database built anew, takes the place.
        case replace
        /// Nothing takes the place: the files only go to quarantine.
        case setAside
        /// The snapshot from before a run takes the place of half its steps.
        case undo
        /// A run of migrations that leaves the schema between two versions for a while: until it ends, this snapshot is the
        /// only consistent state.
        case run

        var text: String {
            switch self {
            case .replace: "replace"
            case .setAside: "set-aside"
            case .undo: "undo"
            case .run: "run"
            }
        }

        init?(text: String) {
            switch text {
            case "replace": self = .replace
            case "set-aside": self = .setAside
            case "undo": self = .undo
            case "run": self = .run
            default: return nil
            }
        }
    }

    var operation: Operation
    let sequence: Int64
    /// The inodes of -journal, -wal, -shm and database; 0 where there was none.
    var inodes: [UInt64]
    /// The replacement's, once it is whole; 0 before.
    var replacement: UInt64 = 0
    /// The snapshot to copy; empty when the replacement was built under its temporary name already.
    let source: String
    /// What the replacement must be; nil for `setAside`.
    let seal: Seal?
    /// The files as the boot that could not finish it left them to the application (`print`); nil where that is not known.
    var left: String?
    /// What the boot that ends it has to tell; nil when it costs nobody anything.
    var told: Told?

    /// Records the files that are there now as the ones to move.
    init(
        _ operation: Operation, _ state: RepositoryState, source: String = "", seal: Seal? = nil, told: Told? = nil
    ) throws(MigrationError) {
        self.operation = operation
        sequence = try system { () throws(LinuxError) in try state.nextSequence() }
        self.source = source
        self.seal = seal
        // Nobody has heard of an earlier one yet, whose place this one's record takes.
        let earlier = told == nil ? nil : try system { () throws(LinuxError) in try Swap.readUntold(state)?.told }
        self.told = told.map { $0.joined(with: earlier) }
        inodes = try system { () throws(LinuxError) in try Swap.inodes(state) }
        if seal != nil, source.utf8.isEmpty {
            replacement = try system { () throws(LinuxError) in try FileSystem.status(state.replacement)?.inode ?? 0 }
        }
    }

    static func inodes(_ state: RepositoryState) throws(LinuxError) -> [UInt64] {
        var inodes: [UInt64] = []
        for suffix in RepositoryState.suffixes {
            inodes.append(try FileSystem.status(state.database + suffix)?.inode ?? 0)
        }
        return inodes
    }

    /// Steps (a) to (g). On return the replacement is in place and on the disk.
    /// - Returns: the quarantine directory, nil when there was nothing to move.
    func perform(_ state: RepositoryState) throws(MigrationError) -> String? {
        // With nothing in the way the one rename of (f) is all, and needs nobody to finish it.
        if operation == .replace, source.utf8.isEmpty, told == nil, !inodes.contains(where: { $0 != 0 }) {
            try system { () throws(LinuxError) in try putInPlace(state) }
            return nil
        }
        try system { () throws(LinuxError) in try write(to: state) }
        return try finish(state)
    }

    /// What is to move, or has been moved. Another database has nothing of the old one's: only beside that, or where none is, what was there before may
    /// still come back.
    func seen(_ now: [UInt64]) -> [UInt64] {
        now[3] == 0 || now[3] == inodes[3] ? zip(now, inodes).map { $0 != 0 ? $0 : $1 } : now
    }

    /// Step (f).
    private func putInPlace(_ state: RepositoryState) throws(LinuxError) {
        try FileSystem.rename(state.replacement, to: state.database)
        try FileSystem.syncDirectory(state.databaseDirectory)
    }

    /// Steps (b) to (g): for a boot that found the intent, too.
    func finish(_ state: RepositoryState) throws(MigrationError) -> String? {
        if try system({ () throws(LinuxError) in try isInPlace(state) }) { return try clear(state, moved: nil) }
        // What is there now is what has to move: a sidecar that has come since would undo the restore (RULES.md S2).
        var swap = self
        let now = try system { () throws(LinuxError) in try Swap.inodes(state) }
        swap.inodes = seen(now)
        if swap.inodes != inodes { try system { () throws(LinuxError) in try swap.write(to: state) } }
        return try swap.goOn(state)
    }

    private mutating func goOn(_ state: RepositoryState) throws(MigrationError) -> String? {
        if let seal {
            try makeReady(seal, state)
            // Whatever takes the database's name from here on is told from it by this.
            let inode = try system { () throws(LinuxError) in try FileSystem.status(state.replacement)?.inode ?? 0 }
            if inode != replacement {
                replacement = inode
                try system { () throws(LinuxError) in try write(to: state) }
            }
        }
        let moved = try system { () throws(LinuxError) in
            let moved = inodes.contains { $0 != 0 } ? try moveAway(state) : nil
            if seal != nil { try putInPlace(state) }
            return moved
        }
        return try clear(state, moved: moved)
    }

    /// Step (b).
    private mutating func makeReady(_ seal: Seal, _ state: RepositoryState) throws(MigrationError) {
        let isReady = try system { () throws(LinuxError) in
            guard try FileSystem.isThere(state.replacement) else { return false }
            return try seal.matches(state.replacement)
        }
        if isReady { return }
        if source.utf8.isEmpty { throw .seal(path: state.replacement, reason: "the replacement is gone or was never finished") }
        if replacement != 0 {
            // Of a file that is to be overwritten: its number may soon be another's.
            replacement = 0
            try system { () throws(LinuxError) in try write(to: state) }
        }
        try state.snapshots.copy(source, to: state.replacement, seal: seal)
    }

    /// Steps (c) to (e).
    private func moveAway(_ state: RepositoryState) throws(LinuxError) -> String {
        let quarantine = try state.makeQuarantine(sequence)
        var names: [String] = []
        for (suffix, inode) in zip(RepositoryState.suffixes, inodes) where inode != 0 {
            if try FileSystem.status(state.database + suffix)?.inode == inode { names.append(Text.name(of: state.database) + suffix) }
        }
        var place = quarantine
        for name in names where place == quarantine {
            // The file of then is there already, and somebody has made another one since: what belongs to that stays with it.
            if try FileSystem.isThere("\(quarantine)/\(name)") { place = try state.makeQuarantine(try state.nextSequence()) }
        }
        for name in names {
            try FileSystem.rename("\(state.databaseDirectory)/\(name)", to: "\(place)/\(name)")
            try FileSystem.syncDirectory(place)
        }
        try FileSystem.syncDirectory(place)
        try FileSystem.syncDirectory(state.databaseDirectory)
        return quarantine
    }

    /// Step (g).
    private func clear(_ state: RepositoryState, moved: String?) throws(MigrationError) -> String? {
        try system { () throws(LinuxError) in
            if told == nil { return try Swap.clear(state) }
            try FileSystem.rename(state.intentPath, to: state.untoldPath)
            try FileSystem.syncDirectory(state.directory)
        }
        return moved
    }

    /// Whether step (f) has happened.
    func isInPlace(_ state: RepositoryState) throws(LinuxError) -> Bool {
        if replacement == 0 { return false }
        return try FileSystem.status(state.database)?.inode == replacement
    }

    /// Whether the database that was there lies in this swap's quarantine.
    func hasMoved(_ state: RepositoryState) throws(LinuxError) -> Bool {
        try FileSystem.isThere("\(state.quarantinePath(sequence))/\(Text.name(of: state.database))")
    }

    /// Whether no boot will ever carry it out: what it would put in place is damaged, or gone.
    func isHopeless(_ error: MigrationError) throws(MigrationError) -> Bool {
        if case .seal = error { return true }
        if source.utf8.isEmpty { return false }
        return try system { () throws(LinuxError) in !(try FileSystem.isThere(source)) }
    }

    /// Gives it up: what was there before is back in its place, or else its loss is put on record. Durable when it returns.
    func abandon(_ state: RepositoryState) throws(LinuxError) {
        try moveBack(state)
        if try hasMoved(state) {
            let reason = "\(operation.text) \(sequence) could not be done, and the database of before could not be put back"
            try tell(Told(.restored, reason: reason, lost: "the database of before; it is in \(state.quarantinePath(sequence))"), state)
        }
        try FileSystem.remove(state.replacement)
        try Swap.clear(state)
    }

    init(
        operation: Operation, sequence: Int64, inodes: [UInt64], replacement: UInt64, source: String, seal: Seal?, told: Told?
    ) {
        self.operation = operation
        self.sequence = sequence
        self.inodes = inodes
        self.replacement = replacement
        self.source = source
        self.seal = seal
        self.told = told
    }
}
