import Linux

/// The table that says where each group's bitmaps and inodes are.
///
/// It is looked at before any check runs because `e2fsck -p` of a filesystem whose primary table is damaged takes the
/// journal's inode from a wrong place, deletes the journal, and writes the damaged table over every backup; the `-y`
/// that follows then finds no file at all. Measured with e2fsck 1.47.0: random or zero bytes in that block, then
/// `-p`, `-y`: all files gone; `-y -b BACKUP` at once: all files kept.
enum GroupDescriptors {
    /// Whether following this superblock's own table would lead astray.
    static func areDamaged(
        of superblock: Superblock, on device: borrowing some BlockReading & ~Copyable
    ) throws(LinuxError) -> Bool {
        if superblock.hasMetaGroups || superblock.isExternalJournal { return false }
        guard let table = try read(of: superblock, at: superblock.firstDataBlock + 1, on: device) else { return false }
        var suspicious: [Int64] = []
        for group in 0..<superblock.groupCount {
            let descriptor = Descriptor(table, group, of: superblock)
            if !descriptor.isInside(superblock) { return true }
            if !descriptor.isProven(group, of: superblock) { suspicious.append(group) }
        }
        if suspicious.isEmpty { return false }
        // A descriptor torn by the power cut has a wrong checksum too, and replaying the journal mends it; what it
        // points to never changes. So a suspicious one is compared with the backup, where there is one.
        let backup = superblock.firstDataBlock + superblock.blocksPerGroup
        guard superblock.groupCount > 1, let copy = try Superblock.read(device, at: backup * superblock.blockSize),
            copy.isIntact, copy.uuid == superblock.uuid,
            let other = try read(of: superblock, at: backup + 1, on: device)
        else { return superblock.hasMetadataChecksum && !superblock.needsRecovery }
        return suspicious.contains { group in
            Descriptor(table, group, of: superblock).places != Descriptor(other, group, of: superblock).places
        }
    }

    /// Whether a backup's copy of the table can be relied on.
    static func areSound(
        of superblock: Superblock, at block: Int64, on device: borrowing some BlockReading & ~Copyable
    ) throws(LinuxError) -> Bool {
        if superblock.hasMetaGroups { return true }
        guard let table = try read(of: superblock, at: block + 1, on: device) else { return false }
        return (0..<superblock.groupCount).allSatisfy { Descriptor(table, $0, of: superblock).isInside(superblock) }
    }

    /// Whether nothing of the filesystem lies in these blocks, by its own bitmaps and by where its tables are.
    ///
    /// - Parameter block: where the superblock lies that the table is behind; what a backup's says of unused bitmaps is of the day it was made.
    static func areFree(
        _ blocks: Range<Int64>, of superblock: Superblock, at block: Int64, on device: borrowing some BlockReading & ~Copyable
    ) throws(LinuxError) -> Bool {
        guard !superblock.hasMetaGroups, let table = try read(of: superblock, at: block + 1, on: device) else { return false }
        let isPrimary = block == superblock.firstDataBlock
        for group in 0..<superblock.groupCount {
            let descriptor = Descriptor(table, group, of: superblock)
            guard descriptor.isInside(superblock) else { return false }
            for (place, count) in zip(descriptor.places, [1, 1, superblock.inodeTableBlocks]) {
                if blocks.overlaps(Int64(place)..<Int64(place) + count) { return false }
            }
            let first = superblock.firstDataBlock + group * superblock.blocksPerGroup
            let inside = blocks.clamped(to: first..<min(first + superblock.blocksPerGroup, superblock.blockCount))
            if inside.isEmpty || isPrimary && descriptor.isBitmapUnused { continue }
            let bitmap = try device.bytes(at: Int64(descriptor.places[0]) * superblock.blockSize, count: Int(superblock.blockSize))
            for block in inside where bitmap[Int((block - first) / 8)] & (1 << UInt8((block - first) % 8)) != 0 { return false }
        }
        return true
    }

    /// A card of 8 GiB: each costs two reads at every boot, and what is beyond is used last.
    private static let checkedGroups: Int64 = 64

    /// Whether each bitmap of the first groups has the checksum that its descriptor says. The kernel finds it out with the first write only, and then
    /// there is none any more. Not to be asked while the journal is still to be replayed.
    static func areBitmapsSound(
        of superblock: Superblock, on device: borrowing some BlockReading & ~Copyable
    ) throws(LinuxError) -> Bool {
        guard superblock.hasMetadataChecksum, !superblock.needsRecovery, !superblock.hasMetaGroups,
            let table = try read(of: superblock, at: superblock.firstDataBlock + 1, on: device)
        else { return true }
        for group in 0..<min(superblock.groupCount, checkedGroups) {
            let descriptor = Descriptor(table, group, of: superblock)
            guard descriptor.isInside(superblock) else { return false }
            for index in 0..<2 where !descriptor.isUnused(index) {
                let bits = index == 0 ? superblock.blocksPerGroup : superblock.inodesPerGroup
                let bitmap = try device.bytes(at: Int64(descriptor.places[index]) * superblock.blockSize, count: Int(superblock.blockSize))
                guard Int(bits / 8) <= bitmap.count else { return true }
                let sum = CRC32C.update(superblock.checksumSeed, bitmap[..<Int(bits / 8)])
                if !descriptor.isChecksum(sum, of: index) { return false }
                // What is beyond the group belongs to no checksum, and the kernel looks at it all the same.
                if index == 0, !bitmap[Int(bits / 8)...].allSatisfy({ $0 == 0xFF }) { return false }
            }
        }
        return true
    }

    private static func read(
        of superblock: Superblock, at block: Int64, on device: borrowing some BlockReading & ~Copyable
    ) throws(LinuxError) -> [UInt8]? {
        let count = superblock.groupCount * Int64(superblock.descriptorSize)
        // 1 MiB is 16,384 groups, 2 TiB: a table beyond that is a superblock that lies.
        guard count > 0, count <= 1 << 20, block * superblock.blockSize + count <= device.size else { return nil }
        return try device.bytes(at: block * superblock.blockSize, count: Int(count))
    }
}

/// One group's entry.
private struct Descriptor {
    /// Block bitmap, inode bitmap, inode table.
    let places: [UInt64]
    private let raw: ArraySlice<UInt8>

    init(_ table: [UInt8], _ group: Int64, of superblock: Superblock) {
        let size = superblock.descriptorSize
        raw = table[(Int(group) * size)..<((Int(group) + 1) * size)]
        let bytes = Bytes(raw)
        places = (0..<3).map { i in
            UInt64(bytes.u32(i * 4)) | (size >= 64 ? UInt64(bytes.u32(0x20 + i * 4)) << 32 : 0)
        }
    }

    /// BLOCK_UNINIT: no block of the group is used but for its tables.
    var isBitmapUnused: Bool { Bytes(raw).u16(0x12) & 2 != 0 }

    /// Bitmap 0 is the blocks', 1 the inodes'.
    func isUnused(_ index: Int) -> Bool { Bytes(raw).u16(0x12) & (index == 0 ? 2 : 1) != 0 }

    func isChecksum(_ sum: UInt32, of index: Int) -> Bool {
        let bytes = Bytes(raw)
        if bytes.u16(0x18 + 2 * index) != UInt16(truncatingIfNeeded: sum) { return false }
        return raw.count < 64 || bytes.u16(0x38 + 2 * index) == UInt16(truncatingIfNeeded: sum >> 16)
    }

    func isInside(_ superblock: Superblock) -> Bool {
        places.allSatisfy { $0 > UInt64(superblock.firstDataBlock) && $0 < UInt64(superblock.blockCount) }
    }

    /// Its checksum is right.
    func isProven(_ group: Int64, of superblock: Superblock) -> Bool {
        guard superblock.hasMetadataChecksum else { return false }
        var crc = CRC32C.update(superblock.checksumSeed, (0..<4).map { UInt8(truncatingIfNeeded: group >> ($0 * 8)) })
        crc = CRC32C.update(crc, raw.prefix(0x1E))
        crc = CRC32C.update(crc, [0, 0])
        crc = CRC32C.update(crc, raw.dropFirst(0x20))
        return UInt16(truncatingIfNeeded: crc) == Bytes(raw).u16(0x1E)
    }
}
