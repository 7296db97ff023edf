@testable import DataPartition

/// A disk with a partition table, made by hand: what no tool makes on request too.
struct TableImage {
    let sectorSize: Int64
    /// The disk that the table was made for, in bytes.
    let made: Int64
    /// The disk it is on.
    var size: Int64
    let entries: Int
    /// Where a GPT's entries are, in sectors.
    let home: Int64
    let isGPT: Bool
    /// In MiB.
    let partitions: [(start: Int64, size: Int64)]
    /// Bytes that nobody may touch: a bootloader.
    let bootloader: ClosedRange<Int64>?
    private(set) var sectors = Sectors()

    init(
        sectorSize: Int64 = 512, made: Int64 = 64 << 20, size: Int64 = 128 << 20, entries: Int = 128, home: Int64 = 2, isGPT: Bool = true,
        partitions: [(start: Int64, size: Int64)] = [(1, 8), (9, 32)], bootloader: ClosedRange<Int64>? = nil
    ) {
        self.sectorSize = sectorSize
        self.made = made
        self.size = size
        self.entries = entries
        self.home = home
        self.isGPT = isGPT
        self.partitions = partitions
        self.bootloader = bootloader
        sectors = make()
    }

    private var last: Int64 { made / sectorSize - 1 }
    var arrayBlocks: Int64 { (Int64(entries * 128) + sectorSize - 1) / sectorSize }
    /// The place of the partition that grows: the last.
    var place: PartitionPlace {
        let last = partitions[partitions.count - 1]
        return PartitionPlace(disk: "cut", number: Int64(partitions.count), start: last.start << 20, size: last.size << 20)
    }
    /// The sector that the last entry of a GPT is in.
    var lastArraySector: Int64 { (home + arrayBlocks) * sectorSize / 512 - 1 }
    /// What it has in the end.
    var grown: Int64 {
        let end = isGPT ? (size / sectorSize - 1 - arrayBlocks) * sectorSize : size
        return end / 1_048_576 * 1_048_576 - place.start
    }

    private func make() -> Sectors {
        var disk = Sectors()
        if let bootloader {
            for sector in bootloader { disk[sector] = (0..<512).map { UInt8(truncatingIfNeeded: sector &* 31 &+ $0) } }
        }
        var mbr = [UInt8](repeating: 0, count: 512)
        func put(_ value: Int64, _ count: Int, _ offset: Int, _ block: inout [UInt8]) {
            for i in 0..<count { block[offset + i] = UInt8(truncatingIfNeeded: value >> Int64(i * 8)) }
        }
        put(0xAA55, 2, 510, &mbr)
        for i in 0..<440 { mbr[i] = UInt8(truncatingIfNeeded: i) }
        let perMiB = 1_048_576 / sectorSize
        if !isGPT {
            for (index, partition) in partitions.enumerated() {
                mbr[446 + index * 16 + 4] = 0x83
                put(partition.start * perMiB, 4, 446 + index * 16 + 8, &mbr)
                put(partition.size * perMiB, 4, 446 + index * 16 + 12, &mbr)
            }
            disk.put(mbr, at: 0)
            return disk
        }
        mbr[450] = 0xEE
        put(1, 4, 454, &mbr)
        put(last, 4, 458, &mbr)
        disk.put(mbr, at: 0)
        var array = [UInt8](repeating: 0, count: Int(arrayBlocks * sectorSize))
        for (index, partition) in partitions.enumerated() {
            for i in 0..<32 { array[index * 128 + i] = UInt8(truncatingIfNeeded: 17 * index + i + 1) }
            put(partition.start * perMiB, 8, index * 128 + 32, &array)
            put((partition.start + partition.size) * perMiB - 1, 8, index * 128 + 40, &array)
            put(1 << 2, 8, index * 128 + 48, &array)
            array[index * 128 + 56] = 0x61
        }
        let sum = Int64(KernelRule.crc(Array(array[..<(entries * 128)])))
        for (mine, other, place) in [(1, last, home), (last, 1, last - arrayBlocks)] {
            var header = [UInt8](repeating: 0, count: Int(sectorSize))
            header.replaceSubrange(0..<8, with: Array("EFI PART".utf8))
            put(0x10000, 4, 8, &header)
            put(92, 4, 12, &header)
            put(mine, 8, 24, &header)
            put(other, 8, 32, &header)
            put(perMiB, 8, 40, &header)
            put(last - arrayBlocks - 1, 8, 48, &header)
            for i in 56..<72 { header[i] = UInt8(i) }
            put(place, 8, 72, &header)
            put(Int64(entries), 4, 80, &header)
            put(128, 4, 84, &header)
            put(sum, 4, 88, &header)
            put(Int64(KernelRule.crc(Array(header[..<92]))), 4, 16, &header)
            disk.put(header, at: mine * sectorSize)
            // Behind the last entry may be somebody else's bytes.
            for i in (entries * 128)..<array.count { array[i] = 0x5A }
            disk.put(array, at: place * sectorSize)
        }
        return disk
    }
}
