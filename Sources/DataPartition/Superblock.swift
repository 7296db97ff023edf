import Linux

/// An ext2, ext3 or ext4 superblock, read by ourselves: whether a check is needed, and whether there is anything to
/// lose, must be known before any program touches the partition.
///
/// Layout: Documentation/filesystems/ext4/super.rst of the kernel.
struct Superblock: Equatable {
    /// Where the primary one is on the device.
    static let offset: Int64 = 1024
    static let byteCount = 1024

    let blockSize: Int64
    let blockCount: Int64
    let firstDataBlock: Int64
    let blocksPerGroup: Int64
    let inodesPerGroup: Int64
    /// Of each group.
    let inodeTableBlocks: Int64
    /// The group this copy says it belongs to: 0 in the primary.
    let group: Int64
    let uuid: [UInt8]
    let descriptorSize: Int
    /// Cleanly unmounted (or never mounted), no error recorded, and no limit reached that asks for a check.
    let isClean: Bool
    /// Not cleanly unmounted, or errors recorded. (A check that is merely due is not unclean.)
    let isUnclean: Bool
    /// The journal has to be replayed.
    let needsRecovery: Bool
    let hasJournal: Bool
    let hasMetadataChecksum: Bool
    /// Group descriptors live in their groups (meta_bg), not behind the superblock.
    let hasMetaGroups: Bool
    let isExternalJournal: Bool
    /// Its fields agree with each other and its checksum, if it has one, is right.
    let isIntact: Bool
    /// Seeds every other checksum of the filesystem.
    let checksumSeed: UInt32

    /// In bytes.
    var size: Int64 { blockCount * blockSize }
    var groupCount: Int64 { (blockCount - firstDataBlock + blocksPerGroup - 1) / blocksPerGroup }

    /// Whether the two magic bytes are there.
    static func hasMagic(_ bytes: [UInt8]) -> Bool { bytes.count >= byteCount && Bytes(bytes).u16(0x38) == 0xEF53 }

    /// Nil without the magic, or with fields that allow no geometry at all.
    init?(_ raw: [UInt8]) {
        guard Superblock.hasMagic(raw) else { return nil }
        let bytes = Bytes(raw)
        let compatible = bytes.u32(0x5C)
        let incompatible = bytes.u32(0x60)
        let readOnly = bytes.u32(0x64)
        let logBlockSize = bytes.u32(0x18)
        let wide = incompatible & 0x80 != 0
        isExternalJournal = incompatible & 0x8 != 0
        guard logBlockSize <= 6, bytes.u32(0x20) > 0 || isExternalJournal else { return nil }
        blockSize = 1024 << Int64(logBlockSize)
        let count = UInt64(bytes.u32(0x04)) | (wide ? UInt64(bytes.u32(0x150)) << 32 : 0)
        guard count > 0, count < 1 << 45 else { return nil }
        blockCount = Int64(count)
        firstDataBlock = Int64(bytes.u32(0x14))
        blocksPerGroup = max(1, Int64(bytes.u32(0x20)))
        inodesPerGroup = Int64(bytes.u32(0x28))
        inodeTableBlocks = max(1, (Int64(bytes.u32(0x28)) * Int64(bytes.u16(0x58)) + blockSize - 1) / blockSize)
        group = Int64(bytes.u16(0x5A))
        uuid = Array(raw[0x68..<0x78])
        descriptorSize = wide ? Int(bytes.u16(0xFE)) : 32
        needsRecovery = incompatible & 0x4 != 0
        hasJournal = compatible & 0x4 != 0
        hasMetadataChecksum = readOnly & 0x400 != 0
        hasMetaGroups = incompatible & 0x10 != 0
        checksumSeed = incompatible & 0x2000 != 0 ? bytes.u32(0x270) : CRC32C.update(~0, uuid)

        isUnclean = needsRecovery || bytes.u16(0x3A) != 1 || bytes.u32(0x194) != 0 || bytes.u32(0xE8) != 0
        let limit = Int16(bitPattern: bytes.u16(0x36))
        // Whether a check is due by the calendar is left to e2fsck: no board knows the date at boot (RULES.md F11).
        let isCheckDue = (limit > 0 && bytes.u16(0x34) >= UInt16(limit)) || bytes.u32(0x44) != 0
        isClean = !isUnclean && !isCheckDue

        let groups = (blockCount - firstDataBlock + blocksPerGroup - 1) / blocksPerGroup
        let agrees =
            firstDataBlock == (blockSize == 1024 ? 1 : 0) && blockCount > firstDataBlock
            && groups < 1 << 30 && Int64(bytes.u32(0)) == groups * Int64(bytes.u32(0x28))
            && (descriptorSize == 32 || (wide && descriptorSize >= 64 && descriptorSize <= 1024))
        let checksum = CRC32C.update(~0, raw[0..<0x3FC])
        isIntact = agrees && (!hasMetadataChecksum || checksum == bytes.u32(0x3FC))
    }

    /// What mke2fs decides and no mount changes: sizes and places, revision, features but for RECOVER and ORPHAN_PRESENT, UUID, journal, hash seed.
    private static let constants: [Range<Int>] = [
        0x00..<0x08, 0x14..<0x2C, 0x38..<0x3A, 0x4C..<0x50, 0x54..<0x5A, 0x5C..<0x60, 0x68..<0x78, 0xE0..<0xE8, 0xEC..<0xFC, 0xFE..<0x100,
        0x150..<0x154, 0x174..<0x176, 0x270..<0x274,
    ]

    /// The bytes of a primary superblock with a checksum that fits, where that is all it lacks: a power cut tears it between two sectors, each of
    /// which is sound. Nil where it differs from its backup in more than a mount does.
    static func rejoined(_ raw: [UInt8], like backup: [UInt8]) -> [UInt8]? {
        guard hasMagic(raw), let copy = Superblock(backup), copy.isIntact, copy.hasMetadataChecksum else { return nil }
        let (one, other) = (Bytes(raw), Bytes(backup))
        guard constants.allSatisfy({ raw[$0] == backup[$0] }), one.u32(0x60) & ~0x4 == other.u32(0x60) & ~0x4,
            one.u32(0x64) & ~0x10000 == other.u32(0x64) & ~0x10000
        else { return nil }
        return Array(raw[0..<0x3FC]) + Bytes.little(UInt64(CRC32C.update(~0, raw[0..<0x3FC]))).prefix(4)
    }

    /// Whether it is whole, and a backup that belongs where it was found.
    func isBackup(at place: SuperblockPlace) -> Bool {
        isIntact && blockSize == place.blockSize && group == place.group && firstDataBlock + group * blocksPerGroup == place.block
    }

    /// Reads one, and says nil where there is none.
    static func read(
        _ device: borrowing some BlockReading & ~Copyable, at offset: Int64
    ) throws(LinuxError) -> Superblock? {
        guard offset + Int64(byteCount) <= device.size else { return nil }
        return Superblock(try device.bytes(at: offset, count: byteCount))
    }
}
