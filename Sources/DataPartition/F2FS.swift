import Linux

/// An f2fs, read by ourselves: how far it reaches, and in what state it was left.
///
/// Layout: include/linux/f2fs_fs.h of the kernel. Two superblocks, in the first two blocks; two checkpoints, written by turns, of which the newer
/// one with a right checksum is the filesystem.
struct F2FS: Equatable {
    /// In bytes.
    let size: Int64
    /// The newer of the checkpoints that are whole; nil where neither is.
    let checkpoint: Checkpoint?

    struct Checkpoint: Equatable {
        let version: UInt64
        let flags: UInt32

        /// CP_UMOUNT_FLAG: unmounted in order.
        var isUnmounted: Bool { flags & 0x1 != 0 }
        /// CP_ERROR_FLAG, CP_FSCK_FLAG: the kernel met something that only a check mends.
        var asksForCheck: Bool { flags & 0x18 != 0 }
    }

    var isClean: Bool { checkpoint.map { $0.isUnmounted && !$0.asksForCheck } ?? false }

    static let check = ["/sbin/fsck.f2fs", "/usr/sbin/fsck.f2fs"]
    static let make = ["/sbin/mkfs.f2fs", "/usr/sbin/mkfs.f2fs"]
    private static let magic: UInt32 = 0xF2F5_2010
    private static let blockSize: Int64 = 4096

    /// Nil where neither superblock is one. Costs a read where there is none.
    static func read(_ device: borrowing some BlockReading & ~Copyable) throws(LinuxError) -> F2FS? {
        guard device.size >= 2 * blockSize else { return nil }
        let head = try device.bytes(at: 0, count: Int(2 * blockSize))
        for start in [1024, 1024 + Int(blockSize)] {
            let superblock = Bytes(head[start...])
            // Other block and segment sizes came later, and no kernel of a board has them.
            guard superblock.u32(0) == magic, superblock.u32(16) == 12, superblock.u32(20) == 9 else { continue }
            let blocks = superblock.u64(36)
            let checkpoints = superblock.u32(76)
            guard blocks > 0, blocks < 1 << 40, UInt64(checkpoints) + 512 < blocks else { continue }
            var newest: Checkpoint?
            for pack: Int64 in 0...1 {
                guard let found = try Checkpoint(device, at: (Int64(checkpoints) + pack * 512) * blockSize) else { continue }
                if newest.map({ found.version > $0.version }) ?? true { newest = found }
            }
            return F2FS(size: Int64(blocks) * blockSize, checkpoint: newest)
        }
        return nil
    }

    /// The arguments that make a filesystem on `path`, up to `end`, in bytes.
    static func makeArguments(_ path: String, end: Int64, for spec: DeviceSpec) -> [String] {
        let (uuid, label) = Ext4.names(for: spec)
        // -t 0: as with ext4, a factory reset has discarded already. -r: checkpoints are numbered from a fixed beginning.
        return ["-f", "-q", "-t", "0", "-r", "-U", uuid, "-l", label, path, "\(end / 512)"]
    }
}

extension F2FS.Checkpoint {
    /// Nil where it is not whole.
    fileprivate init?(_ device: borrowing some BlockReading & ~Copyable, at offset: Int64) throws(LinuxError) {
        guard offset + F2FS.blockSize <= device.size else { return nil }
        let raw = try device.bytes(at: offset, count: Int(F2FS.blockSize))
        let block = Bytes(raw)
        let place = block.u32(164)
        guard place >= 192, place <= UInt32(F2FS.blockSize) - 4,
            CRC32.update(F2FS.magic, raw[..<Int(place)]) == block.u32(Int(place))
        else { return nil }
        self.init(version: block.u64(0), flags: block.u32(132))
    }
}
