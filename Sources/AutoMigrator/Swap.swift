internal import Linux

/// Puts a replacement where a database is, with a power cut allowed anywhere.
///
/// The intent is on the disk before the first file moves and goes last, so that a boot that finds it does the rest:
///
///     (a) intent durable
///     (b) the replacement under a temporary name beside the database, synced, its seal verified
///     (c) the quarantine directory, durable
///     (d) sidecars, then the database, into it: what is there now, recorded anew where that has changed since (a)
///     (e) quarantine and database directory synced
///     (f) replacement renamed to the database's name, directory synced
///     (g) intent removed, or renamed to `untold` where it says what a person has to hear; directory synced
///
/// Nothing is ever unlinked to make the way free. After a cut before (f) the next boot repeats (b) to (f), each of which is the same
/// when done twice; after (f) the database is no longer the recorded file and the temporary name is gone, and only (g) is left.
struct Swap {
    enum Operation: Equatable {
        /// A snapshot, or a database built anew, takes the place.
        case replace
        /// Nothing takes the place: the files only go to quarantine.
        case setAside
        /// A run of migrations that leaves the schema between two versions for a while: until it ends, this snapshot is the
        /// only consistent state.
        case run

        var text: String {
            switch self {
            case .replace: "replace"
            case .setAside: "set-aside"
            case .run: "run"
            }
        }

        init?(text: String) {
            switch text {
            case "replace": self = .replace
            case "set-aside": self = .setAside
            case "run": self = .run
            default: return nil
            }
        }
    }

    var operation: Operation
    let sequence: Int64
    /// The inodes of -journal, -wal, -shm and database; 0 where there was none.
    var inodes: [UInt64]
    /// The snapshot to copy; empty when the replacement was built under its temporary name already.
    let source: String
    /// What the replacement must be; nil for `setAside`.
    let seal: Seal?
    /// What the boot that ends it has to tell; nil when it costs nobody anything.
    let told: Told?

    /// Records the files that are there now as the ones to move.
    init(
        _ operation: Operation, _ state: RepositoryState, source: String = "", seal: Seal? = nil, told: Told? = nil
    ) throws(MigrationError) {
        self.operation = operation
        sequence = try system { () throws(LinuxError) in try state.nextSequence() }
        self.source = source
        self.seal = seal
        self.told = told
        inodes = try system { () throws(LinuxError) in try Swap.inodes(state) }
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

    /// Step (f).
    private func putInPlace(_ state: RepositoryState) throws(LinuxError) {
        try FileSystem.rename(state.replacement, to: state.database)
        try FileSystem.syncDirectory(state.databaseDirectory)
    }

    /// Steps (b) to (g): for a boot that found the intent, too.
    func finish(_ state: RepositoryState) throws(MigrationError) -> String? {
        if try isInPlace(state) { return try clear(state, moved: nil) }
        // Where a boot could not go on (a full disk, a disk that hangs) READY came all the same, and the application has worked since: what is
        // there now is what has to move. A sidecar of its own would undo the restore (RULES.md S2).
        var swap = self
        let now = try system { () throws(LinuxError) in try Swap.inodes(state) }
        swap.inodes = zip(now, inodes).map { $0 != 0 ? $0 : $1 }
        if swap.inodes != inodes { try system { () throws(LinuxError) in try swap.write(to: state) } }
        return try swap.goOn(state)
    }

    private func goOn(_ state: RepositoryState) throws(MigrationError) -> String? {
        let store = state.snapshots
        var moved: String?
        if let seal {
            let ready = try system { () throws(LinuxError) in
                guard try FileSystem.isThere(state.replacement) else { return false }
                return try seal.matches(state.replacement)
            }
            if !ready {
                if source.utf8.isEmpty {
                    throw .seal(path: state.replacement, reason: "the replacement is gone or was never finished")
                }
                try store.copy(source, to: state.replacement, seal: seal)
            }
        }
        moved = try system { () throws(LinuxError) in
            var moved: String?
            if inodes.contains(where: { $0 != 0 }) {
                let quarantine = try state.makeQuarantine(sequence)
                for (suffix, inode) in zip(RepositoryState.suffixes, inodes) where inode != 0 {
                    let path = state.database + suffix
                    guard try FileSystem.status(path)?.inode == inode else { continue }
                    var target = "\(quarantine)/\(Text.name(of: path))"
                    // The file of then is there already, and somebody has made another one since.
                    if try FileSystem.isThere(target) { target = "\(try state.makeQuarantine(try state.nextSequence()))/\(Text.name(of: path))" }
                    try FileSystem.rename(path, to: target)
                    try FileSystem.syncDirectory(Text.directory(of: target))
                }
                try FileSystem.syncDirectory(quarantine)
                try FileSystem.syncDirectory(state.databaseDirectory)
                moved = quarantine
            }
            if seal != nil { try putInPlace(state) }
            return moved
        }
        return try clear(state, moved: moved)
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

    /// Whether step (f) has happened: the temporary name is gone, and the database is not the recorded file.
    private func isInPlace(_ state: RepositoryState) throws(MigrationError) -> Bool {
        guard seal != nil, !(try system { () throws(LinuxError) in try FileSystem.isThere(state.replacement) }) else { return false }
        let inode = try system { () throws(LinuxError) in try FileSystem.status(state.database)?.inode }
        guard let inode else { return false }
        return inode != inodes[3]
    }

    // ---- The intent's file ----

    /// Durable when it returns.
    func write(to state: RepositoryState) throws(LinuxError) {
        let text = CheckedText.text([
            ("operation", operation.text), ("sequence", "\(sequence)"),
            ("inodes", inodes.map { "\($0)" }.joined(separator: ",")), ("source", state.stored(source)), ("seal", seal?.text ?? ""),
        ] + (told?.fields ?? []))
        try FileSystem.replace(state.intentPath, with: text, durable: true, permissions: 0o600)
    }

    /// Removes the intent, durably.
    static func clear(_ state: RepositoryState) throws(LinuxError) {
        try FileSystem.remove(state.intentPath)
        try FileSystem.syncDirectory(state.directory)
    }

    enum Found {
        case nothing
        case intent(Swap)
        /// Its checksum does not hold. It was written whole or not at all, so this is damage, not a cut.
        case unreadable
    }

    static func read(_ state: RepositoryState) throws(LinuxError) -> Found {
        try read(state.intentPath, state)
    }

    /// A swap that is done, and of which nobody has been told.
    static func readUntold(_ state: RepositoryState) throws(LinuxError) -> Swap? {
        guard case .intent(let swap) = try read(state.untoldPath, state) else { return nil }
        return swap
    }

    private static func read(_ path: String, _ state: RepositoryState) throws(LinuxError) -> Found {
        guard try FileSystem.isThere(path) else { return .nothing }
        guard let values = CheckedText.fields(try FileSystem.readText(path)),
            let operation = Operation(text: values["operation"] ?? ""), let sequence = Text.number(values["sequence"] ?? "")
        else { return .unreadable }
        let inodes = Text.split(values["inodes"] ?? "", 0x2C).map { UInt64(Text.number($0) ?? 0) }
        guard inodes.count == RepositoryState.suffixes.count else { return .unreadable }
        return .intent(
            Swap(
                operation: operation, sequence: sequence, inodes: inodes, source: state.restored(values["source"] ?? ""),
                seal: Seal(text: values["seal"] ?? ""), told: Told(values)))
    }

    private init(
        operation: Operation, sequence: Int64, inodes: [UInt64], source: String, seal: Seal?, told: Told?
    ) {
        self.operation = operation
        self.sequence = sequence
        self.inodes = inodes
        self.source = source
        self.seal = seal
        self.told = told
    }
}
