/// The sector that a GPT begins with.
///
/// Layout: UEFI specification 2.10, 5.3.2. What makes one valid: is_gpt_valid in the kernel's block/partitions/efi.c.
struct GPTHeader: Equatable {
    /// All of it: what is behind the header is carried along.
    private(set) var sector: [UInt8]

    static let entrySize = 128
    /// Where `home` is kept.
    private static let note = 480
    private static let noteMagic = Array("FLGROW1\n".utf8)
    private static let noteSize = 20

    static func hasMagic(_ sector: [UInt8]) -> Bool { sector.starts(with: "EFI PART".utf8) }

    /// A primary header; nil for one that the kernel would not take, or with a size that nobody's has.
    init?(primary sector: [UInt8], lastBlock: Int64) {
        self.sector = sector
        let bytes = Bytes(sector)
        guard sector.count >= 512, GPTHeader.hasMagic(sector), size >= 92, size <= GPTHeader.note,
            checksum == bytes.u32(16), bytes.u64(24) == 1, bytes.u32(84) == UInt32(GPTHeader.entrySize),
            entryCount >= 1, entryCount <= 1024, firstUsable <= lastUsable, lastUsable <= lastBlock,
            arrayBlock >= 2, arrayBlock <= lastBlock - arrayBlocks
        else { return nil }
    }

    private var size: Int { Int(Bytes(sector).u32(12)) }

    private func block(_ offset: Int) -> Int64 { Int64(clamping: Bytes(sector).u64(offset)) }

    var firstUsable: Int64 { block(40) }
    var entryCount: Int64 { Int64(Bytes(sector).u32(80)) }
    var arrayChecksum: UInt32 { Bytes(sector).u32(88) }
    /// Of the entries, in bytes.
    var arraySize: Int { Int(entryCount) * GPTHeader.entrySize }
    /// The sectors that they take.
    var arrayBlocks: Int64 { (Int64(arraySize) + Int64(sector.count) - 1) / Int64(sector.count) }

    var lastUsable: Int64 {
        get { block(48) }
        set { put(newValue, at: 48) }
    }

    /// Where the other header is.
    var alternate: Int64 {
        get { block(32) }
        set { put(newValue, at: 32) }
    }

    /// Where the entries are.
    var arrayBlock: Int64 {
        get { block(72) }
        set { put(newValue, at: 72) }
    }

    private mutating func put(_ value: Int64, at offset: Int) { Bytes.put(UInt64(value), 8, at: offset, in: &sector) }

    /// Where the entries belong, while the header points to those at the end of the disk.
    ///
    /// It must not be guessed: boards whose ROM reads a bootloader from sector 16 have their entries elsewhere than at 2. It is
    /// kept in bytes of the sector that are reserved and that no checksum and no reader of a GPT looks at, so it comes
    /// and goes with the very write that it is about.
    var home: Int64? {
        get {
            let bytes = Array(sector[GPTHeader.note..<(GPTHeader.note + GPTHeader.noteSize)])
            guard bytes.starts(with: GPTHeader.noteMagic), CRC32.digest(of: Array(bytes[..<16])) == Bytes(bytes).u32(16) else {
                return nil
            }
            return Int64(clamping: Bytes(bytes).u64(8))
        }
        set {
            var bytes = [UInt8](repeating: 0, count: GPTHeader.noteSize)
            if let newValue {
                bytes = GPTHeader.noteMagic + Bytes.little(UInt64(newValue))
                bytes += Bytes.little(UInt64(CRC32.digest(of: bytes))).prefix(4)
            }
            for i in bytes.indices { sector[GPTHeader.note + i] = bytes[i] }
        }
    }

    /// Whether somebody else uses the bytes that `home` would be kept in.
    var hasForeignNote: Bool {
        home == nil && !sector[GPTHeader.note..<(GPTHeader.note + GPTHeader.noteSize)].allSatisfy { $0 == 0 }
    }

    private var checksum: UInt32 {
        var bytes = Array(sector[..<size])
        Bytes.put(0, 4, at: 16, in: &bytes)
        return CRC32.digest(of: bytes)
    }

    /// With checksums that fit, the entries' being those of `array`.
    func sealed(for array: [UInt8]) -> GPTHeader {
        var header = self
        Bytes.put(UInt64(CRC32.digest(of: array)), 4, at: 88, in: &header.sector)
        Bytes.put(UInt64(header.checksum), 4, at: 16, in: &header.sector)
        return header
    }

    /// Its counterpart at the end of the disk, with entries of its own.
    func backup(at block: Int64, array: Int64) -> GPTHeader {
        var header = self
        header.put(block, at: 24)
        header.alternate = 1
        header.arrayBlock = array
        header.home = nil
        return header
    }
}
