internal import CLinux
import Linux

/// Everything that destroys. The order, each step on the device before the next begins:
///
/// intent to the record → (wipe only: discarded, or overwritten) → old superblocks overwritten, verified gone → stage to the tail → mkfs
/// → intent cleared, "unused" until a mount of it is proven
///
/// A cut anywhere leaves the intent, and the next `bringUp` begins again: an interrupted discard looks blank, and
/// without the intent a repair from a backup superblock brought erased rows back (RULES.md F13).
extension DataPartition {
    /// A factory reset now, as the configuration wants it: with nothing to preserve the partition is erased, an empty filesystem is on it, and nothing
    /// is mounted (`bringUp` does that); else it is asked for, and `bringUp` removes the files. Counted in the record.
    /// - Parameter reason: who asked for it, for the record: `button`.
    /// - Throws: `.refused` where the configuration protects what is there (`format = never`, another kind of
    ///   filesystem); `.inUse` while it cannot be unmounted. Once begun, the next `bringUp` finishes what failed.
    public mutating func wipe(reason: String) throws(DataPartitionError) {
        reporter.progress(.wiping, "find \(settings.device.text)")
        if erasure != .partition { return try requestReset(reason: reason) }
        do throws(DataPartitionError) {
            try refuseReset(settings.format)
        } catch {
            throw fail(.wipe, error)
        }
        let path = try find()
        try unmount(path)
        var tail = TailRecord()
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            // A card that can be written but not read here and there is just what a reset may be asked for.
            tail = (try? Tail.read(device)) ?? TailRecord()
            if tail.intent == nil { try refuseStranger(device, path) }
        } catch {
            let kind: DataPartitionError.Kind = error.code == EPERM ? .refused : .system
            throw fail(.wipe, DataPartitionError(kind, "factory reset: \(error.text)", code: error.code))
        }
        try wipe(path, &tail, reason: reason)
    }

    /// Erases and formats, whatever was begun before.
    mutating func wipe(_ path: String, _ tail: inout TailRecord, reason: String) throws(DataPartitionError) {
        tail.resets += 1
        tail.intent = TailRecord.Intent(operation: .wipe, stage: .erase, reason: reason)
        tail.request = nil
        tail.repaired = false
        tail.erased = 0
        reporter.log.warning("data: factory reset of \(path), number \(tail.resets): \(reason)")
        try erase(path, &tail, overwrite: true)
    }

    /// Formats what the ladder gave up on, or what never held anything.
    mutating func format(_ path: String, why: String, blank: Bool, wasUsed: Bool) throws(DataPartitionError) {
        var tail = TailRecord()
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            tail = try Tail.read(device)
            // RULES.md F7: every range answers, or nothing is erased.
            if !blank, let error = Samples(device).readError { throw error }
        } catch {
            throw fail(.format, DataPartitionError("format \(path): it is left as it is", error))
        }
        // What an earlier one has cost may still be untold.
        tail.repaired = tail.repaired || !blank && wasUsed
        tail.intent = TailRecord.Intent(operation: .format, stage: .erase, reason: why)
        reporter.log.warning("data: formatting \(path): \(why)")
        try erase(path, &tail, overwrite: !blank)
    }

    /// Finishes what a cut interrupted.
    mutating func resume(_ path: String, _ tail: TailRecord) throws(DataPartitionError) {
        guard let intent = tail.intent else { return }
        let what = "\(intent.operation.text) begun before (\(intent.reason)), cut short at stage \(intent.stage.text)"
        reporter.log.warning("data: \(path): \(what): it is done again from the beginning")
        note(.resume, "ok", what)
        var tail = tail
        if intent.operation == .salvage { return try finishSalvage(path, &tail) }
        try erase(path, &tail, overwrite: true)
    }

    /// The steps above; `tail` carries the intent.
    private mutating func erase(
        _ path: String, _ tail: inout TailRecord, overwrite: Bool
    ) throws(DataPartitionError) {
        guard let intent = tail.intent else { return }
        let isWipe = intent.operation == .wipe
        // A reset in the middle of a salvage.
        tail.bundle = nil
        let phase: Reporter.Phase = isWipe ? .wiping : .working
        let rung: Rung = isWipe ? .wipe : .format
        let doing = "\(intent.operation.text) \(path)"
        let size: Int64
        do throws(LinuxError) {
            reporter.progress(phase, "\(doing): erase")
            let device = try BlockDevice.open(path, .exclusive)
            size = device.size
            tail.intent?.stage = overwrite ? .erase : .format
            try Tail.write(&tail, to: device)
        } catch {
            throw fail(rung, DataPartitionError(doing, error))
        }
        try afterStage("announced")
        if overwrite {
            if isWipe { try eraseContents(path, &tail) }
            do throws(LinuxError) {
                try eraseSuperblocks(BlockDevice.open(path, .exclusive))
            } catch {
                throw fail(rung, DataPartitionError(doing, error))
            }
        }
        try afterStage("erased")
        if overwrite {
            do throws(LinuxError) {
                let device = try BlockDevice.open(path, .exclusive)
                tail.intent?.stage = .format
                try Tail.write(&tail, to: device)
            } catch {
                throw fail(rung, DataPartitionError(doing, error))
            }
        }
        try afterStage("announced mkfs")
        try makeFilesystem(path, end: Tail.start(on: size), phase, rung)
        try afterStage("made")
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .exclusive)
            tail.intent = nil
            // Nothing is left to reset.
            tail.request = nil
            tail.erased = 0
            tail.isUnused = true
            tail.remember(intent.operation.text, intent.reason)
            try Tail.settle(&tail, on: device)
        } catch {
            throw fail(rung, DataPartitionError("\(doing): clear the intent", error))
        }
        record = tail
        formatted = true
        if isWipe { wiped = true }
        note(rung, "ok", intent.reason + (unerased > 0 ? "; \(unerased >> 20) MiB could not be overwritten" : ""))
    }

    /// - Parameter end: where it ends, in bytes from the partition's beginning.
    mutating func makeFilesystem(
        _ path: String, end: Int64, _ phase: Reporter.Phase, _ rung: Rung
    ) throws(DataPartitionError) {
        var programs = makePrograms
        var arguments = Ext4.makeArguments(path, end: end, for: settings.device)
        if settings.filesystem == .f2fs {
            if makeF2FSPrograms.contains(where: { FileSystem.exists($0) }) {
                programs = makeF2FSPrograms
                arguments = F2FS.makeArguments(path, end: end, for: settings.device)
            } else {
                reporter.log.error("data: [data] filesystem = f2fs, but this image has no mkfs.f2fs: it becomes ext4")
            }
        }
        let name = Text.name(of: programs.first ?? "mkfs")
        reporter.progress(phase, "\(name) \(path)")
        let result: Program.Result
        do throws(LinuxError) {
            result = try BlockDevice.retryWhileBusy { () throws(LinuxError) in
                try Program.run(programs, arguments, deadline: patience(end), reporter: reporter)
            } failed: { $0.isInUse }
        } catch {
            throw fail(rung, DataPartitionError("\(name) \(path)", error))
        }
        if result.end != .exited(0) {
            throw fail(rung, DataPartitionError(.system, "\(name) \(path): \(result.text)"))
        }
    }

    /// Tells the flash that all of it is free, or overwrites it where the device cannot be told: a piece at a time, since a long one shows no other sign
    /// of life. What cannot be reached is left; what must be gone `eraseSuperblocks` looks after.
    private mutating func eraseContents(_ path: String, _ tail: inout TailRecord) throws(DataPartitionError) {
        var canDiscard = isDiscarding
        var isTold = false
        while true {
            let isDone: Bool
            do throws(LinuxError) {
                isDone = try eraseContents(BlockDevice.open(path, .exclusive), &tail, &canDiscard, &isTold)
            } catch {
                throw fail(.wipe, DataPartitionError("wipe \(path)", error))
            }
            if isDone { return }
            try afterStage("overwritten")
        }
    }

    /// - Returns: false after so many bytes that it is worth a note in the record how far it is.
    private mutating func eraseContents(
        _ device: borrowing BlockDevice, _ tail: inout TailRecord, _ canDiscard: inout Bool, _ isTold: inout Bool
    ) throws(LinuxError) -> Bool {
        // A record in the head is what a cut is to find; and then the last MiB is files.
        let isInHead = try Tail.place(on: device) == .head
        let end = isInHead ? device.size : Tail.start(on: device.size)
        let start = max(tail.erased, isInHead ? 4096 : 0)
        var offset = start
        while offset < end {
            let count = min(canDiscard ? DataPartition.discardPiece : DataPartition.overwritePiece, end - offset)
            reporter.progress(.wiping, "\(canDiscard ? "discard" : "overwrite") \(device.path) from \(offset >> 20) MiB", percent: offset * 100 / end)
            do throws(LinuxError) {
                if canDiscard {
                    canDiscard = try device.discard(at: offset, count: count)
                    if !canDiscard { continue }
                } else {
                    try device.zeroOut(at: offset, count: count)
                }
            } catch {
                if !isTold { reporter.log.warning("data: \(error.text)\(canDiscard ? ": overwriting instead" : ": such places are left")") }
                isTold = true
                if canDiscard {
                    canDiscard = false
                    continue
                }
                unerased += count
            }
            offset += count
            if !canDiscard && offset - start >= overwriteNote && offset < end {
                try device.sync()
                tail.erased = offset
                try Tail.write(&tail, to: device)
                return false
            }
        }
        try device.sync()
        return true
    }

    /// In bytes.
    private static let discardPiece: Int64 = 256 << 20
    private static let overwritePiece: Int64 = 16 << 20

    /// Overwrites the first MiB and every superblock there may be, and reads from the device that none is left: with
    /// an old one at a place where no new one will be, a later repair would bring the old filesystem back over the
    /// new.
    /// - Parameter limit: in bytes; what lies behind is not the filesystem's. The tail where it is not given.
    func eraseSuperblocks(_ device: borrowing BlockDevice, below limit: Int64? = nil) throws(LinuxError) {
        let limit = limit ?? Tail.start(on: device.size)
        let old = try? Superblock.read(device, at: Superblock.offset)
        let offsets = SuperblockPlace.backups(on: device.size, like: old.flatMap { $0 }).map { $0.offset }
        // All but a record in the head, which goes with mkfs.
        let start = try Tail.place(on: device) == .head ? Tail.headCount : 0
        if start > 0 {
            // From now on the tail is believed: what an earlier life of the card, or an application, has left there must not outrank the head.
            for slot: Int64 in 0...1 { try device.write([UInt8](repeating: 0, count: Tail.slotSize), at: Tail.offset(ofSlot: slot, on: device.size)) }
            try device.sync()
        }
        try device.write([UInt8](repeating: 0, count: Int(min(1 << 20, limit) - start)), at: start)
        let zeros = [UInt8](repeating: 0, count: Superblock.byteCount)
        for offset in offsets where offset < limit {
            // A place that cannot be read cannot be shown to be empty: overwritten as well.
            let bytes = try? device.bytes(at: offset, count: zeros.count)
            if bytes.map({ Superblock.hasMagic($0) }) ?? true { try device.write(zeros, at: offset) }
        }
        try device.sync()
        device.dropCache()
        for offset in [Superblock.offset] + offsets where offset < limit {
            if Superblock.hasMagic(try device.bytes(at: offset, count: zeros.count)) {
                throw LinuxError("erase the superblock at \(offset)", device.path, code: EIO)
            }
        }
    }

    /// Nobody may be on it.
    private mutating func unmount(_ path: String) throws(DataPartitionError) {
        guard let there = try mountTable().top(at: mountPoint), !there.isVolatile else { return }
        guard let device = try? BlockDevice.open(path, .read), MountTable.name(of: device.number) == there.device else {
            return
        }
        do throws(LinuxError) {
            try unmount()
        } catch {
            throw fail(.wipe, DataPartitionError(.inUse, "factory reset: \(error.text)", code: error.code))
        }
    }
}
