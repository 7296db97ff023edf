import Linux

/// The first sector of a disk: a partition table of its own, or what protects a GPT from those who know only that.
struct MBR {
    /// All of it, the boot code too.
    private(set) var sector: [UInt8]
    let sectorSize: Int64

    private static let protective: UInt8 = 0xEE

    struct Record {
        let type: UInt8
        /// In sectors.
        let start: Int64
        let count: Int64

        var isEmpty: Bool { type == 0 || count == 0 }
        var isExtended: Bool { type == 0x05 || type == 0x0F || type == 0x85 }
        var end: Int64 { start + count }
    }

    /// Nil without the two bytes at its end.
    init?(_ sector: [UInt8]) {
        guard sector.count >= 512, sector[510] == 0x55, sector[511] == 0xAA else { return nil }
        self.sector = sector
        sectorSize = Int64(sector.count)
    }

    var records: [Record] {
        (0..<4).map { index in
            let bytes = Bytes(sector[(446 + index * 16)..<(462 + index * 16)])
            return Record(type: bytes.u8(4), start: Int64(bytes.u32(8)), count: Int64(bytes.u32(12)))
        }
    }

    // ---- Protecting a GPT ----

    /// The disk has, or claims to have, a GPT.
    var hasProtective: Bool { records.contains { $0.type == MBR.protective } }

    /// Nothing else is in it. A hybrid one has a second opinion on partitions, which would not be changed.
    var isProtective: Bool {
        let used = records.filter { $0.type != 0 }
        return used.count == 1 && used[0].type == MBR.protective && used[0].start == 1
    }

    /// Protecting a disk up to that sector. (The largest number stands for any size.)
    func protecting(to lastBlock: Int64) -> MBR {
        var mbr = self
        for (index, record) in records.enumerated() where record.type == MBR.protective && record.count != 0xFFFF_FFFF {
            mbr.put(count: min(lastBlock, 0xFFFF_FFFF), in: index)
        }
        return mbr
    }

    // ---- A table of its own ----

    /// The partition's end in the table.
    func end(of place: PartitionPlace) throws(DataPartitionError) -> Int64 {
        guard place.number >= 1, place.number <= 4 else {
            throw place.refused("it is a logical partition, and only primary ones are grown")
        }
        let record = records[Int(place.number) - 1]
        if record.isExtended { throw place.refused("it is an extended partition") }
        guard !record.isEmpty, record.start * sectorSize == place.start, record.count * sectorSize >= place.size else {
            throw place.refused("the table on the disk says otherwise than the kernel")
        }
        for (index, other) in records.enumerated() where index != Int(place.number) - 1 && !other.isEmpty && other.end > record.end {
            throw place.refused("partition \(index + 1) is behind it")
        }
        return record.end * sectorSize
    }

    /// Where it would end on a disk of that size: 32 bits of sectors are all that a table can say.
    func newEnd(of place: PartitionPlace, on size: Int64) -> Int64 {
        PartitionTable.aligned(min(size / sectorSize * sectorSize, place.start + 0xFFFF_FFFF * sectorSize))
    }

    /// One sector: the device has the old table or the new one.
    func grow<Disk: BlockWriting & ~Copyable>(
        _ place: PartitionPlace, to end: Int64, on disk: borrowing Disk,
        prepare: (borrowing Disk, _ size: Int64) throws(LinuxError) -> Void
    ) throws(LinuxError) {
        try prepare(disk, end - place.start)
        try disk.sync()
        var mbr = self
        let record = Int(place.number) - 1
        mbr.put(count: (end - place.start) / sectorSize, in: record)
        // Its end in cylinders, heads and sectors: what stands for "see the other number".
        Bytes.put(0xFF_FFFE, 3, at: 446 + record * 16 + 5, in: &mbr.sector)
        try disk.settle(mbr.sector, at: 0)
    }

    private mutating func put(count: Int64, in record: Int) {
        Bytes.put(UInt64(count), 4, at: 446 + record * 16 + 12, in: &sector)
    }
}
