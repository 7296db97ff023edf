import CLinux
import Linux

@testable import DataPartition

/// A device in memory: zeros, what was put there, and read errors.
struct FakeDisk: BlockReading {
    let size: Int64
    let path = "fake"
    private var contents: [(offset: Int64, bytes: [UInt8])] = []
    /// Reads that touch one of these bytes fail.
    var broken: Range<Int64> = 0..<0
    var known = Signature.none

    init(size: Int64) { self.size = size }

    mutating func put(_ bytes: [UInt8], at offset: Int64) { contents.append((offset, bytes)) }

    func bytes(at offset: Int64, count: Int) throws(LinuxError) -> [UInt8] {
        if broken.overlaps(offset..<offset + Int64(count)) {
            throw LinuxError("read", "fake", code: EIO)
        }
        var out = [UInt8](repeating: 0, count: count)
        for (start, bytes) in contents {
            for i in bytes.indices where start + Int64(i) >= offset && start + Int64(i) < offset + Int64(count) {
                out[Int(start - offset) + i] = bytes[i]
            }
        }
        return out
    }

    func signature() throws(LinuxError) -> Signature { known }

    /// A superblock's bytes: 4 KiB blocks in groups of 4096, no checksums.
    static func superblock(blocks: UInt32, group: UInt16 = 0, state: UInt16 = 1, recover: Bool = false) -> [UInt8] {
        var raw = [UInt8](repeating: 0, count: 1024)
        func put(_ value: UInt32, _ offset: Int, _ count: Int = 4) {
            for i in 0..<count { raw[offset + i] = UInt8(truncatingIfNeeded: value >> UInt32(i * 8)) }
        }
        put((blocks + 4095) / 4096 * 512, 0)
        put(blocks, 4)
        put(2, 0x18)
        put(4096, 0x20)
        put(512, 0x28)
        put(0xEF53, 0x38, 2)
        put(UInt32(state), 0x3A, 2)
        put(UInt32(group), 0x5A, 2)
        put(4, 0x5C)
        put(recover ? 4 : 0, 0x60)
        return raw
    }
}
