import Linux

/// The tail's two slots, written by turns: a cut while one is being written leaves the other.
///
/// A slot is 4096 bytes: magic, sequence, length, the record's text, zeros, and in the last 8 bytes the XXH64 of all
/// before.
enum Tail {
    static let byteCount: Int64 = 1 << 20
    static let slotSize = 4096
    private static let magic = Array("FLTAIL1\n".utf8)

    /// Where it begins: what lies before belongs to the filesystem.
    static func start(on size: Int64) -> Int64 { max(0, size - byteCount) / 4096 * 4096 }

    /// Far enough apart that one erase block of a card's flash does not take both with it.
    static func offset(ofSlot slot: Int64, on size: Int64) -> Int64 { start(on: size) + slot * (byteCount / 2) }

    /// The newest valid record; an empty one when there is none.
    static func read(_ device: borrowing some BlockReading & ~Copyable) throws(LinuxError) -> TailRecord {
        var newest = TailRecord()
        if device.size < byteCount + 65536 { return newest }
        for slot: Int64 in 0...1 {
            let bytes = try device.bytes(at: offset(ofSlot: slot, on: device.size), count: slotSize)
            if let record = decode(bytes), record.sequence > newest.sequence { newest = record }
        }
        return newest
    }

    /// Writes a record with the next sequence number over the older slot and fsyncs it. After a power cut the device
    /// holds this record or the one before.
    static func write(_ record: inout TailRecord, to device: borrowing BlockDevice) throws(LinuxError) {
        record.sequence += 1
        try device.write(encode(record), at: offset(ofSlot: record.sequence & 1, on: device.size))
        try device.sync()
    }

    static func encode(_ record: TailRecord) -> [UInt8] {
        let text = Array(record.text.utf8.prefix(slotSize - 32))
        var bytes = magic + Bytes.little(UInt64(record.sequence)) + Bytes.little(UInt64(text.count)) + text
        bytes += [UInt8](repeating: 0, count: slotSize - 8 - bytes.count)
        return bytes + Bytes.little(XXH64.digest(of: bytes))
    }

    static func decode(_ slot: [UInt8]) -> TailRecord? {
        let bytes = Bytes(slot)
        guard slot.count == slotSize, slot.starts(with: magic),
            XXH64.digest(of: Array(slot[..<(slotSize - 8)])) == bytes.u64(slotSize - 8),
            bytes.u64(8) < 1 << 62, bytes.u64(16) <= UInt64(slotSize - 32)
        else { return nil }
        let text = String(decoding: slot[24..<(24 + Int(bytes.u64(16)))], as: UTF8.self)
        return TailRecord(sequence: Int64(bytes.u64(8)), text: text)
    }
}
