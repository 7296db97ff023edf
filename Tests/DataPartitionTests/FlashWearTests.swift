import Foundation
import Linux
import Testing

@testable import DataPartition

/// A sysfs with one eMMC, its third partition, and a dm-crypt upon that, as Linux 6.12 lays them out.
private final class FakeSysfs {
    let root = FileManager.default.temporaryDirectory.path + "/firstlight-sysfs-\(UUID().uuidString)"
    private let disk = "devices/platform/soc/mmc0/mmc0:0001/block/mmcblk0"

    init(lifetime: String?, preEOL: String?) throws {
        let manager = FileManager.default
        for path in ["\(disk)/mmcblk0p3", "\(disk)/slaves", "dev/block", "devices/virtual/block/dm-0/slaves"] {
            try manager.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
        }
        try "3\n".write(toFile: "\(root)/\(disk)/mmcblk0p3/partition", atomically: true, encoding: .utf8)
        for (link, to) in [
            ("dev/block/179:0", "../../\(disk)"), ("dev/block/179:3", "../../\(disk)/mmcblk0p3"), ("\(disk)/device", "../.."),
            ("dev/block/254:0", "../../devices/virtual/block/dm-0"), ("devices/virtual/block/dm-0/slaves/mmcblk0p3", "../../../../../\(disk)/mmcblk0p3"),
        ] { try manager.createSymbolicLink(atPath: "\(root)/\(link)", withDestinationPath: to) }
        for (name, text) in [("life_time", lifetime), ("pre_eol_info", preEOL)] {
            try text?.write(toFile: "\(root)/devices/platform/soc/mmc0/mmc0:0001/\(name)", atomically: true, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// `major` and `minor` both below 256.
    func wear(_ major: UInt64, _ minor: UInt64) -> FlashWear? { FlashWear.read(number: major << 8 | minor, sysfs: root) }
}

@Suite struct FlashWearTests {
    @Test(arguments: [(179, 0), (179, 3), (254, 0)] as [(UInt64, UInt64)])
    func isReadOfTheDiskThatTheDeviceIsOn(major: UInt64, minor: UInt64) throws {
        let sysfs = try FakeSysfs(lifetime: "0x01 0x02\n", preEOL: "0x01\n")
        let wear = try #require(sysfs.wear(major, minor))
        #expect(wear == FlashWear(disk: "mmcblk0", lifetime: [1, 2], preEOL: 1))
        #expect(wear.text == "mmcblk0: lifetime used: area A 0 to 10 %, area B 10 to 20 %; spare blocks: normal")
        #expect(wear.warnings == [])
    }

    @Test func warnsFromEightyPercentOn() throws {
        func warnings(_ lifetime: String, _ preEOL: String) throws -> [String] {
            try #require(try FakeSysfs(lifetime: lifetime, preEOL: preEOL).wear(179, 3)).warnings
        }
        #expect(try warnings("0x08 0x08\n", "0x01\n") == [])
        #expect(try warnings("0x09 0x01\n", "0x01\n") == [
            "the flash is wearing out: area A of mmcblk0 has used 80 to 90 % of its lifetime; plan its replacement",
        ])
        #expect(try warnings("0x01 0x0b\n", "0x01\n") == [
            "the flash is wearing out: area B of mmcblk0 has used more than 100 % of its lifetime; replace it now",
        ])
        #expect(try warnings("0x01 0x01\n", "0x02\n").count == 1)
        let both = try warnings("0x0B 0x0A\n", "0x03\n")
        #expect(both.count == 3)
        #expect(both.last?.contains("replace it now, before it takes no write any more") == true)
    }

    @Test func whatSaysNothingIsNotMadeUp() throws {
        #expect(try FakeSysfs(lifetime: nil, preEOL: nil).wear(179, 3) == nil)
        #expect(try FakeSysfs(lifetime: "0x00 0x00\n", preEOL: "0x00\n").wear(179, 3) == nil)
        #expect(try FakeSysfs(lifetime: "nonsense\n", preEOL: "").wear(179, 3) == nil)
        #expect(try FakeSysfs(lifetime: "0x01 0x01\n", preEOL: "0x01\n").wear(8, 1) == nil)
        let half = try #require(try FakeSysfs(lifetime: "0x03 0x00\n", preEOL: nil).wear(179, 3))
        #expect(half.text == "mmcblk0: lifetime used: area A 20 to 30 %, area B not known; spare blocks: not known")
        #expect(half.warnings == [])
    }
}

@Suite(.enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct MountedFlashWearTests {
    /// A real device, and a sysfs of ours that knows it.
    @Test func isReadOfADeviceAndOfWhatIsMounted() throws {
        let disk = try LoopDisk()
        var partition = disk.partition()
        _ = try partition.bringUp()
        let number = try MountTable.name(of: BlockDevice.open(disk.device, .read).number)
        let sysfs = disk.folder + "/sys"
        try shell("mkdir -p \(sysfs)/dev/block/\(number)/device && echo 0x02 0x0b > \(sysfs)/dev/block/\(number)/device/life_time").output()
        let wear = FlashWear(disk: number, lifetime: [2, 11], preEOL: 0)
        #expect(FlashWear.read(disk.device, mount: "/nowhere", sysfs: sysfs) == wear)
        #expect(FlashWear.read(nil, mount: disk.mount, sysfs: sysfs) == wear)
        #expect(FlashWear.read(nil, mount: disk.folder, sysfs: sysfs) == nil && FlashWear.read(disk.image, mount: disk.mount, sysfs: sysfs) == nil)
    }
}
