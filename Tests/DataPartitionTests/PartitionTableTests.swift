import CLinux
import Linux
import Testing

@testable import DataPartition

/// Partitions that grow to the end of their disk, on loop devices: what the kernel and sfdisk make of the table.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct PartitionTableTests {
    static let gpt = "label: gpt\\nstart=1MiB,size=2MiB,name=boot,attrs=RequiredPartition\\nstart=3MiB,size=8MiB,name=data,attrs=\"GUID:60\"\\n"
    static let mbr = "label: dos\\nstart=1MiB,size=2MiB,type=c,bootable\\nstart=3MiB,size=8MiB\\n"

    /// A disk with that table, made when it had `made` bytes, and its partitions known to the kernel.
    private func disk(_ table: String, made: Int64 = 16 << 20, size: Int64 = 48 << 20, sector: Int = 512) throws -> LoopDisk {
        let disk = try LoopDisk(size: made, sector: sector)
        try disk.partition(by: table)
        if size != made {
            disk.detach()
            try FileDescriptor.open(disk.image, .readWrite).truncate(to: size)
            try disk.attach()
            try disk.addPartitions()
        }
        return disk
    }

    private func place(_ disk: LoopDisk, _ number: Int = 2) throws -> PartitionPlace {
        let node = try #require(try FileSystem.status("\(disk.device)p\(number)"))
        return try #require(try PartitionPlace.find(node.deviceNumber))
    }

    private static func prepare(_ place: PartitionPlace) -> (borrowing BlockDevice, Int64) throws(LinuxError) -> Void {
        { (disk, size) throws(LinuxError) in
            try disk.write([UInt8](repeating: 0x74, count: 4096), at: place.start + size - 4096)
        }
    }

    /// What sfdisk says of everything but the partition that grows and where the disk ends.
    private func rest(_ disk: LoopDisk) throws -> [String] {
        Text.lines(try shell("sfdisk -d \(disk.device) 2>/dev/null").output()).filter { !Text.hasPrefix($0, "last-lba") }
            .map { line in
                if !Text.hasPrefix(line, "\(disk.device)p2") { return line }
                return line.split(separator: ",").filter { !$0.contains("size=") }.joined(separator: ",")
            }
    }

    private func growsTo(_ end: Int64, _ disk: LoopDisk) throws {
        let before = try rest(disk)
        let place = try place(disk)
        #expect(place.disk == disk.device && place.number == 2 && place.start == 3 << 20 && place.size == 8 << 20)
        #expect(try PartitionTable.plan(place) == end - place.start)
        let grown = try #require(try PartitionTable.grow(place, prepare: Self.prepare(place)))
        #expect(grown.size == end - place.start)
        #expect(grown.refusal?.text == nil)
        let now = try self.place(disk)
        #expect(now.start == place.start && now.end == end)
        #expect(try rest(disk) == before)
        let verified = try shell("sfdisk --verify \(disk.device) 2>&1").output()
        #expect(Text.contains(verified, "No errors detected") && !Text.contains(verified, "mismatch") && !Text.contains(verified, "backup"))
        // The kernel took the size, and what was prepared is at the partition's end.
        do {
            let partition = try BlockDevice.open("\(disk.device)p2", .read)
            #expect(partition.size == grown.size)
            #expect(try partition.bytes(at: partition.size - 4096, count: 4096).allSatisfy { $0 == 0x74 })
        }
        #expect(try PartitionTable.plan(now) == nil)
        let checksum = try disk.checksum()
        #expect(try PartitionTable.grow(now, prepare: Self.prepare(now)) == nil)
        #expect(try disk.checksum() == checksum)
        // And from the table alone.
        disk.dropPartitions()
        try disk.addPartitions()
        #expect(try self.place(disk).end == end)
    }

    @Test func growsAnImageThatWasWrittenToALargerCard() throws { try growsTo(47 << 20, disk(Self.gpt)) }

    @Test func growsIntoFreeRoomOfItsDisk() throws { try growsTo(47 << 20, disk(Self.gpt, made: 48 << 20)) }

    @Test func growsOnADiskOfLargeSectors() throws { try growsTo(47 << 20, disk(Self.gpt, sector: 4096)) }

    @Test func growsOnADiskOfAnOddSize() throws { try growsTo(47 << 20, disk(Self.gpt, size: 48 << 20 | 3 * 512)) }

    @Test func growsAPrimaryPartitionOfAnMBR() throws { try growsTo(48 << 20, disk(Self.mbr)) }

    @Test func growsAPrimaryPartitionOfAnMBROfLargeSectors() throws { try growsTo(48 << 20, disk(Self.mbr, sector: 4096)) }

    @Test func growsWhileItAndItsNeighbourAreMounted() throws {
        let disk = try disk(Self.gpt)
        for number in 1...2 {
            let (node, mount) = ("\(disk.device)p\(number)", "\(disk.mount)/../\(number)")
            try shell("mkfs.ext4 -q -b 4096 \(node) && mkdir \(mount) && mount \(node) \(mount) && echo kept > \(mount)/rows").output()
        }
        defer { for number in 1...2 { shell("umount \(disk.mount)/../\(number)") } }
        let place = try place(disk)
        let grown = try #require(try PartitionTable.grow(place, prepare: { (_, _) throws(LinuxError) in }))
        #expect(grown.refusal?.text == nil && grown.size == 44 << 20)
        #expect(try self.place(disk).size == 44 << 20)
        #expect(try BlockDevice.open("\(disk.device)p2", .read).size == 44 << 20)
        for number in 1...2 { try shell("umount \(disk.mount)/../\(number) && e2fsck -fn \(disk.device)p\(number)").output() }
        try shell("resize2fs \(disk.device)p2 && mount \(disk.device)p2 \(disk.mount)/../2 && e2fsck -fn \(disk.device)p1").output()
        #expect(try FileSystem.readText("\(disk.mount)/../2/rows") == "kept\n")
        #expect(try FileSystem.space("\(disk.mount)/../2").total > 36 << 20)
    }

    @Test func aKernelThatRefusesIsToldOfInTheNextCall() throws {
        let disk = try disk(Self.gpt)
        let place = try place(disk)
        try shell("partx -d --nr 2 \(disk.device)").output()
        let grown = try #require(try PartitionTable.grow(place, prepare: Self.prepare(place)))
        #expect(grown.size == 44 << 20 && grown.refusal?.operation == "BLKPG")
        // As a worker finds it that begins anew in the same boot: the table has the new size, the kernel the old.
        try shell("partx -a --nr 2 \(disk.device)").output()
        try BlockDevice.open(disk.device, .write).resizePartition(place)
        #expect(try self.place(disk) == place)
        #expect(try PartitionTable.plan(place) == 44 << 20)
        let checksum = try disk.checksum()
        let again = try #require(try PartitionTable.grow(place) { (_, _) throws(LinuxError) in Issue.record("prepared again") })
        #expect(again.size == 44 << 20 && again.refusal?.text == nil)
        #expect(try self.place(disk).size == 44 << 20)
        #expect(try disk.checksum() == checksum)
    }

    @Test func findsNoPlaceForAWholeDisk() throws {
        let disk = try LoopDisk()
        let node = try #require(try FileSystem.status(disk.device))
        #expect(try PartitionPlace.find(node.deviceNumber) == nil)
    }

    // ---- Left as it is ----

    private func isLeftAlone(_ disk: LoopDisk, _ place: PartitionPlace, because why: String) throws {
        let checksum = try disk.checksum()
        for step in 0...1 {
            let error = #expect(throws: DataPartitionError.self) {
                _ = try step == 0 ? PartitionTable.plan(place).map { _ in } : PartitionTable.grow(place, prepare: Self.prepare(place)).map { _ in }
            }
            #expect(error?.kind == .refused)
            #expect(Text.contains(error?.text ?? "", why), "\(error?.text ?? "")")
        }
        #expect(try disk.checksum() == checksum)
    }

    @Test(arguments: [gpt, mbr]) func refusesAPartitionThatIsNotTheLast(_ table: String) throws {
        let disk = try disk(table)
        try isLeftAlone(disk, place(disk, 1), because: "partition 2 is behind it")
    }

    @Test func refusesAHybridMBR() throws {
        let disk = try disk(Self.gpt)
        let place = try place(disk)
        var mbr = try disk.read(512, at: 0)
        mbr.replaceSubrange(462..<478, with: [0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x40, 0, 0])
        try disk.write(mbr, at: 0)
        try isLeftAlone(disk, place, because: "a hybrid MBR")
    }

    @Test func refusesAnMBRWithAGPTBesideIt() throws {
        let disk = try disk(Self.gpt)
        let place = try place(disk)
        var mbr = try disk.read(512, at: 0)
        mbr[450] = 0x83
        try disk.write(mbr, at: 0)
        try isLeftAlone(disk, place, because: "both an MBR and a GPT")
    }

    @Test func refusesALogicalPartitionAndItsExtendedOne() throws {
        let disk = try disk("label: dos\\nstart=1MiB,size=2MiB\\nstart=3MiB,size=8MiB,type=5\\nstart=4MiB,size=4MiB\\n")
        let logical = PartitionPlace(disk: disk.device, number: 5, start: 4 << 20, size: 4 << 20)
        try isLeftAlone(disk, logical, because: "a logical partition")
        let extended = PartitionPlace(disk: disk.device, number: 2, start: 3 << 20, size: 8 << 20)
        try isLeftAlone(disk, extended, because: "an extended partition")
    }

    @Test(arguments: [16, 24, 40, 72, 88, 1024 - 512 + 128, 1024 - 512 + 200])
    func refusesADamagedGPT(_ offset: Int) throws {
        let disk = try disk(Self.gpt)
        let place = try place(disk)
        var bytes = try disk.read(1024, at: 512)
        bytes[offset] ^= 0x10
        try disk.write(bytes, at: 512)
        try isLeftAlone(disk, place, because: "damaged")
    }

    @Test(arguments: [gpt, mbr]) func refusesWhatTheKernelHasOtherwise(_ table: String) throws {
        let disk = try disk(table)
        var place = try place(disk)
        place.size += 512
        try isLeftAlone(disk, place, because: "otherwise than the kernel")
        let moved = PartitionPlace(disk: place.disk, number: 2, start: place.start + 512, size: place.size - 1024)
        try isLeftAlone(disk, moved, because: "otherwise than the kernel")
        let other = PartitionPlace(disk: place.disk, number: 3, start: place.start, size: place.size - 512)
        try isLeftAlone(disk, other, because: "otherwise than the kernel")
    }

    @Test func refusesADiskWithoutATable() throws {
        let disk = try LoopDisk()
        let place = PartitionPlace(disk: disk.device, number: 1, start: 1 << 20, size: 8 << 20)
        try isLeftAlone(disk, place, because: "no partition table")
    }

    @Test(arguments: [gpt, mbr]) func leavesADiskAloneWithLittleToWin(_ table: String) throws {
        let disk = try disk(table, made: 12 << 20, size: 18 << 20)
        let place = try place(disk)
        let checksum = try disk.checksum()
        #expect(try PartitionTable.plan(place) == nil)
        #expect(try PartitionTable.grow(place, prepare: Self.prepare(place)) == nil)
        #expect(try disk.checksum() == checksum)
    }

    // ---- Cut short ----

    /// Of what every cut leaves, in PartitionTableCutTests, some before the eyes of sfdisk and of the kernel: itself where it knows the table's
    /// kind, else told by partx, which reads it as libblkid does.
    @Test(arguments: [512, 4096]) func isFoundByOthersAfterACut(_ sector: Int) throws {
        let image = TableImage(sectorSize: Int64(sector))
        let whole = CutDisk(image.sectors, size: image.size, sectorSize: image.sectorSize)
        _ = try PartitionTableCutTests.grow(image, on: whole)
        let disk = try LoopDisk(size: image.size, sector: sector)
        var states: [Sectors] = []
        var all = 0
        PowerCuts(start: image.sectors, epochs: whole.epochs, exhaustive: 2).forEach { state, epoch in
            all += 1
            // Most are of the backup being written.
            if state != states.last && all % (epoch == 1 ? 17 : 3) == 0 { states.append(state) }
        }
        for state in states {
            disk.dropPartitions()
            try shell("blkdiscard -z \(disk.device)").output()
            // All sectors in one write each: few are there.
            let file = try FileDescriptor.open(disk.device, .readWrite)
            for (number, bytes) in state {
                try bytes.withUnsafeBytes { try file.write($0, at: number * 512) }
            }
            try file.sync()
            shell("blockdev --rereadpt \(disk.device)")
            if !FileSystem.exists("\(disk.device)p1") { try disk.addPartitions() }
            let found = try [1, 2].map { try place(disk, $0) }
            let rule = try #require(KernelRule.partitions(state, size: image.size, sectorSize: image.sectorSize))
            #expect(found.map(\.size) == rule.map { Int64($0.size) * 512 })
            #expect(found.map(\.start) == rule.map { Int64($0.start) * 512 })
            let grown = try PartitionTable.grow(found[1], prepare: Self.prepare(found[1]))
            #expect(grown == nil ? found[1].size == image.grown : grown?.size == image.grown && grown?.refusal?.text == nil)
            #expect(try place(disk).size == image.grown)
            let verified = try shell("sfdisk --verify \(disk.device) 2>&1").output()
            #expect(Text.contains(verified, "No errors detected") && !Text.contains(verified, "mismatch"))
        }
    }
}
