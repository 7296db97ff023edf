/// CRC-32C as ext4 uses it: no inversion at the end, the seed handed on.
enum CRC32C {
    private static let table = halfBytes(polynomial: 0x82F6_3B78)

    static func update(_ crc: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 { advance(crc, bytes, table) }
}

/// CRC-32 as f2fs uses it, likewise; and as a GPT does, inverted at both ends.
enum CRC32 {
    private static let table = halfBytes(polynomial: 0xEDB8_8320)

    static func update(_ crc: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 { advance(crc, bytes, table) }
    static func digest(of bytes: [UInt8]) -> UInt32 { ~update(~0, bytes) }
}

/// What half a byte makes of a checksum: sixteen words, where a byte's would be a kilobyte of the flash.
private func halfBytes(polynomial: UInt32) -> [UInt32] {
    (0..<16).map { index in
        var crc = UInt32(index)
        for _ in 0..<4 { crc = crc & 1 != 0 ? crc >> 1 ^ polynomial : crc >> 1 }
        return crc
    }
}

private func advance(_ crc: UInt32, _ bytes: some Sequence<UInt8>, _ table: [UInt32]) -> UInt32 {
    var crc = crc
    for byte in bytes {
        crc = crc >> 4 ^ table[Int((crc ^ UInt32(byte)) & 15)]
        crc = crc >> 4 ^ table[Int((crc ^ UInt32(byte >> 4)) & 15)]
    }
    return crc
}
