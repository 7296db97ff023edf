internal import CLinux
public import Linux

/// The partition that the appliance keeps its data on: found, checked, repaired, formatted where nothing else is
/// left, mounted; or RAM in its place.
///
/// A worker's stage, as root: its calls block, and it tells its reporter before each step. Nothing is kept in it
/// between the stages but what goes into the report.
public struct DataPartition {
    /// What was done so far, also when `bringUp` throws; `mountVolatile` puts it into its report.
    public internal(set) var actions: [DataAction] = []

    let settings: DataSettings
    let reporter: Reporter
    /// As mountinfo spells it.
    let mountPoint: String
    /// The last `firstlight.factory_reset=` of the kernel's command line: a reset, once for each.
    public var resetToken: String?
    /// What is known of what outlives the filesystem.
    var record = TailRecord()
    /// What was mounted.
    var filesystem = FilesystemKind.ext4
    var wiped = false
    var formatted = false
    /// What was on it went through a repair, or was carried over a format: the databases are looked at as after a power cut.
    var isSuspect = false
    /// By force, that is: not merely its journal replayed and `e2fsck -p` content.
    var isRepaired = false
    /// The databases' directories, as they were before a repair by force.
    var rescued: Rescued?
    /// A bundle lies behind the filesystem.
    var isSalvaging = false
    /// Called once a stage of an erasure is on the device: a test cuts there.
    var afterStage: (String) throws(DataPartitionError) -> Void = { (_) throws(DataPartitionError) in }
    /// Whether a device that can discard is let to: a test has none that cannot.
    var isDiscarding = true
    /// Whether the kernel lets us write to what is mounted (CONFIG_BLK_DEV_WRITE_MOUNTED): a test has none that does not.
    var isWritableMounted = true
    /// In bytes: what could not be overwritten.
    var unerased: Int64 = 0
    /// How much is overwritten between two notes of how far it is, in bytes: a large card takes more than one boot may.
    var overwriteNote: Int64 = 256 << 20
    /// How long a program may work on so many bytes, in milliseconds.
    var patience: (Int64) -> Int64 = Program.patience
    /// Where e2fsck may be.
    var checkPrograms = Ext4.check
    /// Where mkfs.ext4 may be.
    var makePrograms = Ext4.make
    /// Where mkfs.f2fs may be.
    var makeF2FSPrograms = F2FS.make

    public init(_ settings: DataSettings, reporter: Reporter) {
        self.settings = settings
        self.reporter = reporter
        mountPoint = MountTable.resolve(settings.mount)
    }

    /// Brings the partition to a proven mount, whatever state it is in.
    ///
    /// A clean filesystem is mounted and nothing else: not one byte of ours is written. After a power cut anywhere in
    /// here the next call goes on: what had been announced in the tail is finished, everything else is tried again.
    /// - Throws: when no rung holds. Then nothing is mounted, and RAM is what is left (`mountVolatile`).
    public mutating func bringUp() throws(DataPartitionError) -> DataReport {
        if settings.device == .none {
            try makeMountPoint()
            note(.mount, "ok", "\(mountPoint) is used as it is")
            try bringUpInPlace()
            return report(device: nil, filesystem: nil)
        }
        let there = try mountTable().top(at: mountPoint)
        if let there, there.isVolatile {
            note(.tmpfs, "ok", "still mounted")
            var report = report(device: nil, filesystem: there.filesystem)
            report.volatile = true
            report.problem = "in RAM since an earlier start"
            return report
        }
        let path = try find()
        if let there, let report = try takeOver(there, path) { return report }
        let table = try mountTable()
        if settings.grow == .partition, there == nil { growPartition(path) }

        let found: (tail: TailRecord, isKnown: Bool, probe: Probe, size: Int64)
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            if let elsewhere = table.mount(of: device.number) {
                // What is in use must not be touched by a check; its own was somebody else's.
                reporter.log.notice("\(path) is mounted at \(elsewhere.mountPoint) already")
                if let tail = try? Tail.read(device) { record = tail }
                if record.isUnused { _ = try? noteUse(path, .write) }
                try mount(path, proof: false)
                return report(device: path, filesystem: elsewhere.filesystem)
            }
            found = DataPartition.look(at: device)
        } catch {
            throw fail(.find, DataPartitionError("read \(path)", error))
        }
        record = found.tail
        // Where the record does not answer, nobody knows whether the token was acted on: it would erase at every boot (RULES.md B12).
        if found.isKnown { takeToken(&record) } else if resetToken != nil { note(.wipe, "refused", "kernel command line: the record of what was done before cannot be read") }
        dropRefusedRequest(path, found.probe)
        var isFresh = record.intent != nil
        if let reason = record.request, erasure == .partition {
            var tail = record
            try wipe(path, &tail, reason: reason)
            isFresh = true
            try mountFormatted(path)
        } else if record.intent != nil {
            try resume(path, record)
            try mountFormatted(path)
        } else {
            try climb(path, found.probe, size: found.size)
        }
        if let reason = record.request { try resetFiles(path, reason) }
        // One that did not answer then may do so now, and say that nobody was given what applications are about to write to.
        if !found.isKnown, let device = try? BlockDevice.open(path, .read), let tail = try? Tail.read(device) { record = tail }
        try noteUse(path)
        var report = report(device: path, filesystem: filesystem.text)
        report.unclean = isSuspect || !isFresh && found.probe.isUnclean
        report.repaired = isRepaired || record.repaired
        return report
    }

    /// What the configuration, or what is there, forbids is told, and asked for no more.
    private mutating func dropRefusedRequest(_ path: String, _ probe: Probe) {
        guard let reason = record.request else { return }
        var isStranger = false
        do throws(DataPartitionError) {
            try refuseReset(erasure == .partition ? settings.format : .always)
            guard record.intent == nil, settings.format != .always, case .foreign(let kind) = probe.finding else { return }
            isStranger = true
            throw DataPartitionError(.refused, "factory reset: \(path) holds \(kind)")
        } catch {
            note(.wipe, "refused", "\(reason): \(error.text)")
            reporter.log.error("data: \(error.text); asked for by: \(reason)")
        }
        record.request = nil
        // Not even that is written where it is somebody else's.
        if isStranger { return }
        guard let device = try? BlockDevice.open(path, .exclusive) else { return }
        try? Tail.write(&record, to: device)
    }

    /// `device = none`: all there is to do is a reset that was asked for.
    private mutating func bringUpInPlace() throws(DataPartitionError) {
        do throws(LinuxError) {
            record = try readRecordFile()
        } catch {
            // Whether the token was acted on nobody knows then (RULES.md B12).
            note(.wipe, "refused", "the record of factory resets cannot be read: \(error.text)")
            return
        }
        takeToken(&record)
        guard let reason = record.request else { return }
        do throws(DataPartitionError) {
            try refuseReset(.always)
        } catch {
            note(.wipe, "refused", "\(reason): \(error.text)")
            return
        }
        try resetFiles(nil, reason)
    }

    /// Reads all there is to know before anything is touched.
    private static func look(at device: borrowing BlockDevice) -> (tail: TailRecord, isKnown: Bool, probe: Probe, size: Int64) {
        var probe = Probe(device)
        var tail = TailRecord()
        var isKnown = true
        do throws(LinuxError) {
            tail = try Tail.read(device)
        } catch {
            probe.readError = probe.readError ?? error
            isKnown = false
        }
        return (tail, isKnown, probe, device.size)
    }

    /// What has just been made, and holds, is about to be given to the applications: from now on what is missing on it is lost.
    /// - Throws: where the device takes it not: of files that a later repair costs nobody would be told.
    private mutating func noteUse(_ path: String) throws(DataPartitionError) {
        if !record.isUnused { return }
        try afterStage("proven")
        reporter.progress(.working, "note that \(path) is in use")
        do throws(LinuxError) {
            if isWritableMounted, try noteUse(path, .write) { return }
            do throws(LinuxError) {
                try unmount()
            } catch {
                return reporter.log.warning("data: that \(path) is in use cannot be noted: \(error.text)")
            }
            let isNoted = try noteUse(path, .exclusive)
            filesystem = try Mounting.mount(path, on: mountPoint, proof: false)
            if !isNoted { reporter.log.warning("data: that \(path) is in use cannot be noted: somebody else has it mounted") }
        } catch {
            try? unmount()
            throw fail(.mount, DataPartitionError("note that \(path) is in use from now on", error))
        }
    }

    /// - Returns: false where the device cannot be had like that.
    private mutating func noteUse(_ path: String, _ access: BlockDevice.Access) throws(LinuxError) -> Bool {
        var tail = record
        tail.isUnused = false
        do throws(LinuxError) {
            try Tail.write(&tail, to: BlockDevice.open(path, access))
        } catch {
            if error.code == EBUSY || error.code == EPERM { return false }
            throw error
        }
        record = tail
        // The older slot as well, which holds where the newer one goes bad years later.
        if let device = try? BlockDevice.open(path, access) { try? Tail.write(&record, to: device) }
        return true
    }

    /// Somebody has been told of what a repair or a format cost: from now on what is missing is new.
    public mutating func acknowledgeRepair() throws(DataPartitionError) {
        let path = try find()
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .write)
            var tail = try Tail.read(device)
            if !tail.repaired { return }
            tail.repaired = false
            try Tail.write(&tail, to: device)
        } catch {
            throw DataPartitionError("note on \(path) that its repair has been told", error)
        }
    }

    /// A tmpfs with a size limit at the mount point: the appliance runs, and keeps nothing.
    /// - Parameter reason: why, for the report.
    public mutating func mountVolatile(reason: String) throws(DataPartitionError) -> DataReport {
        reporter.progress(.recovering, "tmpfs on \(mountPoint)")
        reporter.log.warning("\(mountPoint) is in RAM, nothing will be kept: \(reason)")
        try makeMountPoint()
        // A quarter of the memory: the applications need the rest.
        if linux_mount(MountTable.volatileSource, mountPoint, "tmpfs", Mounting.flags, "size=25%,mode=0755") != 0 {
            throw fail(.tmpfs, DataPartitionError("mount RAM", .last("mount", mountPoint)))
        }
        note(.tmpfs, "ok", reason)
        var report = report(device: nil, filesystem: "tmpfs")
        report.volatile = true
        report.problem = reason
        return report
    }

    // MARK: - What the steps share

    mutating func find() throws(DataPartitionError) -> String {
        do throws(DataPartitionError) {
            return try DeviceFinder(reporter: reporter).find(settings.device, wait: settings.wait)
        } catch {
            throw fail(.find, error)
        }
    }

    mutating func note(_ rung: Rung, _ result: String, _ detail: String) {
        actions.append(DataAction(rung: rung, result: result, detail: detail))
        reporter.log.info("data: \(rung.text): \(result): \(detail)")
    }

    /// Notes a rung that broke, and hands its error on.
    mutating func fail(_ rung: Rung, _ error: DataPartitionError) -> DataPartitionError {
        actions.append(DataAction(rung: rung, result: "failed", detail: error.text))
        reporter.log.warning("data: \(rung.text) failed: \(error.text)")
        return error
    }

    func report(device: String?, filesystem: String?) -> DataReport {
        var report = DataReport(
            device: device, mount: settings.mount, filesystem: filesystem, formatted: formatted, wiped: wiped,
            actions: actions)
        report.resets = record.resets
        report.history = record.history
        report.warnings = FlashWear.read(device, mount: mountPoint)?.warnings ?? []
        return report
    }

    func makeMountPoint() throws(DataPartitionError) {
        do throws(LinuxError) {
            if !FileSystem.exists(mountPoint) { try FileSystem.makeDirectory(mountPoint) }
        } catch {
            throw DataPartitionError("make the mount point", error)
        }
    }

    /// Whoever looks at what is mounted may have it open for a moment.
    func unmount() throws(LinuxError) {
        let mountPoint = mountPoint
        let code = try BlockDevice.retryWhileBusy { () throws(LinuxError) in linux_umount(mountPoint, 0) } failed: { $0 != 0 && linux_errno() == EBUSY }
        if code != 0 { throw .last("unmount", mountPoint) }
    }

    func mountTable() throws(DataPartitionError) -> MountTable {
        do throws(LinuxError) {
            return try MountTable.read()
        } catch {
            throw DataPartitionError("read the mount table", error)
        }
    }

    /// A supervisor that was restarted finds the partition as it left it; one whose worker was killed perhaps as nobody is to have it: read-only to
    /// be read from, or half copied back.
    ///
    /// - Returns: nil where it was that, and is not mounted any more.
    private mutating func takeOver(_ there: MountTable.Entry, _ path: String) throws(DataPartitionError) -> DataReport? {
        guard let device = try? BlockDevice.open(path, .read), MountTable.name(of: device.number) == there.device else {
            throw fail(
                .mount,
                DataPartitionError(.inUse, "mount \(path): \(there.source) is mounted at \(mountPoint) instead"))
        }
        // Unknown where the tail does not answer: then it is only left as it is while somebody works on it.
        let tail = try? Tail.read(device)
        let isHalfDone = tail.map { $0.intent != nil } ?? true
        let isAskedFor = tail?.request != nil
        let isUnused = tail?.isUnused == true
        if there.isReadOnly || isHalfDone || isAskedFor || isUnused {
            let state =
                isHalfDone
                ? "with something begun on it and not done"
                : there.isReadOnly ? "read-only" : isAskedFor ? "with a factory reset asked for" : "just made, before it was noted that it is in use"
            do throws(LinuxError) {
                try unmount()
            } catch {
                // A reset that was asked for while the applications run is the next boot's.
                if tail == nil || !isHalfDone, !there.isReadOnly, error.code == EBUSY {
                    note(.mount, "ok", "\(path) is mounted already, and in use")
                    record = tail ?? TailRecord()
                    if isUnused { _ = try? noteUse(path, .write) }
                    return report(device: path, filesystem: there.filesystem)
                }
                throw fail(.mount, DataPartitionError(.unusable, "\(path) is mounted at \(mountPoint) \(state), and \(error.text)"))
            }
            reporter.log.warning("\(path) was mounted at \(mountPoint) \(state); it is brought up anew")
            return nil
        }
        note(.mount, "ok", "\(path) is mounted already")
        record = tail ?? TailRecord()
        var report = report(device: path, filesystem: there.filesystem)
        // By a worker that was lost, which could not tell.
        report.repaired = record.repaired
        return report
    }
}
