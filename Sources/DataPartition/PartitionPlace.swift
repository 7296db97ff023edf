internal import CLinux
import Linux

/// A partition as the kernel has it, and the disk it is on.
struct PartitionPlace: Equatable {
    /// The disk's node: `/dev/mmcblk0`.
    let disk: String
    let number: Int64
    /// In bytes, as `size` is.
    let start: Int64
    var size: Int64

    /// Behind its last byte.
    var end: Int64 { start + size }
    /// `partition 3 of /dev/mmcblk0`
    var text: String { "partition \(number) of \(disk)" }

    /// By sysfs. Nil for a device that is no partition of a disk: a whole disk, a dm or loop device.
    /// - Parameter device: st_rdev of its node.
    static func find(_ device: UInt64) throws(LinuxError) -> PartitionPlace? {
        let here = "/sys/dev/block/\(MountTable.name(of: device))"
        guard try FileSystem.isThere("\(here)/partition") else { return nil }
        let above = Text.directory(of: try FileSystem.resolve(here))
        // A slash in a device's name is spelt with an exclamation mark in sysfs: cciss!c0d0.
        let name = Text.name(of: above).utf8.map { $0 == 0x21 ? 0x2F : $0 }
        let disk = "/dev/" + String(decoding: name, as: UTF8.self)
        // A node of that name may be anybody's; the table of another disk would be changed.
        let number = Text.trim(try FileSystem.readText("\(above)/dev"))
        guard let status = try FileSystem.status(disk), status.kind == .blockDevice,
            MountTable.name(of: status.deviceNumber) == number
        else { throw LinuxError("find block device \(number) at", disk, code: ENODEV) }
        return PartitionPlace(
            disk: disk, number: try value("\(here)/partition"), start: try value("\(here)/start") * 512,
            size: try value("\(here)/size") * 512)
    }

    private static func value(_ path: String) throws(LinuxError) -> Int64 {
        guard let value = Text.number(Text.trim(try FileSystem.readText(path))), value < 1 << 52 else {
            throw LinuxError("read", path, code: EINVAL)
        }
        return value
    }

    func refused(_ why: String) -> DataPartitionError {
        DataPartitionError(.refused, "grow \(text): \(why); its table is left as it is")
    }
}
