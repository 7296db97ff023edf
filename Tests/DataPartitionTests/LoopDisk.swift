import CLinux
import Linux
import Testing

@testable import DataPartition

/// A sparse file behind a loop device, and a mount point for it; both go when it is let go.
final class LoopDisk {
    /// What a person has to do to see these tests run.
    static let reason = "needs root, loop devices, and e2fsprogs in /sbin or /usr/sbin"
    static let isPossible =
        geteuid() == 0 && FileSystem.exists("/dev/loop-control") && Ext4.make.contains { FileSystem.exists($0) }

    let folder: String
    let image: String
    let mount: String
    private(set) var device = ""
    private let sector: Int

    init(size: Int64 = 64 << 20, sector: Int = 512) throws {
        self.sector = sector
        folder = try shell("mktemp -d /tmp/data-partition-XXXXXX").output()
        image = folder + "/disk.img"
        mount = folder + "/mount"
        try FileSystem.makeDirectory(mount)
        try FileDescriptor.open(image, .create).truncate(to: size)
        try attach()
    }

    deinit {
        unmount()
        detach()
        try? FileSystem.removeTree(folder)
    }

    /// Without partitions that whoever had that device before left on it.
    func attach() throws {
        device = try shell("losetup -b \(sector) -f --show \(image)").output()
        dropPartitions()
    }

    func detach() {
        if !device.isEmpty {
            dropPartitions()
            shell("losetup -d \(device)")
        }
        device = ""
    }

    /// Writes a table, as sfdisk reads one, and tells the kernel.
    func partition(by table: String) throws {
        try shell("printf '\(table)' | sfdisk -q --no-reread --no-tell-kernel \(device)").output()
        try addPartitions()
    }

    func addPartitions() throws { try shell("partx -a \(device)").output() }

    /// The kernel keeps a partition that is held, and shows it to whoever has the loop device next: a process that is being started beside this one
    /// may hold it for a moment.
    func dropPartitions() {
        guard hasPartitions else { return }
        var said = ""
        for _ in 0..<500 {
            said = shell("partx -d \(device) 2>&1").text
            if !hasPartitions { return }
            usleep(10_000)
        }
        Issue.record("\(device): its partitions are held: \(said)")
    }

    private var hasPartitions: Bool { shell("ls -d /sys/block/$(basename \(device))/*/partition >/dev/null 2>&1").code == 0 }

    /// Whatever is mounted there. A process that is being started beside this one may hold a file of it for a moment.
    func unmount() {
        for _ in 0..<200 {
            guard isMounted else { return }
            if shell("umount \(mount) 2>/dev/null").code != 0 { usleep(10_000) }
        }
    }

    /// What a power cut leaves of a mounted filesystem: the image as the device has it while it is mounted.
    func cutPower() throws {
        shell("sync -f \(mount); cp --sparse=always \(image) \(image).cut")
        unmount()
        detach()
        shell("mv \(image).cut \(image)")
        try attach()
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws {
        let file = try FileDescriptor.open(device, .readWrite)
        try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: offset)
        }
        try file.sync()
    }

    func read(_ count: Int, at offset: Int64) throws -> [UInt8] {
        try FileDescriptor.open(device, .read).bytes(at: offset, count: count)
    }

    /// - Parameter limit: in whole MiB; all of it where it is not given.
    func fillWithNoise(below limit: Int64? = nil) {
        shell("dd if=/dev/urandom of=\(device) bs=1M \(limit.map { "count=\($0 >> 20)" } ?? "") conv=fsync status=none")
    }

    /// Of every byte.
    func checksum() throws -> UInt64 {
        shell("sync \(device)")
        return XXH64.digest(of: try FileSystem.read(image, limit: 1 << 30))
    }

    func put(_ name: String, _ text: String) { shell("printf %s '\(text)' > \(mount)/\(name); sync -f \(mount)") }
    func get(_ name: String) -> String? { try? FileSystem.readText("\(mount)/\(name)") }

    var isMounted: Bool { shell("mountpoint -q \(mount)").code == 0 }

    func partition(
        _ spec: DeviceSpec? = nil, format: FormatPolicy = .ifUnusable, wait: Int64 = 0, cutAt stage: String? = nil,
        _ change: (inout DataSettings) -> Void = { _ in }
    ) -> DataPartition {
        var settings = DataSettings(device: spec ?? .path(device), mount: mount, format: format, wait: wait)
        change(&settings)
        var partition = DataPartition(settings, reporter: .silent)
        partition.afterStage = { (reached) throws(DataPartitionError) in
            if reached == stage { throw DataPartitionError(.system, "cut") }
        }
        return partition
    }

    func record() throws -> TailRecord { try Tail.read(BlockDevice.open(device, .read)) }

    /// Formatted by us, with a file in it, unmounted.
    func prepare() throws {
        var partition = partition()
        _ = try partition.bringUp()
        put("rows", "kept")
        unmount()
    }
}

extension DataReport {
    /// `clean ok, mount ok`
    var rungs: String { actions.rungs }
}

extension [DataAction] {
    /// Growing left out: whether the kernel lets a machine's root do it depends on the machine (CAP_SYS_RESOURCE); the board's tests look at it.
    var rungs: String { filter { $0.rung != .grow }.map { "\($0.rung.text) \($0.result)" }.joined(separator: ", ") }
}
