/// Little-endian numbers in a block of bytes.
struct Bytes {
    let raw: ArraySlice<UInt8>

    init(_ raw: ArraySlice<UInt8>) { self.raw = raw }
    init(_ raw: [UInt8]) { self.raw = raw[...] }

    func u8(_ offset: Int) -> UInt8 { raw[raw.startIndex + offset] }
    func u16(_ offset: Int) -> UInt16 { UInt16(u8(offset)) | UInt16(u8(offset + 1)) << 8 }
    func u32(_ offset: Int) -> UInt32 { UInt32(u16(offset)) | UInt32(u16(offset + 2)) << 16 }
    func u64(_ offset: Int) -> UInt64 { UInt64(u32(offset)) | UInt64(u32(offset + 4)) << 32 }

    static func little(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
    }

    /// Puts the low `count` bytes of a number into a block.
    static func put(_ value: UInt64, _ count: Int, at offset: Int, in block: inout [UInt8]) {
        for i in 0..<count { block[offset + i] = UInt8(truncatingIfNeeded: value >> UInt64(i * 8)) }
    }
}
