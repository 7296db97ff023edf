import Linux

/// Growing the last partition of a disk to the disk's end, in its table and in the kernel: an image that was made for a
/// small card, on a larger one.
///
/// GPT, and the primary partitions of an MBR. At every moment a power cut leaves a table that the kernel finds its
/// partitions by; `GPT` says how.
enum PartitionTable {
    /// For less the table is not touched.
    static let worthGrowing: Int64 = 8 << 20

    /// Partitions end at whole MiB, as every tool makes them begin.
    static func aligned(_ end: Int64) -> Int64 { end / 1_048_576 * 1_048_576 }

    struct Grown {
        /// What the partition has in the table, in bytes.
        let size: Int64
        /// Why the kernel goes on with the old size until the next boot; nil where it has the new one.
        let refusal: LinuxError?
    }

    /// What growing a partition would make of its size, in bytes; nil where there is less than 8 MiB to win and nothing
    /// that a power cut left half done. Reads only.
    /// - Throws: `.refused` for a table that does not allow it, with the reason; `.system`.
    static func plan(_ place: PartitionPlace) throws(DataPartitionError) -> Int64? {
        let disk = try open(place, .read)
        return try plan(place, on: disk)
    }

    /// Does it, and tells the kernel; nil, and nothing written, where `plan` says nil.
    ///
    /// After a power cut the disk has the old table or the new one, the new one only after what `prepare` did.
    /// - Parameter prepare: writes through the whole disk what has to lie at the partition's new end, before the new
    ///   table counts. Not called when the table on the disk has the new size already (a cut, or a kernel that was not told).
    /// - Throws: as `plan` does. After `.system` the disk has a good table, the old or the new one; what is left to do, the next call does.
    static func grow(
        _ place: PartitionPlace, prepare: (borrowing BlockDevice, _ size: Int64) throws(LinuxError) -> Void
    ) throws(DataPartitionError) -> Grown? {
        let disk = try open(place, .write)
        guard let size = try grow(place, on: disk, prepare: prepare) else { return nil }
        var grown = place
        grown.size = size
        do throws(LinuxError) {
            if grown != place { try disk.resizePartition(grown) }
        } catch {
            return Grown(size: size, refusal: error)
        }
        return Grown(size: size, refusal: nil)
    }

    private static func open(
        _ place: PartitionPlace, _ access: BlockDevice.Access
    ) throws(DataPartitionError) -> BlockDevice {
        do throws(LinuxError) {
            return try BlockDevice.open(place.disk, access)
        } catch {
            throw DataPartitionError("grow \(place.text)", error)
        }
    }

    // ---- On any disk ----

    static func plan(
        _ place: PartitionPlace, on disk: borrowing some BlockWriting & ~Copyable
    ) throws(DataPartitionError) -> Int64? {
        try read(place, on: disk).map { $0.end - place.start }
    }

    /// The partition's size in the table then; nil where there was nothing to do.
    static func grow<Disk: BlockWriting & ~Copyable>(
        _ place: PartitionPlace, on disk: borrowing Disk,
        prepare: (borrowing Disk, _ size: Int64) throws(LinuxError) -> Void
    ) throws(DataPartitionError) -> Int64? {
        // After an fsync that failed the cache has what the disk has not (RULES.md S29): it would be built upon.
        disk.dropCache()
        guard let growth = try read(place, on: disk) else { return nil }
        do throws(LinuxError) {
            switch growth.table {
            case .mbr(let mbr):
                if growth.isInTable { break }
                try mbr.grow(place, to: growth.end, on: disk, prepare: prepare)
            case .gpt(var gpt, let mbr):
                if !growth.isInTable { gpt = try gpt.grow(place, to: growth.end, mbr: mbr, on: disk, prepare: prepare) }
                try gpt.bringHome(on: disk)
            }
        } catch {
            throw DataPartitionError("grow \(place.text)", error)
        }
        return growth.end - place.start
    }

    private struct Growth {
        enum Table {
            case mbr(MBR)
            case gpt(GPT, MBR)
        }

        let table: Table
        /// The partition's, in bytes.
        let end: Int64
        /// The table has it.
        let isInTable: Bool

        init(_ table: Table, from old: Int64, to new: Int64) {
            self.table = table
            isInTable = new - old < worthGrowing
            end = isInTable ? old : new
        }
    }

    private static func read(
        _ place: PartitionPlace, on disk: borrowing some BlockWriting & ~Copyable
    ) throws(DataPartitionError) -> Growth? {
        let sectorSize = disk.sectorSize
        let lastBlock = disk.size / sectorSize - 1
        let hasRoom = disk.size - place.end >= worthGrowing
        let first: [UInt8]
        let second: [UInt8]
        do throws(LinuxError) {
            first = try disk.bytes(at: 0, count: Int(sectorSize))
            second = try disk.bytes(at: sectorSize, count: Int(sectorSize))
        } catch {
            throw DataPartitionError("read the partition table of \(disk.path)", error)
        }
        let header = GPTHeader(primary: second, lastBlock: lastBlock)
        // On a disk that is full, which is every boot but the first, nothing more is read; and a table that could not be
        // changed is nobody's trouble.
        if !hasRoom && header?.home == nil { return nil }
        guard let mbr = MBR(first) else { throw place.refused("the disk has no partition table that is known here") }
        if !mbr.hasProtective {
            // What is left of an older table, or the one that some firmware goes by: a guess either way.
            if GPTHeader.hasMagic(second) { throw place.refused("the disk has both an MBR and a GPT") }
            let growth = Growth(.mbr(mbr), from: try mbr.end(of: place), to: mbr.newEnd(of: place, on: disk.size))
            return growth.end - place.end >= worthGrowing ? growth : nil
        }
        guard mbr.isProtective else { throw place.refused("the disk has a hybrid MBR beside its GPT") }
        guard let header else { throw place.refused("the primary header of its GPT is damaged or unusual") }
        let array: [UInt8]
        do throws(LinuxError) {
            array = try disk.bytes(at: header.arrayBlock * sectorSize, count: header.arraySize)
        } catch {
            throw DataPartitionError("read the partition table of \(disk.path)", error)
        }
        guard let gpt = GPT(header, array: array, lastBlock: lastBlock) else {
            throw place.refused("the entries of its GPT are damaged")
        }
        let growth = Growth(.gpt(gpt, mbr), from: try gpt.end(of: place), to: gpt.newEnd)
        guard growth.isInTable || gpt.hasRoomForBackup else {
            throw place.refused("the entries of its GPT are at sector \(header.arrayBlock), where the backup is to be")
        }
        return growth.end - place.end >= worthGrowing || header.home != nil ? growth : nil
    }
}
