internal import CLinux
import Linux

/// Factory resets. One is asked for in the record, and carried out early in a boot, before anything works on the partition:
///
///     request ──► no `preserve`: intent, erased, formatted (DataPartition+Erase)
///            └──► `preserve`, or the databases alone: mounted by the ladder ──► files removed ──► synced, trimmed ──► request cleared
///
/// Until it is cleared every boot begins it again: removing what is gone already is done at once.
extension DataPartition {
    enum Erasure {
        /// Erased and formatted.
        case partition
        /// All files but those of `preserve`.
        case files
        /// The databases alone.
        case databases
    }

    var erasure: Erasure { settings.reset == .database ? .databases : settings.preserve.isEmpty ? .partition : .files }

    /// Asks for a factory reset, which the next `bringUp` carries out. After a power cut it has been asked for, or not.
    ///
    /// Also while the partition is mounted and worked on.
    /// - Parameter reason: who asks, for the record: `button`.
    /// - Throws: `.refused` where the configuration protects what is there.
    public mutating func requestReset(reason: String) throws(DataPartitionError) {
        try refuseReset(erasure == .partition ? settings.format : .always)
        if settings.device == .none {
            try changeRecordFile { $0.request = reason }
            return
        }
        let path = try find()
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .write)
            try refuseStranger(device, path)
            var tail = try Tail.read(device)
            tail.request = reason
            try Tail.write(&tail, to: device)
        } catch {
            throw fail(.wipe, DataPartitionError(error.code == EPERM ? .refused : .system, "factory reset: \(error.text)", code: error.code))
        }
        note(.wipe, "ok", "asked for: \(reason)")
    }

    /// What the configuration says against a reset.
    func refuseReset(_ format: FormatPolicy) throws(DataPartitionError) {
        var why = settings.resetMistake.map { "the configuration has a mistake: \($0)" }
        if why == nil && erasure == .partition && settings.device == .none { why = "device = none, so it may not be formatted" }
        if why == nil && format == .never { why = "format = never, so it may not be formatted" }
        if why == nil && erasure == .databases && settings.databases.isEmpty { why = "[button] reset = database, and there is no [database]" }
        if let why { throw DataPartitionError(.refused, "factory reset: \(why)") }
    }

    func refuseStranger(_ device: borrowing BlockDevice, _ path: String) throws(LinuxError) {
        // A card that cannot be read here and there is just what a reset may be asked for.
        if settings.format != .always, (try? Tail.read(device))?.intent == nil, case .foreign(let kind) = Probe(device).finding {
            throw LinuxError("format", "\(path), which holds \(kind)", code: EPERM)
        }
    }

    /// A token of the kernel's command line that was not acted on yet becomes a request (RULES.md B12).
    func takeToken(_ record: inout TailRecord) {
        guard let token = resetToken.flatMap({ TailRecord.token($0) }), token != record.token else { return }
        record.token = token
        record.request = "kernel command line, \(token)"
    }

    // MARK: - By files

    /// Carries out what was asked for on the mounted partition.
    /// - Parameter path: the device; nil for a mount point that is used as it is.
    /// - Throws: where nothing is mounted any more.
    mutating func resetFiles(_ path: String?, _ reason: String) throws(DataPartitionError) {
        reporter.progress(.wiping, "factory reset: remove files below \(mountPoint)")
        reporter.log.warning("data: factory reset of \(mountPoint), asked for by: \(reason)")
        // What a repair has torn off would be a database again once these are gone; and so would what was read before it.
        if erasure == .databases { putBackLost(settings.databases) }
        rescued = nil
        let what: String
        do throws(LinuxError) {
            what = try remove(reason)
        } catch {
            return failed(path, reason, error)
        }
        try afterStage("removed")
        var isMounted = true
        do throws(LinuxError) {
            try finishReset(path, what, &isMounted)
            wiped = true
            isRepaired = false
            note(.wipe, "ok", what)
        } catch {
            failed(path, reason, error)
        }
        guard !isMounted, let path else { return }
        do throws(LinuxError) {
            filesystem = try Mounting.mount(path, on: mountPoint, proof: false)
        } catch {
            throw fail(.mount, DataPartitionError("mount \(path) again behind a factory reset", error))
        }
    }

    private mutating func failed(_ path: String?, _ reason: String, _ error: LinuxError) {
        let next = countFailure(path) ? "given up after \(DataPartition.mostFailures) boots" : "the next boot goes on with it"
        note(.wipe, "failed", "\(reason): \(error.text); \(next)")
        reporter.log.error("data: factory reset: \(error.text); \(next)")
    }

    /// Removes it from the device, and says what.
    private func remove(_ reason: String) throws(LinuxError) -> String {
        try refuseShared()
        let (removed, kept) = erasure == .files ? try removeFiles() : try removeDatabases()
        // Names that came back with a journal that was given up would come back without what a trim has taken from them.
        try Mounting.commit(mountPoint)
        return "\(reason): \(removed) names removed, \(kept)\(trim(try FileDescriptor.open(mountPoint, .directory)))"
    }

    /// Into the record that it is done.
    /// - Parameter isMounted: whether the partition still is.
    private mutating func finishReset(_ path: String?, _ what: String, _ isMounted: inout Bool) throws(LinuxError) {
        func done(_ record: inout TailRecord) {
            record.request = nil
            // What is missing now was to go.
            record.repaired = false
            record.resets += 1
            record.remember("reset", what)
        }
        guard let path else {
            var record = try readRecordFile()
            takeToken(&record)
            done(&record)
            try writeRecordFile(&record)
            return
        }
        // In the head it lies in the block of the superblock, and the journal has that as it was when the last file went: empty, first.
        let isInHead = try Tail.place(on: BlockDevice.open(path, .read)) == .head
        if isInHead {
            try unmount()
            isMounted = false
        }
        let device = try BlockDevice.open(path, isInHead ? .exclusive : .write)
        var tail = try Tail.read(device)
        takeToken(&tail)
        done(&tail)
        tail.failures = 0
        try Tail.settle(&tail, on: device)
        record = tail
    }

    /// A file that does not go (`chattr +i`) must not have all the others erased at every boot from now on.
    /// - Returns: whether it is given up.
    private mutating func countFailure(_ path: String?) -> Bool {
        guard let path, let device = try? BlockDevice.open(path, .write), var tail = try? Tail.read(device) else { return false }
        takeToken(&tail)
        tail.failures += 1
        let isGivenUp = tail.failures >= DataPartition.mostFailures
        if isGivenUp { (tail.request, tail.failures) = (nil, 0) } else { tail.request = record.request }
        try? Tail.write(&tail, to: device)
        record = tail
        return isGivenUp
    }

    private static let mostFailures: Int64 = 3

    private func removeFiles() throws(LinuxError) -> (Int64, String) {
        let reporter = reporter
        var removal = try TreeRemoval(below: FileDescriptor.open(mountPoint, .directory)) { reporter.progress(.wiping, "\($0) files removed") }
        // Its directory stays for fsck, which would have to make it.
        removal.removeAll(keeping: settings.preserve + [[LostAndFound.directoryName, ""], [DataPartition.recordName]])
        if let failure = removal.failure { throw failure }
        var kept = ""
        for path in settings.preserve { kept += (kept.isEmpty ? "" : ", ") + path.joined(separator: "/") }
        return (removal.removed, "kept: \(kept)")
    }

    func removeDatabases() throws(LinuxError) -> (Int64, String) {
        let root = try FileDescriptor.open(mountPoint, .directory)
        var removed: Int64 = 0
        var left = ""
        for path in settings.databases {
            guard let inside = below(path) else {
                left += "; left: \(path) is not below \(mountPoint)"
                continue
            }
            let parent: FileDescriptor
            do throws(LinuxError) {
                parent = try FileDescriptor.open(Text.directory(of: inside), below: root, .directory)
            } catch {
                // Whoever put a link there put the database where it leads.
                if error.isLoop { left += "; left: \(path) lies behind a symbolic link" }
                if error.isLoop || error.isMissing { continue }
                throw error
            }
            let name = Text.name(of: inside)
            if (try? FileSystem.status("\(mountPoint)/\(inside)"))??.kind == .symbolicLink { left += "; left: what the link \(path) leads to" }
            // The state first: a database without it is taken up as it is, where a read error ends this half-way; without the database, the state
            // would have it restored.
            removed += try removeState(Text.stem(of: name), from: parent)
            for file in DataPartition.databaseFiles(name) { removed += try TreeRemoval.remove(file, from: parent) }
        }
        // What a repair found, and could not put back, would be a database again.
        removed += try LostAndFound.removeDatabases(below: root)
        return (removed, "all else kept\(left)")
    }

    private func removeState(_ name: String, from parent: borrowing FileDescriptor) throws(LinuxError) -> Int64 {
        let reporter = reporter
        let raw = linux_open_inside(parent.raw, ".firstlight", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if raw < 0 {
            if linux_errno() == EXDEV { throw .last("open", "\(parent.name)/.firstlight") }
            // What is no directory holds no state, and only its name goes.
            return try TreeRemoval.remove(".firstlight", from: parent)
        }
        let states = FileDescriptor(owning: raw, name: "\(parent.name)/.firstlight")
        return try TreeRemoval.remove(name, from: states) { reporter.progress(.wiping, "\($0) files removed") }
    }

    /// A database's own files, and what a swap may have left beside it.
    private static func databaseFiles(_ name: String) -> [String] {
        [name, "\(name)-journal", "\(name)-wal", "\(name)-shm", ".\(name).firstlight-new"]
    }

    /// A path's part below the mount point; nil where it is not below it.
    func below(_ path: String) -> String? {
        Text.dropPrefix(path, mountPoint + "/") ?? Text.dropPrefix(path, settings.mount + "/")
    }

    /// Tells the flash what is free now. That it cannot be told is no failure.
    private func trim(_ root: borrowing FileDescriptor) -> String {
        let size = (try? FileSystem.space(mountPoint))?.total ?? 0
        let piece: Int64 = 1 << 30
        var start: Int64 = 0
        while start < size {
            reporter.progress(.wiping, "trim \(mountPoint) from \(start >> 20) MiB")
            let code = linux_trim(root.raw, UInt64(start), UInt64(piece))
            if code != 0 { return "; not trimmed: \(LinuxError.name(code))" }
            start += piece
        }
        return "; trimmed"
    }

    // MARK: - A record without a device

    static let recordName = ".firstlight-record"
    private var recordPath: String { "\(mountPoint)/\(DataPartition.recordName)" }

    /// Root writes into no directory that others can write to (RULES.md B7).
    private func refuseShared() throws(LinuxError) {
        let status = try FileDescriptor.open(mountPoint, .directory).status()
        if status.user != userID() || status.permissions & 0o022 != 0 {
            throw LinuxError("trust a directory that others can write to", mountPoint, code: EPERM)
        }
    }

    func readRecordFile() throws(LinuxError) -> TailRecord {
        guard try FileSystem.isThere(recordPath) else { return TailRecord() }
        guard let record = Tail.decode(try FileSystem.read(recordPath, limit: Tail.slotSize)) else { throw LinuxError("decode", recordPath, code: EBADMSG) }
        return record
    }

    private mutating func writeRecordFile(_ record: inout TailRecord) throws(LinuxError) {
        try refuseShared()
        record.sequence += 1
        try FileSystem.replace(recordPath, with: Tail.encode(record), durable: true, permissions: 0o600)
        self.record = record
    }

    private mutating func changeRecordFile(_ change: (inout TailRecord) -> Void) throws(DataPartitionError) {
        do throws(LinuxError) {
            var record = try readRecordFile()
            change(&record)
            try writeRecordFile(&record)
        } catch {
            throw fail(.wipe, DataPartitionError("factory reset", error))
        }
    }
}
