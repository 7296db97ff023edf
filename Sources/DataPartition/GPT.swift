import Linux

/// A disk's GPT as its primary header has it, and how the last partition of it grows.
///
/// The kernel takes the primary header or nothing: find_valid_gpt (block/partitions/efi.c) looks at the backup only with
/// `gpt` on the command line. sfdisk writes the entries first and the header that fits them after an fsync (2.38,
/// by strace); the power cut in between leaves a board without any partition, root included. Here, at every moment, the
/// primary header is valid and points to entries that fit it, since it is one sector and all it points to is there before:
///
///     start  header → old entries at their place
///       │    grow: protective MBR; new entries and backup header at the end of the disk; what the caller prepares
///     ready  the same
///       │    switch: header
///     away   header → new entries at the end of the disk, `home` says where they belong
///       │    bringHome: new entries at their place
///     copied the same
///       │    bringHome: header
///     done   header → new entries at their place
///
/// Cut at `start` or `ready` it is begun again, at `away` or `copied` it is finished by the next boot. (Not by way of a
/// free gap behind the entries at their place: bootloaders lie in such gaps.)
struct GPT {
    let header: GPTHeader
    /// The entries.
    let array: [UInt8]
    let sectorSize: Int64
    /// The disk's last.
    let lastBlock: Int64

    /// Nil where the entries are not those that the header was made for.
    init?(_ header: GPTHeader, array: [UInt8], lastBlock: Int64) {
        guard array.count == header.arraySize, CRC32.digest(of: array) == header.arrayChecksum else { return nil }
        self.init(sealed: header, array: array, lastBlock: lastBlock)
    }

    private init(sealed header: GPTHeader, array: [UInt8], lastBlock: Int64) {
        self.header = header
        self.array = array
        self.lastBlock = lastBlock
        sectorSize = Int64(header.sector.count)
    }

    private struct Entry {
        let isUsed: Bool
        /// In sectors, the last one included.
        let first: Int64
        let last: Int64
    }

    private func entry(_ index: Int) -> Entry {
        let bytes = Bytes(array[(index * GPTHeader.entrySize)..<((index + 1) * GPTHeader.entrySize)])
        return Entry(
            isUsed: bytes.u64(0) != 0 || bytes.u64(8) != 0, first: Int64(clamping: bytes.u64(32)),
            last: Int64(clamping: bytes.u64(40)))
    }

    /// Where the entries are to be in the end.
    private var home: Int64 { header.home ?? header.arrayBlock }
    /// The backup's entries; behind them, in the last sector, its header.
    private var backupArray: Int64 { lastBlock - header.arrayBlocks }

    /// The partition's end in the table.
    func end(of place: PartitionPlace) throws(DataPartitionError) -> Int64 {
        // Behind that a partition may be; or, where both headers share one array, there would be none to be switched to.
        guard home >= 2, home <= header.firstUsable - header.arrayBlocks else {
            throw place.refused("the entries of its GPT are at sector \(home), where others' data may be")
        }
        if header.hasForeignNote { throw place.refused("something unknown is stored behind the header of its GPT") }
        guard place.number >= 1, place.number <= header.entryCount else {
            throw place.refused("the GPT has \(header.entryCount) entries")
        }
        let own = entry(Int(place.number) - 1)
        guard own.isUsed, own.first >= header.firstUsable, own.first <= own.last, own.last <= lastBlock,
            own.first * sectorSize == place.start, (own.last + 1) * sectorSize >= place.end
        else { throw place.refused("the table on the disk says otherwise than the kernel") }
        for index in 0..<Int(header.entryCount) where index != Int(place.number) - 1 {
            let other = entry(index)
            if other.isUsed && (other.first > own.last || other.last > own.last) {
                throw place.refused("partition \(index + 1) is behind it")
            }
        }
        return (own.last + 1) * sectorSize
    }

    /// Where it would end: the backup needs its room behind it.
    var newEnd: Int64 { PartitionTable.aligned(backupArray * sectorSize) }
    /// Nothing that counts is where the backup will be. (A disk may have grown once more since a cut left the header away.)
    var hasRoomForBackup: Bool { header.arrayBlock + header.arrayBlocks <= backupArray }

    /// From `start` to `away`. After a power cut the kernel finds the old table or the new one.
    func grow<Disk: BlockWriting & ~Copyable>(
        _ place: PartitionPlace, to end: Int64, mbr: MBR, on disk: borrowing Disk,
        prepare: (borrowing Disk, _ size: Int64) throws(LinuxError) -> Void
    ) throws(LinuxError) -> GPT {
        var array = array
        let own = (Int(place.number) - 1) * GPTHeader.entrySize
        Bytes.put(UInt64(end / sectorSize - 1), 8, at: own + 40, in: &array)

        // Nobody believes the size in it, so it need not wait for the others; being first, nothing is left undone behind the last.
        let protecting = mbr.protecting(to: lastBlock)
        if protecting.sector != mbr.sector { try disk.settle(protecting.sector, at: 0) }

        var header = header
        header.lastUsable = backupArray - 1
        header.alternate = lastBlock
        let backup = header.backup(at: lastBlock, array: backupArray).sealed(for: array)
        let padding = [UInt8](repeating: 0, count: Int(header.arrayBlocks * sectorSize) - array.count)
        try disk.settle(array + padding + backup.sector, at: backupArray * sectorSize)
        try prepare(disk, end - place.start)
        try disk.sync()

        header.home = home
        header.arrayBlock = backupArray
        header = header.sealed(for: array)
        try disk.settle(header.sector, at: sectorSize)
        return GPT(sealed: header, array: array, lastBlock: lastBlock)
    }

    /// From `away` to `done`.
    func bringHome<Disk: BlockWriting & ~Copyable>(on disk: borrowing Disk) throws(LinuxError) {
        guard header.home != nil else { return }
        let there = try disk.bytes(at: home * sectorSize, count: Int(header.arrayBlocks * sectorSize))
        // Only what differs, and that is a sector: a ROM or bootloader that reads the entries without asking the header finds
        // good ones all the time.
        for block in 0..<Int(header.arrayBlocks) {
            let offset = block * Int(sectorSize)
            let old = Array(there[offset..<(offset + Int(sectorSize))])
            var new = Array(array[offset..<min(offset + Int(sectorSize), array.count)])
            new += old[new.count...]
            if new != old { try disk.settle(new, at: home * sectorSize + Int64(offset)) }
        }
        var header = header
        header.arrayBlock = home
        header.home = nil
        try disk.settle(header.sealed(for: array).sector, at: sectorSize)
    }
}
