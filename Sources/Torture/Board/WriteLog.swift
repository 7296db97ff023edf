#if Lab
import Foundation

/// QEMU's record of a disk's writes, in the format of dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst).
struct WriteLog {
    private static let magic: UInt64 = 0x6a73_6677_7368_72
    private static let sector = 512

    private(set) var log = BlockLog()
    /// Where each entry ends in the file, in bytes.
    private var ends: [Int] = []

    /// - Throws: for a file that is none. One that ends in the middle of an entry, as a killed QEMU leaves it, is read up to there.
    init(_ file: URL) throws {
        let data = try Data(contentsOf: file, options: .alwaysMapped)
        func u64(_ at: Int) -> UInt64 { data.subdata(in: at..<at + 8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } }
        guard data.count >= Self.sector, u64(0) == Self.magic else { throw TortureError("\(file.path) is no log of writes") }
        // The super block's own count is brought up to date at a flush only.
        var at = Self.sector
        while at + Self.sector <= data.count {
            let (start, sectors, flags) = (Int(u64(at)), Int(u64(at + 8)), u64(at + 16))
            at += Self.sector
            // QEMU's virtio disks have no FUA: the kernel flushes behind such a write.
            guard flags & 2 == 0 else { throw TortureError("\(file.path): a write with FUA") }
            if flags & 1 != 0 { log.append(.flush) }
            if flags & 4 != 0 {
                log.append(.discard(offset: start * Self.sector, count: sectors * Self.sector))
            } else if sectors > 0 {
                let end = at + sectors * Self.sector
                if end > data.count { return }
                log.append(.write(offset: start * Self.sector, bytes: [UInt8](data[at..<end])))
                at = end
            }
            while ends.count < log.entries.count { ends.append(at) }
        }
    }

    /// How many entries had been logged when the file had so many bytes.
    func position(at bytes: Int) -> Int { ends.firstIndex { $0 > bytes } ?? ends.count }
}
#endif
