internal import CLinux
import Linux

/// Mounting, and what proves it.
enum Mounting {
    static let flags = UInt(MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC)
    /// The proof's file, in the filesystem's root, which only root writes to.
    static let proofName = ".firstlight-proof"

    /// Mounts what is there and looks whether the kernel has it as asked.
    /// - Parameter proof: also write: after a repair, and wherever errors were counted. A clean boot writes nothing.
    /// - Returns: what it is.
    static func mount(_ path: String, on mountPoint: String, proof: Bool) throws(LinuxError) -> FilesystemKind {
        var kind = FilesystemKind.ext4
        var options: [String]
        do {
            let device = try BlockDevice.open(path, .read)
            // Read again: a repair may have taken the journal away.
            let superblock = try Superblock.read(device, at: Superblock.offset)
            options = [Ext4.mountOptions(hasJournal: superblock?.hasJournal == true)]
            if superblock == nil, try F2FS.read(device) != nil {
                kind = .f2fs
                // Known since Linux 6.4; before, it went on as if nothing had happened.
                options = ["errors=remount-ro", ""]
            }
        }
        let type = kind.text
        var code: Int32 = -1
        for options in options {
            code = try BlockDevice.retryWhileBusy { () throws(LinuxError) in
                linux_mount(path, mountPoint, type, flags, options)
            } failed: { $0 != 0 && linux_errno() == EBUSY }
            if code == 0 || linux_errno() != EINVAL { break }
        }
        if code != 0 { throw .last("mount", path) }
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            guard let entry = try MountTable.read().top(at: mountPoint),
                entry.device == MountTable.name(of: device.number)
            else { throw LinuxError("find in mountinfo", mountPoint, code: ENODEV) }
            if entry.isReadOnly { throw LinuxError("mount read-write", path, code: EROFS) }
            if proof || errorCount(of: device.number) != 0 { try prove(mountPoint) }
        } catch {
            // Writable when it was mounted and not any more, with an error counted: that is damage, and no write protection.
            let isDamage = error.code == EROFS && ((try? BlockDevice.open(path, .read).number).map { errorCount(of: $0) } ?? 0) != 0
            _ = linux_umount(mountPoint, 0)
            throw isDamage ? LinuxError(error.operation, error.subject, code: EUCLEAN) : error
        }
        return kind
    }

    /// The errors that the kernel has counted in this filesystem: it may call it writable still (RULES.md F6, F14).
    static func errorCount(of device: UInt64) -> Int64 {
        guard let real = realpath("/sys/dev/block/\(MountTable.name(of: device))", nil) else { return 0 }
        defer { free(real) }
        let name = Text.name(of: String(cString: real))
        guard let text = try? FileSystem.readText("/sys/fs/ext4/\(name)/errors_count") else { return 0 }
        return Text.number(Text.trim(text)) ?? 0
    }

    /// All that was changed on what is mounted there is on the device.
    ///
    /// syncfs alone does not say so: it begins a commit of the journal, and where that has failed by the time it comes to wait, ext4 finds nothing
    /// to wait for and it answers 0 (RULES.md F17). A journal that is given up refuses every change behind it, though: one is made.
    static func commit(_ mountPoint: String) throws(LinuxError) {
        let root = try FileDescriptor.open(mountPoint, .directory)
        let code = linux_syncfs(root.raw)
        if code != 0 { throw LinuxError("syncfs", mountPoint, code: code) }
        try prove(mountPoint)
    }

    /// Create, fsync, read back from the device, remove.
    ///
    /// A full filesystem is not a broken one: there the name alone has to do, made, removed and committed.
    private static func prove(_ mountPoint: String) throws(LinuxError) {
        let root = try FileDescriptor.open(mountPoint, .directory)
        // What a cut left of an earlier proof.
        _ = unlinkat(root.raw, proofName, 0)
        do throws(LinuxError) {
            try writeAndReadBack(root)
        } catch {
            if error.code != LinuxError.full { throw error }
        }
        if unlinkat(root.raw, proofName, 0) != 0, linux_errno() != ENOENT { throw .last("unlink", "\(mountPoint)/\(proofName)") }
        try root.sync()
    }

    private static func writeAndReadBack(_ root: borrowing FileDescriptor) throws(LinuxError) {
        let text = Array("firstlight\n".utf8)
        let file = try FileDescriptor.open(proofName, below: root, .createNew, permissions: 0o600)
        try text.withUnsafeBufferPointer { (bytes) throws(LinuxError) in try file.write(UnsafeRawBufferPointer(bytes)) }
        try file.sync()
        file.dropCache()
        if try file.bytes(at: 0, count: text.count) != text { throw LinuxError("read back", file.name, code: EIO) }
    }
}
