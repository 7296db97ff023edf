internal import CLinux
import Linux

/// What changing a partition table needs of a disk: a test records what is written, and cuts the power in between.
protocol BlockWriting: BlockReading, ~Copyable {
    /// The logical sector in bytes: what the device writes whole or not at all, and what partition tables count in.
    var sectorSize: Int64 { get }
    func write(_ bytes: [UInt8], at offset: Int64) throws(LinuxError)
    func sync() throws(LinuxError)
    /// The next read comes from the device.
    func dropCache()
}

extension BlockWriting where Self: ~Copyable {
    /// Writes, fsyncs, and reads back from the device: the next step relies on it (RULES.md S7, S29).
    func settle(_ bytes: [UInt8], at offset: Int64) throws(LinuxError) {
        try write(bytes, at: offset)
        try sync()
        dropCache()
        if try self.bytes(at: offset, count: bytes.count) != bytes { throw LinuxError("read back", path, code: EIO) }
    }
}
