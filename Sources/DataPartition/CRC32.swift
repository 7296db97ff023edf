/// CRC-32C as ext4 uses it: no inversion at the end, the seed handed on.
enum CRC32C {
    static func update(_ crc: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 { reflected(crc, bytes, polynomial: 0x82F6_3B78) }
}

/// CRC-32 as f2fs uses it, likewise.
enum CRC32 {
    static func update(_ crc: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 { reflected(crc, bytes, polynomial: 0xEDB8_8320) }
}

private func reflected(_ crc: UInt32, _ bytes: some Sequence<UInt8>, polynomial: UInt32) -> UInt32 {
    var crc = crc
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ polynomial : crc >> 1 }
    }
    return crc
}
