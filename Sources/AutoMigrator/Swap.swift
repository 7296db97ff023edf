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
    /// The snapshot to copy; empty when the replacement was built under its temporary name already.
    let source: String
    /// What the replacement must be; nil for `setAside`.
    let seal: Seal?
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
        if try system({ () throws(LinuxError) in try isInPlace(state) }) { return try clear(state, moved: nil) }
        // What is there now is what has to move: a sidecar that has come since would undo the restore (RULES.md S2).
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
    private func isInPlace(_ state: RepositoryState) throws(LinuxError) -> Bool {
        if operation == .run || seal == nil { return false }
        if try FileSystem.isThere(state.replacement) { return false }
        guard let inode = try FileSystem.status(state.database)?.inode else { return false }
        return inode != inodes[3]
    }

    // ---- The intent's file ----

    /// Durable when it returns.
    func write(to state: RepositoryState) throws(LinuxError) { try write(to: state.intentPath, state) }

    private func write(to path: String, _ state: RepositoryState) throws(LinuxError) {
        let text = CheckedText.text([
            ("operation", operation.text), ("sequence", "\(sequence)"),
            ("inodes", inodes.map { "\($0)" }.joined(separator: ",")), ("source", state.stored(source)), ("seal", seal?.text ?? ""),
        ] + (told?.fields ?? []))
        try FileSystem.replace(path, with: text, durable: true, permissions: 0o600)
    }

    /// The boot ends here, and the application begins: an intent that is left is one of before its work. One rename, which no full disk keeps from
    /// being done. Durable when it returns.
    static func handOver(_ state: RepositoryState) throws(LinuxError) {
        guard try FileSystem.isThere(state.intentPath) else { return }
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
        if operation == .setAside || !isHalfARun && now[3] != 0 && now[3] == inodes[3] {
            try giveUp(state)
            return nil
        }
        var swap = self
        if operation == .run { swap.operation = .undo }
        // Else all was done but for the intent's going, and what the application wrote went to the replacement.
        if try !isInPlace(state) {
            swap.inodes = now
            // Nothing there, nothing written.
            if now[3] != 0 {
                let since = Told(
                    .restored, reason: "\(operation.text) \(sequence) was cut short, and the application has run meanwhile",
                    lost: "what the application wrote to the old files since a boot ended without having finished this")
                swap.told = told?.joined(with: since) ?? since
            }
        }
        try swap.write(to: state)
        try forgetServed(state)
        return swap
    }

    /// What made the swap necessary is looked for anew, in the database that the application has worked with.
    private func giveUp(_ state: RepositoryState) throws(LinuxError) {
        _ = try FileDescriptor.open(state.damagedPath, .create, permissions: 0o600)
        // Moved before the boot ended: the application's database has gone on without it, and nobody can put the two together any more.
        let quarantine = state.quarantinePath(sequence)
        for suffix in ["-journal", "-wal"] where operation != .setAside {
            let sidecar = "\(quarantine)/\(Text.name(of: state.database))\(suffix)"
            guard let status = try FileSystem.status(sidecar), status.size > 0 else { continue }
            var swap = self
            let told = Told(.restored, reason: "\(operation.text) \(sequence) was given up, since the application has run meanwhile", lost: "what \(sidecar) had")
            swap.told = told.joined(with: try Swap.readUntold(state)?.told)
            try swap.write(to: state.untoldPath, state)
        }
        try FileSystem.remove(state.replacement)
        try forgetServed(state)
    }

    private func forgetServed(_ state: RepositoryState) throws(LinuxError) {
        try FileSystem.remove(state.servedPath)
        try FileSystem.syncDirectory(state.directory)
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

    /// One that a boot ended without having finished.
    static func readServed(_ state: RepositoryState) throws(LinuxError) -> Found {
        try read(state.servedPath, state)
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
