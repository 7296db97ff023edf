import Linux

/// Bytes at places.
protocol ByteReading: ~Copyable {
    /// What messages call it.
    var path: String { get }
    /// Exactly `count` bytes, or an error.
    func bytes(at offset: Int64, count: Int) throws(LinuxError) -> [UInt8]
}

/// What probing needs of a device: a test gives bytes and read errors of its own.
protocol BlockReading: ByteReading, ~Copyable {
    /// In bytes.
    var size: Int64 { get }
    /// What libblkid says lies on it.
    func signature() throws(LinuxError) -> Signature
}
