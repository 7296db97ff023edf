import Linux
import Testing

@testable import DataPartition

@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct PartitionWatchTests {
    @Test func seesAFilesystemThatTakesNothingAnyMore() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        let report = try partition.bringUp()
        let watch = try #require(PartitionWatch(device: disk.device))
        #expect(watch.trouble() == nil)
        // Writable, says the mount table of kernels before 6.15 (RULES.md F14).
        try shell("echo 1 > /sys/fs/ext4/\(Text.name(of: disk.device))/trigger_fs_error").output()
        let trouble = try #require(watch.trouble())
        #expect(trouble.contains("\(disk.device): 1 error of the filesystem"), "\(trouble)")
        #expect(report.device == disk.device)
        // The next boot finds the error in the superblock, and has it checked; what was counted then is no news.
        disk.unmount()
        var second = disk.partition()
        let again = try second.bringUp()
        #expect(again.rungs == "preen ok, mount ok" && again.unclean, "\(again.actions)")
        #expect(try #require(PartitionWatch(device: disk.device)).trouble() == nil)
    }

    @Test func seesAPartitionThatIsReadOnlyOrNotThere() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        _ = try partition.bringUp()
        let watch = try #require(PartitionWatch(device: disk.device))
        try shell("mount -o remount,ro \(disk.mount)").output()
        #expect(watch.trouble() == "\(disk.device) has become read-only")
        try shell("mount -o remount,rw \(disk.mount)").output()
        #expect(watch.trouble() == nil)
        disk.unmount()
        #expect(watch.trouble() == "\(disk.device) is not mounted any more")
        #expect(PartitionWatch(device: "/dev/no-such-device") == nil)
    }
}
