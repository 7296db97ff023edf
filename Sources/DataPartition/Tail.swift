import Linux

/// Where the record is kept that must outlive the filesystem (`TailRecord`): in two slots, written by turns, so that a cut while one is being
/// written leaves the other.
///
/// A slot is: magic, sequence, length, the record's text, zeros, and in the last 8 bytes the XXH64 of all before.
///
/// Two places have such slots. The **tail**, the partition's last MiB, which lies behind the filesystems that we make. And the **head**, the
/// partition's first 1024 bytes, which neither ext4 nor f2fs has a use for: where somebody else's filesystem reaches to the partition's end, its last MiB
/// is file contents, not ours to write to; and not to be believed either, since an application could write an order to erase everything there.
enum Tail {
    enum Place: Equatable {
        case tail, head
    }

    static let byteCount: Int64 = 1 << 20
    static let slotSize = 4096
    /// Sectors, so that what comes behind it, the superblock, is never in the same one.
    static let headSlotSize = 512
    /// What the head takes, in bytes.
    static let headCount: Int64 = 1024
    private static let magic = Array("FLTAIL1\n".utf8)
    /// Beside the text: magic, sequence, length, checksum.
    private static let frame = 32

    /// Where it begins: what lies before belongs to the filesystem.
    static func start(on size: Int64) -> Int64 { max(0, size - byteCount) / 4096 * 4096 }

    /// Far enough apart that one erase block of a card's flash does not take both with it.
    static func offset(ofSlot slot: Int64, on size: Int64) -> Int64 { start(on: size) + slot * (byteCount / 2) }

    /// Where the record belongs as the device is now: the tail, unless a filesystem that is whole, or could be made so from a backup
    /// superblock, reaches into it.
    static func place(on device: borrowing some BlockReading & ~Copyable) throws(LinuxError) -> Place {
        let end = start(on: device.size)
        let primary = try Superblock.read(device, at: Superblock.offset)
        if let primary, primary.isIntact { return primary.size > end && !primary.isExternalJournal ? .head : .tail }
        if let other = try F2FS.read(device) { return other.size > end ? .head : .tail }
        for backup in SuperblockPlace.backups(on: device.size) {
            // What cannot be read is no superblock that a repair could take.
            guard let copy = try? Superblock.read(device, at: backup.offset), copy.isBackup(at: backup) else { continue }
            return copy.size > end && copy.size <= device.size ? .head : .tail
        }
        // A torn one, which may yet be put right.
        if let primary, primary.size > end, primary.size <= device.size { return .head }
        return .tail
    }

    /// The newest valid record; an empty one when there is none.
    static func read(_ device: borrowing some BlockReading & ~Copyable) throws(LinuxError) -> TailRecord {
        var newest = TailRecord()
        if device.size < byteCount + 65536 { return newest }
        let head = try device.bytes(at: 0, count: Int(headCount))
        for slot in 0...1 {
            if let record = decode(Array(head[(slot * headSlotSize)..<((slot + 1) * headSlotSize)])), record.sequence > newest.sequence { newest = record }
        }
        if try place(on: device) == .head { return newest }
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
        switch try place(on: device) {
        case .tail:
            try device.write(encode(record, size: slotSize), at: offset(ofSlot: record.sequence & 1, on: device.size))
            // Begun anew, since there was none or it did not answer: no other counts from now on.
            if record.sequence == 1 { try device.write([UInt8](repeating: 0, count: slotSize), at: offset(ofSlot: 0, on: device.size)) }
        case .head:
            try device.write(encode(record, size: headSlotSize), at: (record.sequence & 1) * Int64(headSlotSize))
        }
        try device.sync()
    }

    /// Writes the record into both slots: with an intent left in the older one, the newer one gone bad years later would erase the device.
    static func settle(_ record: inout TailRecord, on device: borrowing BlockDevice) throws(LinuxError) {
        try write(&record, to: device)
        try write(&record, to: device)
        // What an erasure began with, where the filesystem of before reached to the partition's end.
        if try place(on: device) == .tail, try device.bytes(at: 0, count: Int(headCount)).contains(where: { $0 != 0 }) {
            try device.write([UInt8](repeating: 0, count: Int(headCount)), at: 0)
            try device.sync()
        }
    }

    static func encode(_ record: TailRecord, size: Int = slotSize) -> [UInt8] {
        let text = Array(record.text(limit: size - frame).utf8)
        var bytes = magic + Bytes.little(UInt64(record.sequence)) + Bytes.little(UInt64(text.count)) + text
        bytes += [UInt8](repeating: 0, count: size - 8 - bytes.count)
        return bytes + Bytes.little(XXH64.digest(of: bytes))
    }

    static func decode(_ slot: [UInt8]) -> TailRecord? {
        let bytes = Bytes(slot)
        guard slot.count == slotSize || slot.count == headSlotSize, slot.starts(with: magic),
            XXH64.digest(of: Array(slot[..<(slot.count - 8)])) == bytes.u64(slot.count - 8),
            bytes.u64(8) < 1 << 62, bytes.u64(16) <= UInt64(slot.count - frame)
        else { return nil }
        let text = String(decoding: slot[24..<(24 + Int(bytes.u64(16)))], as: UTF8.self)
        return TailRecord(sequence: Int64(bytes.u64(8)), text: text)
    }
}
