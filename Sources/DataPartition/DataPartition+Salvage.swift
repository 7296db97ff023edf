internal import CLinux
import Linux

/// For a partition that nothing makes writable and that a read-only mount still gives files of: they are carried over a format.
///
///     read-only ──► all files into memory ──► bundle before the tail, where nothing of the filesystem lies, read back
///         │ none       │ too many, or no place for them: left as it is, RAM
///         ▼            ▼
///       format       intent to the tail ──► superblocks overwritten ──► mkfs, short of the bundle ──► files copied back, compared
///                                                                       ──► intent cleared ──► filesystem grown over the bundle
///
/// A cut before the intent leaves the old filesystem, of which nothing has been overwritten; one after it the bundle, from which the next
/// boot begins again. Nothing that could be read is ever in memory only once something has been destroyed.
extension DataPartition {
    /// Of a filesystem, beside its files, in bytes: its tables, a journal, and room to work.
    private static let overhead: Int64 = 16 << 20

    /// - Returns: whether the partition is mounted, with the files on it; false where there was none to keep.
    /// - Throws: where there are files, and they cannot be carried over: then all is left as it is.
    mutating func salvage(_ path: String, why: String) throws(DataPartitionError) -> Bool {
        let reporter = reporter
        var tail: TailRecord
        do throws(LinuxError) {
            guard let readable = try mountReadOnly(path) else { return false }
            guard let bundle = try collect(path, readable) else {
                note(.salvage, "ok", "mounted read-only, and no file in it")
                return false
            }
            let device = try BlockDevice.open(path, .exclusive)
            tail = try Tail.read(device)
            try bundle.write(to: device, at: bundle.offset) { reporter.progress(.recovering, "salvage \(path): \($0 >> 20) MiB") }
            let missing = bundle.unreadable > 0 ? ", and \(bundle.unreadable) entries could not be read" : ""
            tail.intent = TailRecord.Intent(operation: .salvage, stage: .erase, reason: "\(bundle.files) files\(missing); \(why)")
            tail.repaired = true
            tail.bundle = TailRecord.Bundle(offset: bundle.offset, size: bundle.size, checksum: bundle.checksum)
            try Tail.write(&tail, to: device)
        } catch {
            throw fail(
                .salvage,
                DataPartitionError(.unusable, "salvage \(path) (\(why)): \(error.text); it is left as it is", code: error.code))
        }
        try afterStage("bundled")
        try finishSalvage(path, &tail)
        try mountFormatted(path)
        return true
    }

    /// What is mounted read-only, in memory, with its place on the device; nothing is mounted when it returns.
    /// - Returns: nil where there is no file.
    private func collect(_ path: String, _ readable: Readable) throws(LinuxError) -> SalvageBundle? {
        let bundle: SalvageBundle?
        do throws(LinuxError) {
            bundle = try collectMounted(path, readable)
        } catch {
            try unmount()
            throw error
        }
        try unmount()
        return bundle
    }

    private func collectMounted(_ path: String, _ readable: Readable) throws(LinuxError) -> SalvageBundle? {
        let reporter = reporter
        var bundle = try SalvageBundle.read(mountPoint, limit: (Memory.total ?? 0) / 3) { reporter.progress(.recovering, "salvage \($0)") }
        if bundle.unreadable > 0 { reporter.log.error("data: \(path): \(bundle.unreadable) entries cannot be read any more") }
        if bundle.files == 0 { return nil }
        reporter.log.warning("data: \(path): \(bundle.files) files can still be read; they are carried over a format")
        let device = try BlockDevice.open(path, .read)
        let superblock = readable.superblock
        let offset = (Tail.start(on: device.size) - bundle.size) / 4096 * 4096
        if offset < bundle.contents + bundle.contents / 8 + Self.overhead {
            throw LinuxError("find room for \(bundle.size) bytes beside themselves on", path, code: ENOSPC)
        }
        // To the very end: the tail is written before anything else is given up, and an old filesystem may reach into it.
        let blocks = offset / superblock.blockSize..<(device.size + superblock.blockSize - 1) / superblock.blockSize
        guard try GroupDescriptors.areFree(blocks, of: superblock, at: readable.block, on: device),
            !touches(mountPoint, offset, device.size, depth: 0)
        else {
            throw LinuxError("put \(bundle.size) bytes at the end of", path, code: ENOSPC)
        }
        bundle.offset = offset
        return bundle
    }

    /// Whether a file or directory below has data in this part of the device, or will not say.
    private func touches(_ directory: String, _ from: Int64, _ to: Int64, depth: Int) -> Bool {
        guard depth < 64, let names = try? FileSystem.list(directory) else { return false }
        if let itself = try? FileDescriptor.open(directory, .directory), linux_file_touches(itself.raw, UInt64(from), UInt64(to)) != 0 { return true }
        for name in names {
            let path = "\(directory)/\(name)"
            guard let status = try? FileSystem.status(path) else { continue }
            if status.kind == .directory {
                if touches(path, from, to, depth: depth + 1) { return true }
            } else if status.kind == .file, let file = try? FileDescriptor.open(path, .read) {
                if linux_file_touches(file.raw, UInt64(from), UInt64(to)) != 0 { return true }
            }
        }
        return false
    }

    /// From the intent on: done again from its beginning by each boot that finds it.
    mutating func finishSalvage(_ path: String, _ tail: inout TailRecord) throws(DataPartitionError) {
        let reason = tail.intent?.reason ?? ""
        let bundle = tail.bundle ?? TailRecord.Bundle(offset: 0, size: 0, checksum: 0)
        reporter.progress(.recovering, "salvage \(path)")
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .exclusive)
            let checksum = try SalvageBundle.checksum(on: device, at: bundle.offset, size: bundle.size)
            if bundle.size == 0 || checksum != bundle.checksum {
                // Whatever happened to it: from the next boot on the partition is judged as it is, with the old filesystem if that is still there.
                try clearIntent(device, &tail)
                throw LinuxError("verify what was salvaged on", path, code: EBADMSG)
            }
            try eraseSuperblocks(device, below: bundle.offset)
            // Where the old filesystem reached to the end, the intent is in the head up to here, and mkfs begins with that.
            try Tail.write(&tail, to: device)
        } catch {
            throw fail(.salvage, DataPartitionError("salvage \(path)", error))
        }
        try afterStage("erased")
        try makeFilesystem(path, end: bundle.offset, .recovering, .salvage)
        try afterStage("made")
        do throws(LinuxError) {
            try copyBack(path, bundle)
            try clearIntent(BlockDevice.open(path, .exclusive), &tail)
        } catch {
            _ = linux_umount(mountPoint, 0)
            throw fail(.salvage, DataPartitionError("salvage \(path): copy back", error))
        }
        try afterStage("copied")
        record = tail
        formatted = true
        (isSuspect, isRepaired) = (true, true)
        note(.salvage, "ok", reason)
    }

    private mutating func copyBack(_ path: String, _ bundle: TailRecord.Bundle) throws(LinuxError) {
        isSalvaging = true
        defer { isSalvaging = false }
        try mount(path, proof: true)
        let reporter = reporter
        var extraction = SalvageExtraction(bundle, on: try BlockDevice.open(path, .read), root: mountPoint)
        try extraction.extract { reporter.progress(.recovering, "copy back \($0)") }
        try Mounting.commit(mountPoint)
        // Unmounting writes what the journal has to its place and reports no error of that: compared is what another mount finds.
        try unmount()
        try mountReadOnly(path, "errors=continue")
        var check = SalvageExtraction(bundle, on: try BlockDevice.open(path, .read), root: mountPoint)
        try check.verify { reporter.progress(.recovering, "compare \($0)") }
        try unmount()
    }

    private func clearIntent(_ device: borrowing BlockDevice, _ tail: inout TailRecord) throws(LinuxError) {
        if let intent = tail.intent { tail.remember("salvage", intent.reason) }
        tail.intent = nil
        tail.bundle = nil
        tail.isUnused = false
        try Tail.settle(&tail, on: device)
    }

    // ---- Reading without writing ----

    /// An f2fs that nothing makes writable is formatted only where a read-only mount gives out no file: where on it something could be put
    /// meanwhile only f2fs itself knows.
    mutating func refuseWhereReadable(_ path: String, why: String) throws(DataPartitionError) {
        try makeMountPoint()
        var found: Bool
        do throws(LinuxError) {
            if linux_mount(path, mountPoint, "f2fs", Mounting.flags | UInt(MS_RDONLY), "norecovery") != 0 {
                let failure = LinuxError.last("mount read-only", path)
                // EIO may pass, and what does not answer may be anything (RULES.md F7).
                guard [EUCLEAN, EBADMSG, EINVAL, ESTALE].contains(failure.code) else { throw failure }
                return
            }
            found = holdsFiles(mountPoint, depth: 0)
            try unmount()
        } catch {
            throw fail(.salvage, DataPartitionError("look into \(path) (\(why))", error))
        }
        if found {
            throw fail(.salvage, DataPartitionError(.unusable, "\(path) (\(why)) still gives files to a read-only mount; it is left as it is"))
        }
    }

    private func holdsFiles(_ directory: String, depth: Int) -> Bool {
        // What does not answer may be anything.
        guard depth < 64, let names = try? FileSystem.list(directory) else { return true }
        for name in names {
            guard let status = try? FileSystem.status("\(directory)/\(name)") else { return true }
            // Our own history of boots is nothing to keep it for, nor what is left of a proof.
            if status.kind == .file, depth > 0 || name != HistoryFile.name && name != Mounting.proofName { return true }
            if status.kind == .directory, holdsFiles("\(directory)/\(name)", depth: depth + 1) { return true }
        }
        return false
    }

    /// A superblock that a filesystem can be read by.
    struct Readable {
        let superblock: Superblock
        /// Where it lies.
        let block: Int64
    }

    /// - Returns: nil where what is on it does not mount even so.
    /// - Throws: where something else keeps it from being mounted, which proves nothing (RULES.md F7).
    func mountReadOnly(_ path: String) throws(LinuxError) -> Readable? {
        reporter.progress(.recovering, "mount \(path) read-only")
        guard let readable = try findReadable(path) else { return nil }
        try? makeMountPoint()
        let superblock = readable.superblock
        // Of a backup the kernel does not learn that there is something in the journal, and would empty it.
        let isPrimary = readable.block == superblock.firstDataBlock
        let place = isPrimary ? "" : ",noload,sb=\(readable.block * superblock.blockSize / 1024)"
        // The journal first: it may hold the newest of it. Then without, and at last without a look at where the filesystem's own blocks
        // are, which is all that is left where the journal is what broke.
        var failure = LinuxError("mount read-only", path, code: EINVAL)
        for options in isPrimary ? ["", ",noload", ",noload,noblock_validity"] : [place, place + ",noblock_validity"] {
            do throws(LinuxError) {
                try mountReadOnly(path, "errors=continue" + options)
                return readable
            } catch {
                failure = error
            }
        }
        guard [EUCLEAN, EBADMSG, EINVAL, ESTALE].contains(failure.code) else { throw failure }
        return nil
    }

    private func mountReadOnly(_ path: String, _ options: String) throws(LinuxError) {
        let mountPoint = mountPoint
        let code = try BlockDevice.retryWhileBusy { () throws(LinuxError) in
            linux_mount(path, mountPoint, "ext4", Mounting.flags | UInt(MS_RDONLY), options)
        } failed: { $0 != 0 && linux_errno() == EBUSY }
        if code != 0 { throw .last("mount read-only", path) }
    }

    /// The primary superblock, or a backup where that one, or its table of groups, would lead astray.
    private func findReadable(_ path: String) throws(LinuxError) -> Readable? {
        let device = try BlockDevice.open(path, .exclusive)
        let probe = Probe(device)
        if let error = probe.readError { throw error }
        if probe.finding == .ext4, let superblock = probe.superblock { return Readable(superblock: superblock, block: superblock.firstDataBlock) }
        for place in probe.backups {
            guard let copy = try Superblock.read(device, at: place.offset) else { continue }
            let backup = try device.bytes(at: place.offset, count: Superblock.byteCount)
            let primary = try device.bytes(at: Superblock.offset, count: Superblock.byteCount)
            if let whole = Superblock.rejoined(primary, like: backup), let superblock = Superblock(whole), superblock.isIntact,
                try !GroupDescriptors.areDamaged(of: superblock, on: device)
            {
                // Four bytes: a cut here leaves what there was, or this.
                try device.write(whole, at: Superblock.offset)
                try device.sync()
                reporter.log.warning("data: \(path): its superblock was torn between two sectors; both are sound, and its checksum is made to fit")
                return Readable(superblock: superblock, block: superblock.firstDataBlock)
            }
            return Readable(superblock: copy, block: place.block)
        }
        return nil
    }
}
