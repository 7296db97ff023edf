internal import CLinux
import Linux

/// Everything that destroys. The order, each step on the device before the next begins:
///
/// intent to the tail → (wipe only: discard) → old superblocks overwritten, verified gone → stage to the tail → mkfs
/// → intent cleared
///
/// A cut anywhere leaves the intent, and the next `bringUp` begins again: an interrupted discard looks blank, and
/// without the intent a repair from a backup superblock brought erased rows back (RULES.md F13).
extension DataPartition {
    /// A factory reset of the partition: everything on it is gone, an empty filesystem is there, nothing is mounted
    /// (`bringUp` does that). Counted in the tail.
    /// - Parameter reason: who asked for it, for the record: `button`.
    /// - Throws: `.refused` where the configuration protects what is there (`format = never`, another kind of
    ///   filesystem); `.inUse` while it cannot be unmounted. Once begun, the next `bringUp` finishes what failed.
    public mutating func wipe(reason: String) throws(DataPartitionError) {
        reporter.progress(.wiping, "find \(settings.device.text)")
        if settings.device == .none || settings.format == .never {
            let why = settings.device == .none ? "device = none" : "format = never"
            throw fail(.wipe, DataPartitionError(.refused, "factory reset: it may not be formatted: \(why)"))
        }
        let path = try find()
        try unmount(path)
        var tail = TailRecord()
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            // A card that can be written but not read here and there is just what a reset may be asked for.
            tail = (try? Tail.read(device)) ?? TailRecord()
            if tail.intent == nil, settings.format != .always, case .foreign(let kind) = Probe(device).finding {
                throw LinuxError("format", "\(path), which holds \(kind)", code: EPERM)
            }
        } catch {
            let kind: DataPartitionError.Kind = error.code == EPERM ? .refused : .system
            throw fail(.wipe, DataPartitionError(kind, "factory reset: \(error.text)", code: error.code))
        }
        tail.resets += 1
        tail.intent = TailRecord.Intent(operation: .wipe, stage: .erase, reason: reason)
        reporter.log.warning("data: factory reset of \(path), number \(tail.resets): \(reason)")
        try erase(path, &tail, overwrite: true)
    }

    /// Formats what the ladder gave up on, or what never held anything.
    mutating func format(_ path: String, why: String, blank: Bool) throws(DataPartitionError) {
        var tail = TailRecord()
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            tail = try Tail.read(device)
            // RULES.md F7: every range answers, or nothing is erased.
            if !blank, let error = Samples(device).readError { throw error }
        } catch {
            throw fail(.format, DataPartitionError("format \(path): it is left as it is", error))
        }
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
            if overwrite {
                if isWipe { discard(device) }
                try eraseSuperblocks(device)
            }
        } catch {
            throw fail(rung, DataPartitionError(doing, error))
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
            // Into both slots: with the intent left in the older one, the newer one gone bad years later would erase
            // the device.
            try Tail.write(&tail, to: device)
            try Tail.write(&tail, to: device)
        } catch {
            throw fail(rung, DataPartitionError("\(doing): clear the intent", error))
        }
        formatted = true
        if isWipe { wiped = true }
        note(rung, "ok", intent.reason)
    }

    /// - Parameter end: where it ends, in bytes from the partition's beginning.
    mutating func makeFilesystem(
        _ path: String, end: Int64, _ phase: Reporter.Phase, _ rung: Rung
    ) throws(DataPartitionError) {
        reporter.progress(phase, "mkfs.ext4 \(path)")
        let result: Program.Result
        do throws(LinuxError) {
            let arguments = Ext4.makeArguments(path, end: end, for: settings.device)
            result = try BlockDevice.retryWhileBusy { () throws(LinuxError) in
                try Program.run(makePrograms, arguments, reporter: reporter)
            } failed: { $0.isInUse }
        } catch {
            throw fail(rung, DataPartitionError("mkfs.ext4 \(path)", error))
        }
        if result.end != .exited(0) {
            throw fail(rung, DataPartitionError(.system, "mkfs.ext4 \(path): \(result.text)"))
        }
    }

    /// Tells the flash that all of it is free. A piece at a time, since a long discard shows no other sign of life.
    /// What it does not reach is what `eraseSuperblocks` is for.
    private func discard(_ device: borrowing BlockDevice) {
        let end = Tail.start(on: device.size)
        let piece: Int64 = 256 << 20
        var offset: Int64 = 0
        while offset < end {
            reporter.progress(.wiping, "discard \(device.path) from \(offset >> 20) MiB")
            do throws(LinuxError) {
                if try !device.discard(at: offset, count: min(piece, end - offset)) { return }
            } catch {
                reporter.log.warning("data: \(error.text): overwriting instead")
                return
            }
            offset += piece
        }
    }

    /// Overwrites the first MiB and every superblock there may be, and reads from the device that none is left: with
    /// an old one at a place where no new one will be, a later repair would bring the old filesystem back over the
    /// new.
    /// - Parameter limit: in bytes; what lies behind is not the filesystem's. The tail where it is not given.
    func eraseSuperblocks(_ device: borrowing BlockDevice, below limit: Int64? = nil) throws(LinuxError) {
        let limit = limit ?? Tail.start(on: device.size)
        let old = try? Superblock.read(device, at: Superblock.offset)
        let offsets = SuperblockPlace.backups(on: device.size, like: old.flatMap { $0 }).map { $0.offset }
        try device.write([UInt8](repeating: 0, count: Int(min(1 << 20, limit))), at: 0)
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
        if linux_umount(mountPoint, 0) != 0 {
            let error = LinuxError.last("unmount", mountPoint)
            throw fail(.wipe, DataPartitionError(.inUse, "factory reset: \(error.text)", code: error.code))
        }
    }
}
