import CLinux
import Linux
import Testing

@testable import DataPartition

/// The power goes at every moment while a partition table is being changed, and calls fail.
struct PartitionTableCutTests {
    static let images: [(String, TableImage)] = [
        ("a larger card", TableImage()),
        ("free room", TableImage(made: 128 << 20)),
        ("few entries", TableImage(entries: 8)),
        ("entries that end in the middle of a sector", TableImage(entries: 5, bootloader: 4...40)),
        ("4096-byte sectors", TableImage(sectorSize: 4096)),
        ("entries behind a bootloader", TableImage(home: 96, bootloader: 2...80)),
        ("entries that fill their last sector", TableImage(
            made: 256 << 20, size: 320 << 20, partitions: (0..<128).map { ($0 + 1, $0 == 127 ? 24 : 1) }, bootloader: 34...40)),
        ("an MBR", TableImage(isGPT: false)),
        ("an MBR of 4096-byte sectors", TableImage(sectorSize: 4096, isGPT: false)),
    ]

    /// What the caller writes where the partition will end: the tail.
    static func tail(_ image: TableImage) -> [UInt8] { [UInt8](repeating: 0x74, count: max(1024, Int(image.sectorSize))) }

    static func prepare(_ image: TableImage) -> (borrowing CutDisk, Int64) throws(LinuxError) -> Void {
        { (disk, size) throws(LinuxError) in
            try disk.write(tail(image), at: image.place.start + size - (1 << 20))
        }
    }

    static func grow(_ image: TableImage, on disk: CutDisk) throws -> Int64? {
        // What the kernel has is what it found at boot: the size that the table has now.
        var place = image.place
        let found = try #require(KernelRule.partitions(disk.device, size: image.size, sectorSize: image.sectorSize)?.last)
        place.size = Int64(found.size) * 512
        return try PartitionTable.grow(place, on: disk, prepare: prepare(image))
    }

    /// The kernel finds every partition: those that do not grow as they were, the last with its old size, or its new one and
    /// what belongs there. Says what is wrong.
    static func fault(_ state: Sectors, _ image: TableImage) -> String? {
        guard let found = KernelRule.partitions(state, size: image.size, sectorSize: image.sectorSize) else { return "no table" }
        guard let was = KernelRule.partitions(image.sectors, size: image.size, sectorSize: image.sectorSize),
            found.count == was.count, found.dropLast() == was.dropLast()
        else { return "other partitions" }
        let (last, old) = (found[found.count - 1], was[was.count - 1])
        guard last.number == old.number, last.start == old.start else { return "another start" }
        if last.size != old.size {
            if Int64(last.size) * 512 != image.grown { return "size \(last.size)" }
            if state.bytes(at: image.place.start + image.grown - (1 << 20), count: tail(image).count) != tail(image) { return "no tail" }
        }
        if image.isGPT, state[image.lastArraySector]?.suffix(384) != image.sectors[image.lastArraySector]?.suffix(384), image.entries % 4 != 0 {
            return "bytes behind the entries"
        }
        if let bootloader = image.bootloader, bootloader.contains(where: { state[$0] != image.sectors[$0] }) { return "no bootloader" }
        return nil
    }

    /// It is over: the new size, nothing left to do, and all of it in order.
    static func unfinished(_ state: Sectors, _ image: TableImage) throws -> String? {
        if let fault = fault(state, image) { return fault }
        guard let last = KernelRule.partitions(state, size: image.size, sectorSize: image.sectorSize)?.last,
            Int64(last.size) * 512 == image.grown
        else { return "the old size" }
        var place = image.place
        place.size = image.grown
        let disk = CutDisk(state, size: image.size, sectorSize: image.sectorSize)
        if try PartitionTable.plan(place, on: disk) != nil { return "something left to do" }
        if !image.isGPT { return nil }
        let sector = image.sectorSize
        let last_ = image.size / sector - 1
        let header = state.bytes(at: sector, count: Int(sector))
        if KernelRule.number(header, 72, 8) != UInt64(image.home) { return "entries elsewhere" }
        if KernelRule.number(header, 32, 8) != UInt64(last_) { return "backup elsewhere" }
        if KernelRule.number(header, 48, 8) != UInt64(last_ - image.arrayBlocks - 1) { return "last usable sector" }
        if header[92...].contains(where: { $0 != 0 }) { return "something behind the header" }
        if KernelRule.number(state.bytes(at: 0, count: 512), 458, 4) != UInt64(last_) { return "the protective MBR's size" }
        // The backup, as the kernel would take it with `gpt` on its command line.
        var other = state
        var backup = state.bytes(at: last_ * sector, count: Int(sector))
        guard KernelRule.number(backup, 24, 8) == UInt64(last_), KernelRule.number(backup, 32, 8) == 1 else { return "backup's places" }
        Bytes.put(1, 8, at: 24, in: &backup)
        Bytes.put(0, 4, at: 16, in: &backup)
        let sum = KernelRule.crc(Array(backup[..<92]))
        Bytes.put(sum, 4, at: 16, in: &backup)
        other.put(backup, at: sector)
        guard KernelRule.number(backup, 72, 8) == UInt64(last_ - image.arrayBlocks),
            KernelRule.partitions(other, size: image.size, sectorSize: sector)
                == KernelRule.partitions(state, size: image.size, sectorSize: sector)
        else { return "the backup's entries" }
        return nil
    }

    @Test(arguments: images.indices)
    func growsToTheEnd(_ index: Int) throws {
        let image = Self.images[index].1
        let disk = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
        #expect(Self.fault(disk.device, image) == nil)
        #expect(try PartitionTable.plan(image.place, on: disk) == image.grown)
        #expect(try Self.grow(image, on: disk) == image.grown)
        #expect(disk.epochs.last?.isEmpty == true)
        #expect(try Self.unfinished(disk.device, image) == nil)
        // Only the tables, the tail, and of the entries only what differs.
        let written = Set(disk.epochs.flatMap { $0.map(\.sector) })
        let scale = image.sectorSize / 512
        let tail = (image.place.start + image.grown - (1 << 20)) / 512
        let backup = image.size / 512 - (image.arrayBlocks + 1) * scale
        let entry = image.home * scale + (image.place.number - 1) * 128 / image.sectorSize * scale
        let tables = 0..<scale * 2
        #expect(written.allSatisfy { tables.contains($0) || (tail..<tail + 8).contains($0) || $0 >= backup || (entry..<entry + scale).contains($0) })
        #expect(try Self.grow(image, on: disk) == nil)
    }

    @Test(arguments: images.indices)
    func everyPowerCutLeavesEveryPartitionAndIsMadeUpFor(_ index: Int) throws {
        let image = Self.images[index].1
        let disk = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
        _ = try Self.grow(image, on: disk)
        try PowerCuts(start: image.sectors, epochs: disk.epochs).forEach { state, epoch in
            if let fault = Self.fault(state, image) { Issue.record("after \(epoch) syncs: \(fault)"); return }
            let again = CutDisk(state, size: image.size, sectorSize: image.sectorSize)
            _ = try Self.grow(image, on: again)
            if let fault = try Self.unfinished(again.device, image) { Issue.record("again after \(epoch) syncs: \(fault)") }
        }
    }

    /// The power goes again while the first cut is being made up for.
    @Test(arguments: images.indices)
    func everySecondPowerCutToo(_ index: Int) throws {
        let image = Self.images[index].1
        let disk = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
        _ = try Self.grow(image, on: disk)
        var states = 0
        try PowerCuts(start: image.sectors, epochs: disk.epochs, exhaustive: 3, isShort: true).forEach { state, epoch in
            let again = CutDisk(state, size: image.size, sectorSize: image.sectorSize)
            _ = try Self.grow(image, on: again)
            try PowerCuts(start: state, epochs: again.epochs, exhaustive: 3, isShort: true).forEach { second, secondEpoch in
                states += 1
                if let fault = Self.fault(second, image) { Issue.record("after \(epoch) and \(secondEpoch) syncs: \(fault)"); return }
                if states % 31 != 0 { return }
                let third = CutDisk(second, size: image.size, sectorSize: image.sectorSize)
                _ = try Self.grow(image, on: third)
                if let fault = try Self.unfinished(third.device, image) { Issue.record("third time: \(fault)") }
            }
        }
    }

    /// An image of a card that lost power half way, on a still larger card.
    @Test func aHalfDoneTableOnAnotherDiskIsFinishedThere() throws {
        for (_, image) in Self.images where image.isGPT && image.size > image.made {
            let disk = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
            _ = try Self.grow(image, on: disk)
            for size in [image.size + (1 << 20), image.size + (8 << 20), image.size + (64 << 20)] {
                var larger = image
                larger.size = size
                // Cuts of the second run are held against what the first left: its size is the old one there.
                try PowerCuts(start: image.sectors, epochs: disk.epochs, exhaustive: 3, isShort: true).forEach { state, _ in
                    let again = CutDisk(state, size: size, sectorSize: image.sectorSize)
                    let old = KernelRule.partitions(state, size: size, sectorSize: image.sectorSize)
                    let grown = try Self.grow(larger, on: again)
                    let isWorthIt = old?.last.map { larger.grown - Int64($0.size) * 512 >= 8 << 20 } == true
                    if isWorthIt { #expect(try grown == larger.grown && Self.unfinished(again.device, larger) == nil) }
                    PowerCuts(start: state, epochs: again.epochs, exhaustive: 3, isShort: true).forEach { second, _ in
                        let found = KernelRule.partitions(second, size: size, sectorSize: image.sectorSize)
                        if found?.dropLast() != old?.dropLast() || found == nil { Issue.record("lost") }
                    }
                    #expect(again.device[1]?[480...].allSatisfy { $0 == 0 } != false)
                }
            }
        }
    }

    /// What the check is worth: the order in which sfdisk writes (2.38, by strace) does not pass it.
    @Test func findsWhatIsWrongWithTheOrderOfSfdisk() throws {
        let image = TableImage()
        let end = CutDisk(image.sectors, size: image.size)
        _ = try Self.grow(image, on: end)
        let sfdisk = CutDisk(image.sectors, size: image.size)
        try sfdisk.write(Self.tail(image), at: image.place.start + image.grown - (1 << 20))
        try sfdisk.sync()
        let backup = image.size - 33 * 512
        for (offset, count) in [(backup, 32 * 512), (image.size - 512, 512), (1024, 32 * 512), (512, 512), (0, 512)] as [(Int64, Int)] {
            try sfdisk.write(end.device.bytes(at: offset, count: count), at: offset)
            try sfdisk.sync()
        }
        #expect(try Self.unfinished(sfdisk.device, image) == nil)
        var faults: [String] = []
        PowerCuts(start: image.sectors, epochs: sfdisk.epochs).forEach { state, epoch in
            if let fault = Self.fault(state, image) { faults.append("\(epoch): \(fault)") }
        }
        #expect(!faults.isEmpty && faults.allSatisfy { $0 == "3: no table" || $0 == "4: no table" })
    }

    @Test(arguments: images.indices)
    func everyCallThatFailsIsMadeUpFor(_ index: Int) throws {
        let image = Self.images[index].1
        let whole = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
        _ = try Self.grow(image, on: whole)
        for fault in 0..<whole.calls {
            let disk = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
            disk.fault = fault
            let error = #expect(throws: DataPartitionError.self) { try Self.grow(image, on: disk) }
            #expect(error?.kind == .system && error?.code == EIO)
            #expect(Self.fault(disk.device, image) == nil)
            // In the same boot, with what the cache had kept of it; the kernel has the size of before.
            _ = try PartitionTable.grow(image.place, on: disk, prepare: Self.prepare(image))
            #expect(try Self.unfinished(disk.device, image) == nil)
            PowerCuts(start: image.sectors, epochs: disk.epochs, exhaustive: 3, isShort: true).forEach { state, _ in
                if let fault = Self.fault(state, image) { Issue.record("\(fault)") }
            }
        }
    }

    /// A card that forgets: nothing is built upon what it does not have.
    @Test(arguments: images.indices)
    func everyWriteThatIsLostIsNoticed(_ index: Int) throws {
        let image = Self.images[index].1
        let whole = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
        _ = try Self.grow(image, on: whole)
        var noticed = 0
        for lost in 0..<whole.calls {
            let disk = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
            disk.lost = lost
            // What the caller prepares is the caller's to look at.
            let prepare = { (_: borrowing CutDisk, _: Int64) throws(LinuxError) in }
            do {
                _ = try PartitionTable.grow(image.place, on: disk, prepare: prepare)
            } catch {
                noticed += 1
                #expect(Text.contains(error.text, "read back"))
            }
            var tail = disk.device
            tail.put(Self.tail(image), at: image.place.start + image.grown - (1 << 20))
            #expect(Self.fault(tail, image) == nil)
            _ = try PartitionTable.grow(image.place, on: disk, prepare: prepare)
            tail = disk.device
            tail.put(Self.tail(image), at: image.place.start + image.grown - (1 << 20))
            #expect(try Self.unfinished(tail, image) == nil)
        }
        #expect(noticed == (!image.isGPT ? 1 : image.made == image.size ? 4 : 5))
    }

    /// Tables that are valid, and in which there is no place for what would be written.
    @Test func refusesATableWithoutRoomForItself() throws {
        let image = TableImage()
        let header = try #require(image.sectors[1].flatMap { GPTHeader(primary: $0, lastBlock: 262_143) })
        let array = image.sectors.bytes(at: 1024, count: 128 * 128)
        func refusal(_ change: (inout GPTHeader) -> Void) throws -> String {
            var changed = header
            change(&changed)
            var sectors = image.sectors
            sectors.put(array, at: changed.arrayBlock * 512)
            sectors.put(changed.sealed(for: array).sector, at: 512)
            #expect(KernelRule.partitions(sectors, size: image.size, sectorSize: 512)?.count == 2)
            let disk = CutDisk(sectors, size: image.size)
            let error = #expect(throws: DataPartitionError.self) { try Self.grow(image, on: disk) }
            #expect(disk.epochs.allSatisfy { $0.isEmpty } && error?.kind == .refused)
            return error?.text ?? ""
        }
        // Between partitions; shared with a backup, as a tool might leave it; where a later backup is to be.
        for block: Int64 in [2040, 100_000, 262_111] {
            #expect(Text.contains(try refusal { $0.arrayBlock = block }, "where others' data may be"))
        }
        #expect(Text.contains(try refusal { $0.arrayBlock = 262_100; $0.home = 2 }, "where the backup is to be"))
        #expect(Text.contains(try refusal { $0.arrayBlock = 100_000; $0.home = 2040 }, "where others' data may be"))
        #expect(Text.contains(try refusal { $0.setFirstUsable(20_000) }, "otherwise than the kernel"))
        #expect(Text.contains(try refusal { $0.setForeignNote() }, "something unknown"))
    }

    /// Fields of any value, with checksums that fit: nothing traps, and nothing is written outside the table's own places.
    @Test func takesNothingOnTrust() throws {
        var random = SplitMix(state: 7)
        let image = TableImage(entries: 8)
        let values: [UInt64] = [0, 1, 2, 3, 33, 34, 64, 2048, 131_071, 131_072, 262_143, 262_144, 1 << 31, 1 << 55, 1 << 62, 1 << 63, .max]
        var grown = 0
        for _ in 0..<3000 {
            var sectors = image.sectors
            var header = try #require(sectors[1])
            var array = sectors.bytes(at: 1024, count: 1024)
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let value = values.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: Bytes.put(value, 8, at: [24, 32, 40, 48, 72].randomElement(using: &random) ?? 24, in: &header)
                case 1: Bytes.put(value, 4, at: [12, 80, 84].randomElement(using: &random) ?? 12, in: &header)
                default: Bytes.put(value, 8, at: Int.random(in: 0..<4, using: &random) * 128 + 32 + 8 * Int.random(in: 0..<2, using: &random), in: &array)
                }
            }
            Bytes.put(KernelRule.crc(Array(array[..<(Int(min(8, KernelRule.number(header, 80, 4))) * 128)])), 4, at: 88, in: &header)
            if Bool.random(using: &random), let note = GPTHeader(primary: image.sectors[1] ?? [], lastBlock: 262_143) {
                var note = note
                note.home = Int64(bitPattern: (values.randomElement(using: &random) ?? 0) >> 1)
                header.replaceSubrange(480..<512, with: note.sector[480...])
            }
            Bytes.put(0, 4, at: 16, in: &header)
            let length = Int(min(512, KernelRule.number(header, 12, 4)))
            Bytes.put(KernelRule.crc(Array(header[..<length])), 4, at: 16, in: &header)
            sectors.put(header, at: 512)
            sectors.put(array, at: 1024)
            let before = KernelRule.partitions(sectors, size: image.size, sectorSize: 512)
            let disk = CutDisk(sectors, size: image.size)
            do {
                if try PartitionTable.grow(image.place, on: disk, prepare: Self.prepare(image)) != nil { grown += 1 }
            } catch {
                #expect(disk.epochs.allSatisfy { $0.isEmpty })
                continue
            }
            PowerCuts(start: sectors, epochs: disk.epochs, exhaustive: 0, isShort: true).forEach { state, _ in
                let after = KernelRule.partitions(state, size: image.size, sectorSize: 512)
                if before != nil && after?.filter({ $0.number != 2 }) != before?.filter({ $0.number != 2 }) { Issue.record("\(before as Any) \(after as Any)") }
            }
        }
        #expect(grown > 300)
    }
}

extension GPTHeader {
    mutating func setFirstUsable(_ block: Int64) { change { Bytes.put(UInt64(block), 8, at: 40, in: &$0) } }
    mutating func setForeignNote() { change { $0[490] = 1 } }

    private mutating func change(_ body: (inout [UInt8]) -> Void) {
        var bytes = sector
        body(&bytes)
        Bytes.put(0, 4, at: 16, in: &bytes)
        Bytes.put(KernelRule.crc(Array(bytes[..<92])), 4, at: 16, in: &bytes)
        if let header = GPTHeader(primary: bytes, lastBlock: 262_143) { self = header }
    }
}
