import CLinux
import Linux
import Testing

@testable import DataPartition

/// Nothing can be missing on what was made and given to nobody yet; from then on it can.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct UnusedTests {
    /// Made, and cut off before it was mounted.
    private func made() throws -> LoopDisk {
        let disk = try LoopDisk()
        var partition = disk.partition()
        try partition.wipe(reason: "button")
        #expect(try disk.record().isUnused)
        return disk
    }

    /// Takes the whole tree away, for e2fsck -y to put a new one there.
    private func damage(_ disk: LoopDisk) throws {
        disk.unmount()
        try shell("debugfs -w -R 'clri <2>' \(disk.device); debugfs -w -R 'ssv state 0' \(disk.device)").output()
    }

    /// What is in use now, and a repair of it is told.
    private func expectInUse(_ disk: LoopDisk) throws {
        #expect(try disk.isMounted && !disk.record().isUnused)
        try damage(disk)
        var next = disk.partition()
        #expect(try next.bringUp().repaired)
    }

    @Test(arguments: [true, false]) func aRepairCostsNothingThatNobodyWasGiven(_ isWritableMounted: Bool) throws {
        let disk = try made()
        try damage(disk)
        var partition = disk.partition()
        partition.isWritableMounted = isWritableMounted
        let report = try partition.bringUp()
        #expect(!report.repaired && report.rungs == "preen failed, repair fixed, mount ok")
        try expectInUse(disk)
    }

    @Test func norDoesAFormat() throws {
        let disk = try made()
        disk.fillWithNoise(below: 63 << 20)
        var partition = disk.partition()
        let report = try partition.bringUp()
        #expect(report.formatted && !report.repaired)
        try expectInUse(disk)
    }

    /// Of what was in use before, and not told yet, a second format takes nothing back.
    @Test func aFormatThatWasNotToldStaysSo() throws {
        let disk = try LoopDisk()
        try disk.prepare()
        disk.fillWithNoise(below: 63 << 20)
        var first = disk.partition(cutAt: "proven")
        #expect(throws: DataPartitionError.self) { try first.bringUp() }
        disk.unmount()
        disk.fillWithNoise(below: 63 << 20)
        var second = disk.partition()
        #expect(try second.bringUp().repaired)
    }

    /// A worker that is lost with the partition mounted leaves it to the next one, also where somebody is there already.
    @Test(arguments: [false, true]) func aLostWorkersMountIsTakenOver(_ isBusy: Bool) throws {
        let disk = try made()
        var lost = disk.partition(cutAt: "proven")
        #expect(throws: DataPartitionError.self) { try lost.bringUp() }
        #expect(try disk.isMounted && disk.record().isUnused)
        do {
            let somebody = try FileDescriptor.open(isBusy ? disk.mount : "/", .directory)
            defer { #expect(somebody.raw >= 0) }
            var next = disk.partition()
            let report = try next.bringUp()
            #expect(!report.volatile && report.rungs == (isBusy ? "mount ok" : "clean ok, mount ok"))
        }
        try expectInUse(disk)
    }

    /// An automounter was there before.
    @Test func mountedElsewhereIsInUse() throws {
        let disk = try made()
        try shell("mkdir \(disk.folder)/elsewhere && mount \(disk.device) \(disk.folder)/elsewhere").output()
        defer { shell("umount \(disk.folder)/elsewhere") }
        var partition = disk.partition()
        _ = try partition.bringUp()
        #expect(try disk.isMounted && !disk.record().isUnused)
    }

    /// An image that does not know the word hands it on, and the files of its time speak against it.
    @Test func filesSpeakAgainstTheRecord() throws {
        let disk = try made()
        shell("mount \(disk.device) \(disk.mount) && mkdir \(disk.mount)/app \(disk.mount)/other && echo rows > \(disk.mount)/app/app.db")
        disk.unmount()
        let block = try #require(Int64(shell("debugfs -R 'blocks /other' \(disk.device) 2>/dev/null").text))
        try shell("debugfs -w -R 'ssv state 0' \(disk.device)").output()
        try disk.write([UInt8](repeating: 0xA5, count: 4096), at: block * 4096)
        var partition = disk.partition { $0.databases = ["\(disk.mount)/app/app.db"] }
        let report = try partition.bringUp()
        #expect(report.rungs == "preen failed, repair fixed, mount ok" && report.repaired)
    }
}
