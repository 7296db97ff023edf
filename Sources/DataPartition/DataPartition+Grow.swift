internal import CLinux
import Linux

/// Into free room: an image that was made for a small card, on a larger one. The partition first, before anything is looked at on it; then,
/// mounted, the filesystem.
extension DataPartition {
    /// In bytes: what is less is not worth the writing.
    private static let worthGrowing: Int64 = 1 << 20

    /// Moves the partition's end to its disk's, where it is the last one and at least 8 MiB are won. A power cut leaves the old table or the new one.
    ///
    /// The record goes first to where the new tail will be. Nothing is grown while something begun, or asked for, is on record: that comes first.
    mutating func growPartition(_ path: String) {
        do throws(LinuxError) {
            let device = try BlockDevice.open(path, .read)
            guard let place = try PartitionPlace.find(device.number) else { return }
            let record = try Tail.read(device)
            if record.intent != nil || record.request != nil { return }
            growPartition(path, place, record)
        } catch {
            note(.grow, "failed", "\(error.text); the partition is used as it is")
        }
    }

    private mutating func growPartition(_ path: String, _ place: PartitionPlace, _ record: TailRecord) {
        do throws(DataPartitionError) {
            guard let size = try PartitionTable.plan(place) else { return }
            reporter.progress(.working, "grow \(place.text) to \(size >> 20) MiB")
            let grown = try PartitionTable.grow(place) { (disk, size) throws(LinuxError) in
                // Both slots: what an earlier life of the card has left there is no record of this one.
                for slot: Int64 in 0...1 {
                    var copy = record
                    copy.sequence += slot
                    // Where the kernel goes on with the old size, that it is in use is noted in the old place.
                    copy.isUnused = false
                    let bytes = record.sequence == 0 ? [UInt8](repeating: 0, count: Tail.slotSize) : Tail.encode(copy)
                    try disk.write(bytes, at: place.start + Tail.offset(ofSlot: copy.sequence & 1, on: size))
                }
            }
            guard let grown else { return }
            if let refusal = grown.refusal {
                note(.grow, "failed", "\(place.text) has \(grown.size >> 20) MiB from the next boot on; the kernel goes on with what it was: \(refusal.text)")
            } else {
                note(.grow, "ok", "\(place.text) from \(place.size >> 20) to \(grown.size >> 20) MiB")
            }
        } catch {
            note(.grow, error.kind == .refused ? "refused" : "failed", error.text)
        }
    }

    /// Grows a mounted ext4 that ends long before its partition, less the tail, does: its image was made for a smaller card, or what was salvaged lay
    /// there. The kernel does it in steps that each leave a filesystem; cut short it is done at the next boot, and that it does not go is only told.
    mutating func grow(_ path: String) {
        guard let device = try? BlockDevice.open(path, .read), let found = try? Superblock.read(device, at: Superblock.offset) else { return }
        let end = Tail.start(on: device.size)
        guard settings.grow != .no, found.isIntact, end - found.size >= Self.worthGrowing, let root = try? FileDescriptor.open(mountPoint, .directory)
        else { return }
        reporter.progress(.working, "grow \(path)")
        let code = linux_ext4_grow(root.raw, UInt64(end / found.blockSize))
        if code != 0 {
            note(.grow, "failed", "\(path) to its partition: \(LinuxError.name(code)); it is used as it is")
        } else {
            note(.grow, "ok", "\(path) from \(found.size >> 20) to \(end >> 20) MiB")
        }
    }
}
