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
    private func seen(_ now: [UInt64]) -> [UInt64] {
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

    /// The way back from (d), where the database has been moved and its place is free: whoever comes next finds what was there before.
    private func moveBack(_ state: RepositoryState) throws(LinuxError) {
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
    private func isInPlace(_ state: RepositoryState) throws(LinuxError) -> Bool {
        if replacement == 0 { return false }
        return try FileSystem.status(state.database)?.inode == replacement
    }

    /// Whether the database that was there lies in this swap's quarantine.
    private func hasMoved(_ state: RepositoryState) throws(LinuxError) -> Bool {
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

    /// Puts on record what nobody has been told of. Durable when it returns.
    func tell(_ told: Told, _ state: RepositoryState) throws(LinuxError) {
        var swap = self
        swap.told = told.joined(with: try Swap.readUntold(state)?.told)
        try swap.write(to: state.untoldPath, state)
    }

    // ---- The intent's file ----

    /// Durable when it returns.
    func write(to state: RepositoryState) throws(LinuxError) { try write(to: state.intentPath, state) }

    private func write(to path: String, _ state: RepositoryState) throws(LinuxError) {
        let text = CheckedText.text([
            ("operation", operation.text), ("sequence", "\(sequence)"),
            ("left", left ?? ""), ("inodes", inodes.map { "\($0)" }.joined(separator: ",")), ("replacement", "\(replacement)"), ("source", state.stored(source)), ("seal", seal?.text ?? ""),
        ] + (told?.fields ?? []))
        try FileSystem.replace(path, with: text, durable: true, permissions: 0o600)
    }

    /// The boot ends here, and the application begins: an intent that is left is one of before its work. One rename, which no full disk keeps from
    /// being done. Durable when it returns.
    static func handOver(_ state: RepositoryState) throws(LinuxError) {
        guard try FileSystem.isThere(state.intentPath) else { return }
        // Without a database the application would make itself one.
        if case .intent(var swap) = try read(state) {
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

    /// Of what nobody has been told of only this is true any more; nil where nothing is. Durable when it returns.
    static func retell(_ lost: String?, _ state: RepositoryState) throws(LinuxError) {
        guard var swap = try readUntold(state), swap.told?.lost != lost else { return }
        swap.told?.lost = lost
        if lost != nil { return try swap.write(to: state.untoldPath, state) }
        try FileSystem.remove(state.untoldPath)
        try FileSystem.syncDirectory(state.directory)
    }

    static func isUntoldDamaged(_ state: RepositoryState) throws(LinuxError) -> Bool {
        if case .unreadable = try read(state.untoldPath, state) { true } else { false }
    }

    private static func read(_ path: String, _ state: RepositoryState) throws(LinuxError) -> Found {
        guard try FileSystem.isThere(path) else { return .nothing }
        guard let values = CheckedText.fields(try FileSystem.readText(path)),
            let operation = Operation(text: values["operation"] ?? ""), let sequence = Text.number(values["sequence"] ?? "")
        else { return .unreadable }
        let inodes = Text.split(values["inodes"] ?? "", 0x2C).map { UInt64(Text.number($0) ?? 0) }
        guard inodes.count == RepositoryState.suffixes.count else { return .unreadable }
        var swap = Swap(
            operation: operation, sequence: sequence, inodes: inodes, replacement: UInt64(Text.number(values["replacement"] ?? "") ?? 0),
            source: state.restored(values["source"] ?? ""), seal: Seal(text: values["seal"] ?? ""), told: Told(values))
        swap.left = values["left"].flatMap { $0.utf8.isEmpty ? nil : $0 }
        return .intent(swap)
    }

    private init(
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
