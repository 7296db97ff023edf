import Linux
import Testing

@testable import DataPartition

/// The whole way, on real devices with the real programs.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct BringUpTests {
    @Test func formatsABlankPartitionAndMountsIt() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        let report = try partition.bringUp()
        #expect(report.rungs == "format ok, mount ok")
        #expect(report.formatted && !report.unclean && !report.volatile && !report.wiped)
        #expect(report.device == disk.device && report.filesystem == "ext4")
        let options = shell("findmnt -no OPTIONS \(disk.mount)").text
        for option in ["noatime", "nodev", "nosuid", "noexec", "errors=remount-ro"] {
            #expect(options.contains(option))
        }
        #expect(disk.get(Mounting.proofName) == nil)
        #expect(shell("dumpe2fs \(disk.device) 2>/dev/null | grep -c 'Backup superblock'").text != "0")
    }

    @Test func leavesACleanPartitionUntouchedBeforeMountingIt() throws {
        let disk = try LoopDisk()
        try disk.prepare()
        let before = try disk.checksum()
        // A mount point that cannot be: all that is done before mounting is done.
        var blocked = DataPartition(
            DataSettings(device: .path(disk.device), mount: "/proc/firstlight-no-such", wait: 0), reporter: .silent)
        #expect(throws: DataPartitionError.self) { try blocked.bringUp() }
        #expect(try disk.checksum() == before)

        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.rungs == "clean ok, mount ok")
        #expect(!report.unclean && !report.formatted)
        #expect(disk.get("rows") == "kept")
    }

    @Test func takesAMountedPartitionAsItIs() throws {
        let disk = try LoopDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.rungs == "mount ok" && report.device == disk.device)
        #expect(shell("grep -c ' \(disk.mount) ' /proc/self/mountinfo").text == "1")
    }

    @Test func callsAPartitionUncleanAfterAPowerCut() throws {
        let disk = try LoopDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        disk.put("rows", "kept")
        try disk.cutPower()
        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.unclean && !report.formatted)
        #expect(report.rungs == "preen ok, mount ok" || report.rungs == "preen fixed, mount ok")
        #expect(disk.get("rows") == "kept")
    }

    @Test(arguments: [
        (1024, 1024, "the primary superblock"), (0, 4096, "the whole first block"),
        (4096, 4096, "the group descriptors"), (1024 + 0x60, 4, "the feature flags"),
    ])
    func repairsFromABackupAndKeepsTheFiles(_ damage: (offset: Int, count: Int, what: String)) throws {
        for fill in [UInt8(0), 0xA5] {
            for cut in [false, true] {
                let disk = try LoopDisk()
                var first = disk.partition()
                _ = try first.bringUp()
                disk.put("rows", "kept")
                if cut { try disk.cutPower() } else { disk.unmount() }
                try disk.write([UInt8](repeating: fill, count: damage.count), at: Int64(damage.offset))
                var second = disk.partition()
                let report = try second.bringUp()
                #expect(report.rungs == "backup-superblock fixed, mount ok", "\(damage.what) with \(fill)")
                #expect(report.unclean && !report.formatted)
                #expect(disk.get("rows") == "kept", "\(damage.what) with \(fill)")
            }
        }
    }

    @Test func repairsWhatPreenLeaves() throws {
        let disk = try LoopDisk()
        try disk.prepare()
        // The root directory's only block, and a state that asks for a full check.
        let block = try #require(Int64(shell("debugfs -R 'blocks /' \(disk.device) 2>/dev/null").text))
        try shell("debugfs -w -R 'set_super_value state 0' \(disk.device)").output()
        try disk.write([UInt8](repeating: 0xA5, count: 4096), at: block * 4096)
        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.unclean && !report.formatted)
        #expect(report.rungs == "preen failed, repair fixed, mount ok")
    }

    /// What a repair cost is on record before it begins, until somebody has been told: whatever the power does in between.
    @Test func aRepairIsOnRecordUntilItWasTold() throws {
        let disk = try LoopDisk()
        try disk.prepare()
        // The inode table: nothing of the tree is left behind it.
        try shell("debugfs -w -R 'clri <2>' \(disk.device); debugfs -w -R 'ssv state 0' \(disk.device)").output()
        var first = disk.partition()
        #expect(try first.bringUp().repaired)
        #expect(try disk.record().repaired)
        disk.unmount()
        // Nobody was told: the power went.
        var second = disk.partition()
        let report = try second.bringUp()
        #expect(report.rungs == "clean ok, mount ok" && report.repaired)
        try second.acknowledgeRepair()
        disk.unmount()
        var third = disk.partition()
        #expect(try !third.bringUp().repaired)
    }

    /// A format of what was in use costs what was on it; one of a new device costs nothing.
    @Test func aFormatIsALossWhereSomethingWasInUse() throws {
        for wasUsed in [true, false] {
            let disk = try LoopDisk(size: 32 << 20)
            if wasUsed { try disk.prepare() }
            shell("dd if=/dev/urandom of=\(disk.device) bs=1M count=31 conv=fsync status=none")
            var partition = disk.partition()
            let report = try partition.bringUp()
            #expect(report.formatted && report.repaired == wasUsed)
        }
        let blank = try LoopDisk()
        var partition = blank.partition()
        #expect(try !partition.bringUp().repaired)
        try partition.wipe(reason: "button")
        #expect(try !partition.bringUp().repaired)
    }

    @Test func formatsNoiseOnlyWherePolicyAllowsIt() throws {
        let disk = try LoopDisk(size: 32 << 20)
        disk.fillWithNoise()
        let noise = try disk.read(65536, at: 0)
        for policy in [FormatPolicy.ifBlank, .never] {
            var partition = disk.partition(format: policy)
            #expect(throws: DataPartitionError.self) { try partition.bringUp() }
            #expect(try disk.read(65536, at: 0) == noise)
        }
        var partition = disk.partition()
        let report = try partition.bringUp()
        #expect(report.rungs == "preen refused, repair refused, format ok, mount ok")
        #expect(report.formatted)
    }

    /// A card with its write protection on: nothing about the filesystem, and nothing that could be written.
    @Test func leavesAPartitionThatCannotBeWritten() throws {
        let disk = try LoopDisk()
        try disk.prepare()
        disk.detach()
        let before = XXH64.digest(of: try FileSystem.read(disk.image, limit: 1 << 30))
        let device = try shell("losetup -r -f --show \(disk.image)").output()
        defer { shell("losetup -d \(device)") }
        for reset in [false, true] {
            var partition = disk.partition(.path(device))
            if reset { partition.resetToken = "A1" }
            #expect(throws: DataPartitionError.self) { try partition.bringUp() }
        }
        #expect(!disk.isMounted)
        #expect(XXH64.digest(of: try FileSystem.read(disk.image, limit: 1 << 30)) == before)
    }

    @Test func leavesABlankPartitionAloneWhereFormatIsNever() throws {
        let disk = try LoopDisk()
        let blank = try disk.checksum()
        var partition = disk.partition(format: .never)
        #expect(throws: DataPartitionError.self) { try partition.bringUp() }
        #expect(try disk.checksum() == blank)
    }

    @Test(arguments: [
        "mkswap $DEV", "printf 'label: gpt\\nstart=2048,size=2048\\n' | sfdisk -q $DEV",
        // A btrfs superblock's magic, at its place.
        "printf _BHRfS_M | dd of=$DEV bs=1 seek=65600 conv=notrunc status=none",
    ])
    func refusesAnotherKindOfFilesystem(_ command: String) throws {
        let disk = try LoopDisk()
        _ = try shell("DEV=\(disk.device); \(command)").output()
        let before = try disk.checksum()
        for format in [FormatPolicy.ifUnusable, .ifBlank, .never] {
            var partition = disk.partition(format: format)
            #expect(throws: DataPartitionError.self) { try partition.bringUp() }
            #expect(throws: DataPartitionError.self) { try partition.wipe(reason: "test") }
        }
        #expect(try disk.checksum() == before)
        var partition = disk.partition(format: .always)
        #expect(try partition.bringUp().rungs == "format ok, mount ok")
    }

    @Test func neverFormatsBecauseACheckCouldNotRun() throws {
        let disk = try LoopDisk()
        disk.fillWithNoise()
        var partition = disk.partition()
        partition.checkPrograms = ["/no/such/e2fsck"]
        #expect(throws: DataPartitionError.self) { try partition.bringUp() }
        #expect(partition.actions.rungs == "preen refused, repair refused, mount failed")
    }

    /// A check that could not run proves nothing: an image with e2fsck 1.46 meets a filesystem made by 1.47 and is told of an unsupported feature
    /// (RULES.md F12), one without the program, one whose check runs in a circle.
    @Test(arguments: [
        "echo '/dev/x has unsupported feature(s): FEATURE_C12'; echo 'e2fsck: Get a newer version of e2fsck!'; exit 12", "exit 8", "exit 127", "kill -SEGV $$",
        "while :; do :; done", nil,
    ])
    func mountsWhatNoCheckCouldLookAt(_ script: String?) throws {
        let disk = try LoopDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        disk.put("rows", "kept")
        try disk.cutPower()
        var second = disk.partition()
        second.checkPrograms = [disk.folder + "/e2fsck"]
        second.patience = { (_) in 500 }
        if let script { try FileSystem.replace(disk.folder + "/e2fsck", with: "#!/bin/sh\n\(script)\n", durable: false, permissions: 0o755) }
        #expect(try second.bringUp().rungs == "preen refused, mount ok")
        #expect(disk.get("rows") == "kept")
    }

    @Test func leavesAFilesystemLargerThanItsPartition() throws {
        let disk = try LoopDisk()
        var first = disk.partition()
        _ = try first.bringUp()
        disk.unmount()
        disk.detach()
        shell("truncate -s 40M \(disk.image)")
        try disk.attach()
        let before = try disk.checksum()
        var second = disk.partition()
        #expect(throws: DataPartitionError.self) { try second.bringUp() }
        #expect(try disk.checksum() == before)
    }

    @Test func goesToRAMAndStaysThere() throws {
        let disk = try LoopDisk()
        var partition = disk.partition(.path("/dev/no-such-device"), wait: 120)
        let start = Clock.milliseconds
        let error = #expect(throws: DataPartitionError.self) { try partition.bringUp() }
        #expect(error?.kind == .notFound && Clock.milliseconds - start >= 120)
        let report = try partition.mountVolatile(reason: error?.text ?? "")
        #expect(report.rungs == "find failed, tmpfs ok")
        #expect(report.volatile && report.device == nil && report.problem == error?.text)
        var again = disk.partition()
        let still = try again.bringUp()
        #expect(still.volatile && still.rungs == "tmpfs ok")
    }

    @Test func usesTheMountPointAsItIs() throws {
        let disk = try LoopDisk()
        var partition = disk.partition(DeviceSpec.none)
        let report = try partition.bringUp()
        #expect(report.device == nil && !report.volatile && !disk.isMounted)
    }
}
