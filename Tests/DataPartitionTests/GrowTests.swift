import CLinux
import Linux
import Testing

@testable import DataPartition

/// `grow = partition`, as a boot does it: the record moves along, and what was on the partition stays.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct GrowTests {
    private static let table = "label: gpt\\nstart=1MiB,size=2MiB,name=boot\\nstart=3MiB,size=32MiB,name=data\\n"

    /// A card that an image for a card of 36 MiB was written to.
    private func card() throws -> LoopDisk {
        let disk = try LoopDisk(size: 36 << 20)
        try disk.partition(by: Self.table)
        return disk
    }

    /// On a larger one, after a restart.
    private func restart(_ disk: LoopDisk, size: Int64) throws {
        disk.detach()
        try FileDescriptor.open(disk.image, .readWrite).truncate(to: size)
        try disk.attach()
        try disk.addPartitions()
    }

    private func partition(_ disk: LoopDisk, _ grow: GrowPolicy = .partition) -> DataPartition {
        disk.partition(.path("\(disk.device)p2")) { $0.grow = grow }
    }

    private func size(_ disk: LoopDisk) throws -> Int64 { try BlockDevice.open("\(disk.device)p2", .read).size }

    private func record(_ disk: LoopDisk) throws -> TailRecord { try Tail.read(BlockDevice.open("\(disk.device)p2", .read)) }

    @Test func aBlankPartitionGrowsBeforeItIsFormatted() throws {
        let disk = try card()
        try restart(disk, size: 128 << 20)
        var first = partition(disk)
        #expect(try first.bringUp().actions.map { "\($0.rung.text) \($0.result)" } == ["grow ok", "format ok", "mount ok"])
        #expect(try size(disk) == 124 << 20)
        disk.unmount()
        let made = try #require(try Superblock.read(BlockDevice.open("\(disk.device)p2", .read), at: Superblock.offset))
        #expect(made.size == 123 << 20)
        var second = partition(disk)
        #expect(try second.bringUp().actions.map { "\($0.rung.text) \($0.result)" } == ["clean ok", "mount ok"])
        disk.unmount()
    }

    @Test func theRecordAndTheFilesMoveAlong() throws {
        let disk = try card()
        var first = partition(disk)
        try first.wipe(reason: "button")
        _ = try first.bringUp()
        disk.put("rows", "kept")
        disk.unmount()
        let before = try record(disk)
        // An earlier life of the card had its tail where the new one will be, with something to be done.
        try restart(disk, size: 128 << 20)
        var stale = TailRecord()
        stale.sequence = 1000
        stale.intent = TailRecord.Intent(operation: .wipe, stage: .erase, reason: "another life")
        for slot: Int64 in 0...1 { try disk.write(Tail.encode(stale), at: 3 << 20 + Tail.offset(ofSlot: slot, on: 124 << 20)) }

        var second = partition(disk)
        let report = try second.bringUp()
        #expect(report.rungs == "clean ok, mount ok" && report.actions.first?.rung == .grow && report.actions.first?.result == "ok")
        #expect(disk.get("rows") == "kept" && report.resets == 1 && report.history == before.history)
        disk.unmount()
        #expect(try size(disk) == 124 << 20)
    }

    /// What was begun, or asked for, comes first: its record must not lie in two places.
    @Test func nothingGrowsWhileSomethingIsToBeDone() throws {
        let disk = try card()
        var first = partition(disk)
        _ = try first.bringUp()
        try first.requestReset(reason: "firstlightctl")
        disk.unmount()
        try restart(disk, size: 128 << 20)
        var second = partition(disk)
        #expect(try second.bringUp().rungs == "wipe ok, mount ok")
        #expect(try size(disk) == 32 << 20)
        disk.unmount()
        var third = partition(disk)
        #expect(try third.bringUp().resets == 1)
        #expect(try size(disk) == 124 << 20)
        disk.unmount()
    }

    @Test func growsNothingThatWasNotAskedFor() throws {
        for policy in [GrowPolicy.no, .filesystem] {
            let disk = try card()
            try restart(disk, size: 128 << 20)
            var first = partition(disk, policy)
            _ = try first.bringUp()
            #expect(try size(disk) == 32 << 20)
            disk.unmount()
        }
    }

    @Test func aTableThatDoesNotAllowItIsToldAndUsed() throws {
        let disk = try card()
        try restart(disk, size: 128 << 20)
        var partition = disk.partition(.path("\(disk.device)p1")) { $0.grow = .partition }
        // Not the last; and too small for a filesystem and its tail, which is another matter.
        _ = try? partition.bringUp()
        #expect(partition.actions.first?.rung == .grow && partition.actions.first?.result == "refused")
        disk.unmount()
    }
}
