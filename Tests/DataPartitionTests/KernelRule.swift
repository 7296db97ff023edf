/// What the kernel makes of a disk, written again from block/partitions/efi.c and msdos.c and sharing nothing with what is tested.
enum KernelRule {
    /// In sectors of 512 bytes, as sysfs has it.
    struct Partition: Equatable {
        let number: Int
        let start: UInt64
        let size: UInt64
    }

    /// Nil where it finds no table. Without `gpt` on its command line it does not look at the backup.
    static func partitions(_ disk: Sectors, size: Int64, sectorSize: Int64) -> [Partition]? {
        let mbr = disk.bytes(at: 0, count: 512)
        guard mbr[510] == 0x55, mbr[511] == 0xAA else { return nil }
        let records = (0..<4).map { Array(mbr[(446 + $0 * 16)..<(462 + $0 * 16)]) }
        let scale = UInt64(sectorSize / 512)
        if !records.contains(where: { $0[4] == 0xEE }) {
            return (0..<4).filter { number(records[$0], 12, 4) != 0 && records[$0][4] != 0 }.map {
                Partition(number: $0 + 1, start: number(records[$0], 8, 4) * scale, size: number(records[$0], 12, 4) * scale)
            }
        }
        guard records.contains(where: { $0[4] == 0xEE && number($0, 8, 4) == 1 }) else { return nil }
        let header = disk.bytes(at: sectorSize, count: Int(sectorSize))
        let last = UInt64(size / sectorSize) - 1
        let length = Int(number(header, 12, 4))
        guard Array(header[0..<8]) == Array("EFI PART".utf8), length >= 92, length <= Int(sectorSize) else { return nil }
        var zeroed = Array(header[..<length])
        for i in 16..<20 { zeroed[i] = 0 }
        let (first, end) = (number(header, 40, 8), number(header, 48, 8))
        guard crc(zeroed) == number(header, 16, 4), number(header, 24, 8) == 1, first <= last, end <= last, first <= end,
            number(header, 84, 4) == 128, number(header, 80, 4) > 0, number(header, 72, 8) <= last
        else { return nil }
        let count = Int(number(header, 80, 4))
        guard count <= 4096 else { return nil }
        let offset = Int64(number(header, 72, 8)) * sectorSize
        guard offset + Int64(count * 128) <= size else { return nil }
        let array = Array(disk.bytes(at: offset, count: (count * 128 + 511) / 512 * 512).prefix(count * 128))
        guard crc(array) == number(header, 88, 4) else { return nil }
        return entries(array, last: last, scale: scale)
    }

    private static func entries(_ array: [UInt8], last: UInt64, scale: UInt64) -> [Partition] {
        (0..<array.count / 128).compactMap { index in
            if number(array, index * 128, 8) == 0 && number(array, index * 128 + 8, 8) == 0 { return nil }
            let (from, to) = (number(array, index * 128 + 32, 8), number(array, index * 128 + 40, 8))
            if from > last || to > last { return nil }
            return Partition(number: index + 1, start: from * scale, size: (to &- from &+ 1) &* scale)
        }
    }

    static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<count { value |= UInt64(bytes[offset + i]) << UInt64(i * 8) }
        return value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }

    static func crc(_ bytes: [UInt8]) -> UInt64 {
        var crc: UInt32 = ~0
        // Thousands of states are judged, by a test that is not optimized.
        table.withUnsafeBufferPointer { table in
            bytes.withUnsafeBufferPointer { bytes in
                var i = 0
                while i < bytes.count {
                    crc = table[Int((crc ^ UInt32(bytes[i])) & 0xFF)] ^ (crc >> 8)
                    i += 1
                }
            }
        }
        return UInt64(~crc)
    }
}
