internal import CLinux
import Linux

/// Finds the one device that a `DeviceSpec` means, without udev, waiting for slow ones.
struct DeviceFinder {
    let reporter: Reporter
    /// How often to look, in milliseconds.
    private let interval: Int64 = 50

    init(reporter: Reporter) { self.reporter = reporter }

    /// The device's path.
    func find(_ spec: DeviceSpec, wait: Int64) throws(DataPartitionError) -> String {
        let start = Clock.milliseconds
        var partitions = ""
        var nextLook: Int64 = 0
        var nextWord = start
        while true {
            let now = Clock.milliseconds
            if now >= nextWord {
                reporter.progress(.working, "find \(spec.text)")
                nextWord = now + 5000
            }
            if case .path(let path) = spec {
                if (try? BlockDevice.open(path, .read)) != nil { return path }
            } else {
                // libblkid reads every device it is asked about: only when the kernel has new ones, or now and then
                // for a device whose content comes late.
                let list = (try? FileSystem.readText("/proc/partitions")) ?? ""
                if list != partitions || now >= nextLook {
                    partitions = list
                    nextLook = now + 500
                    if let path = try choose(DeviceFinder.matches(spec), for: spec) { return path }
                }
            }
            if now - start >= wait {
                throw DataPartitionError(.notFound, "find \(spec.text): no such device after \(now - start) ms")
            }
            Clock.sleep(milliseconds: interval)
        }
    }

    /// All that match (RULES.md B9).
    private static func matches(_ spec: DeviceSpec) -> [String] {
        guard let tag = spec.tag else { return [] }
        var names = [CChar](repeating: 0, count: 4096)
        let count = linux_blkid_find(tag.name, tag.value, &names, names.count)
        if count <= 0 { return [] }
        let text = String(decoding: names.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Text.lines(text)
    }

    /// The disks that the root filesystem is on, by what is mounted there, below that where it is a device of device-mapper's (dm-verity), and where it is an overlay or a
    /// RAM disk by what the kernel was told.
    private func rootDisks() -> [UInt64] {
        let root = (try? FileSystem.status("/")).flatMap { $0 }?.device ?? 0
        if linux_device_major(root) != 0 { return DeviceFinder.disks(below: root, depth: 0) }
        let words = Text.words((try? FileSystem.readText("/proc/cmdline")) ?? "")
        guard let text = words.compactMap({ Text.dropPrefix($0, "root=") }).last, let spec = DeviceSpec(text: text) else { return [] }
        var paths = DeviceFinder.matches(spec)
        if case .path(let path) = spec { paths = [path] }
        return paths.compactMap { (try? BlockDevice.open($0, .read))?.number }.flatMap { DeviceFinder.disks(below: $0, depth: 0) }
    }

    /// The whole disks that a device is made of.
    private static func disks(below device: UInt64, depth: Int) -> [UInt64] {
        let slaves = "/sys/dev/block/\(MountTable.name(of: device))/slaves"
        let names = depth < 8 ? (try? FileSystem.list(slaves)) ?? [] : []
        if names.isEmpty { return [linux_whole_disk(device)].filter { $0 != 0 } }
        return names.flatMap { name -> [UInt64] in
            let parts = Text.split(Text.trim((try? FileSystem.readText("\(slaves)/\(name)/dev")) ?? ""), 0x3A).compactMap { Text.number($0) }
            return parts.count == 2 ? disks(below: linux_device_number(UInt32(clamping: parts[0]), UInt32(clamping: parts[1])), depth: depth + 1) : []
        }
    }

    /// The only match; of several, the only one on the disk that the root filesystem is on.
    private func choose(_ paths: [String], for spec: DeviceSpec) throws(DataPartitionError) -> String? {
        if paths.count <= 1 { return paths.first }
        let rootDisks = rootDisks()
        let onRootDisk = paths.filter { path in
            guard let device = try? BlockDevice.open(path, .read) else { return false }
            return rootDisks.contains(linux_whole_disk(device.number))
        }
        if onRootDisk.count == 1 { return onRootDisk[0] }
        var names = ""
        for path in paths { names += names.isEmpty ? path : " and \(path)" }
        // A choice made here would one day mount a stranger's disk; or erase it.
        throw DataPartitionError(.ambiguous, "find \(spec.text): \(names) both match; none is chosen")
    }
}
