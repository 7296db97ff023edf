import Linux
import Testing

@testable import DataPartition

/// Factory resets, whole and cut short.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct WipeTests {
    private func record(_ disk: LoopDisk) throws -> TailRecord {
        try Tail.read(BlockDevice.open(disk.device, .read))
    }

    @Test func wipesAMountedPartition() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        _ = try partition.bringUp()
        disk.put("rows", "secret")
        try partition.wipe(reason: "button")
        #expect(!disk.isMounted)
        let report = try partition.bringUp()
        #expect(report.wiped && report.formatted && disk.get("rows") == nil)
        let tail = try record(disk)
        #expect(tail.resets == 1 && tail.intent == nil)
    }

    @Test(arguments: ["erased", "announced mkfs", "made"])
    func finishesAWipeThatWasCutShort(_ stage: String) throws {
        let disk = try LoopDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        disk.put("rows", "secret")
        disk.unmount()
        first.afterStage = { (reached) throws(DataPartitionError) in
            if reached == stage { throw DataPartitionError(.system, "cut") }
        }
        #expect(throws: DataPartitionError.self) { try first.wipe(reason: "button") }
        #expect(try record(disk).intent?.reason == "button")

        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.rungs == "resume ok, wipe ok, mount ok")
        #expect(report.wiped && !report.unclean && disk.get("rows") == nil)
        let tail = try record(disk)
        #expect(tail.intent == nil && tail.resets == 1)
    }

    @Test func wipesAfterTheIntentAlone() throws {
        let disk = try LoopDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        disk.put("rows", "secret")
        disk.unmount()
        // The cut fell right behind the intent: the filesystem is whole.
        do {
            let device = try BlockDevice.open(disk.device, .exclusive)
            var tail = try Tail.read(device)
            tail.resets += 1
            tail.intent = TailRecord.Intent(operation: .wipe, stage: .erase, reason: "button")
            try Tail.write(&tail, to: device)
        }
        var second = disk.partition()
        #expect(try second.bringUp().wiped)
        #expect(disk.get("rows") == nil)
    }

    /// A filesystem of 1 KiB blocks has backups where the one made here has none (RULES.md F13).
    private func makeSmallBlocks(on disk: LoopDisk) throws {
        try shell("mkfs.ext4 -q -F -b 1024 \(disk.device)").output()
        #expect(try Superblock.hasMagic(disk.read(1024, at: 8193 * 1024)))
    }

    private func expectNoOldSuperblock(on disk: LoopDisk) throws {
        let device = try BlockDevice.open(disk.device, .read)
        for place in SuperblockPlace.backups(on: device.size) where place.blockSize == 1024 {
            #expect(!Superblock.hasMagic(try device.bytes(at: place.offset, count: 1024)), "block \(place.block)")
        }
    }

    @Test func leavesNoOldSuperblockForARepairToFind() throws {
        let disk = try LoopDisk()
        try makeSmallBlocks(on: disk)
        var partition = disk.partition()
        try partition.wipe(reason: "button")
        try expectNoOldSuperblock(on: disk)
        #expect(shell("e2fsck -f -y -b 8193 -B 1024 \(disk.device)").code >= 8)
    }

    @Test func leavesNoneWhereNothingIsDiscarded() throws {
        let disk = try LoopDisk()
        try makeSmallBlocks(on: disk)
        try shell("mkswap -f \(disk.device)").output()
        var partition = disk.partition(format: .always)
        #expect(try partition.bringUp().formatted)
        try expectNoOldSuperblock(on: disk)
    }

    @Test func finishesAFormatThatWasCutShortEvenWhereOnlyBlankIsFormatted() throws {
        let disk = try LoopDisk()
        var first = disk.partition(format: .ifBlank)
        first.afterStage = { (reached) throws(DataPartitionError) in
            if reached == "announced mkfs" { throw DataPartitionError(.system, "cut") }
        }
        #expect(throws: DataPartitionError.self) { try first.bringUp() }
        // mkfs had written some of it when the power went.
        try disk.write([UInt8](repeating: 0x5A, count: 8192), at: 8 << 20)
        var second = disk.partition(format: .ifBlank)
        let report = try second.bringUp()
        #expect(report.rungs == "resume ok, format ok, mount ok")
        #expect(report.formatted && !report.wiped)
    }

    @Test func wipesOnceEvenIfASlotOfTheTailGoesBadLater() throws {
        for slot: Int64 in 0...1 {
            let disk = try LoopDisk()
            var first = disk.partition()
            try first.wipe(reason: "button")
            _ = try first.bringUp()
            disk.put("rows", "kept")
            disk.unmount()
            try disk.write([0x5A], at: Tail.offset(ofSlot: slot, on: 64 << 20) + 100)
            var second = disk.partition()
            #expect(try second.bringUp().rungs == "clean ok, mount ok")
            #expect(disk.get("rows") == "kept")
            #expect(try record(disk).resets == 1)
        }
    }

    @Test func waitsForWhoeverLooksAtTheDevice() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        // A scanner that has it for itself just when mkfs wants it.
        partition.afterStage = { [path = disk.device] (reached) throws(DataPartitionError) in
            if reached != "erased" { return }
            Task.detached {
                let device = try BlockDevice.open(path, .exclusive)
                Clock.sleep(milliseconds: 300)
                _ = device.size
            }
            Clock.sleep(milliseconds: 100)
        }
        #expect(try partition.bringUp().rungs == "format ok, mount ok")
    }

    @Test func wipesNothingThatIsInUse() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        _ = try partition.bringUp()
        disk.put("rows", "kept")
        let busy = try FileDescriptor.open("\(disk.mount)/rows", .read)
        let error = #expect(throws: DataPartitionError.self) { try partition.wipe(reason: "button") }
        #expect(error?.kind == .inUse)
        #expect(disk.get("rows") == "kept")
        _ = busy.raw
    }
}
