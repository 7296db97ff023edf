internal import CLinux
import Linux

/// How worn the eMMC under a partition says it is (JEDEC eMMC 5.0, EXT_CSD): the kernel reads it when it finds the card, and hands it out in sysfs.
///
/// Nothing here touches the flash, nor waits for it. SD cards, SATA and NVMe disks have no such files.
public struct FlashWear: Sendable, Equatable {
    /// The disk as the kernel calls it: `mmcblk0`.
    public let disk: String
    /// Of the lifetimes of its two areas, in steps: 1 is 0 to 10 % used, 10 is 90 to 100 %, 11 more than all of it; 0 is not known.
    public let lifetime: [Int64]
    /// Of the blocks that are kept to replace worn ones: 1 is normal, 2 is 80 % consumed, 3 is 90 %; 0 is not known.
    public let preEOL: Int64

    /// What the disk says that a device is on; nil where it says nothing.
    /// - Parameters:
    ///   - device: its node; nil for whatever is mounted at `mount`.
    ///   - sysfs: where sysfs is mounted.
    public static func read(_ device: String?, mount: String, sysfs: String = "/sys") -> FlashWear? {
        guard let device else {
            // The mount table does not ask the filesystem: one that has failed may hang whoever does.
            return (try? MountTable.read())?.top(at: mount).flatMap { find("\(sysfs)/dev/block/\($0.device)", depth: 0) }
        }
        guard let real = try? FileSystem.resolve(device), let status = (try? FileSystem.status(real)).flatMap({ $0 }), status.kind == .blockDevice else {
            return nil
        }
        return read(number: status.deviceNumber, sysfs: sysfs)
    }

    /// The same by a device's number.
    static func read(number: UInt64, sysfs: String) -> FlashWear? {
        find("\(sysfs)/dev/block/\(MountTable.name(of: number))", depth: 0)
    }

    private static func find(_ directory: String, depth: Int) -> FlashWear? {
        // Above a partition's own directory is its disk's. Both are links, and `..` is taken behind them.
        guard let place = try? FileSystem.resolve(FileSystem.exists("\(directory)/partition") ? "\(directory)/.." : directory) else { return nil }
        // Device-mapper's are made of others: the first that says something.
        if depth < 8 {
            for name in (try? FileSystem.list("\(place)/slaves")) ?? [] {
                if let wear = find("\(place)/slaves/\(name)", depth: depth + 1) { return wear }
            }
        }
        let lifetime = numbers("\(place)/device/life_time")
        let preEOL = numbers("\(place)/device/pre_eol_info").first ?? 0
        if preEOL == 0, !lifetime.contains(where: { $0 > 0 }) { return nil }
        return FlashWear(disk: Text.name(of: place), lifetime: lifetime, preEOL: preEOL)
    }

    /// `0x01 0x02`
    private static func numbers(_ path: String) -> [Int64] {
        Text.words((try? FileSystem.readText(path)) ?? "").prefix(2).map { word in
            Text.dropPrefix(word, "0x").flatMap { Int64($0, radix: 16) } ?? 0
        }
    }

    /// `mmcblk0: lifetime used: area A 0 to 10 %, area B 10 to 20 %; spare blocks: normal`
    public var text: String {
        var areas = ""
        for (index, step) in lifetime.enumerated() { areas += "\(areas.isEmpty ? "" : ", ")area \(index == 0 ? "A" : "B") \(FlashWear.used(step))" }
        let spare = switch preEOL {
        case 1: "normal"
        case 2: "80 % consumed"
        case 3: "90 % consumed, urgent"
        default: "not known"
        }
        return "\(disk): lifetime used: \(areas.isEmpty ? "not known" : areas); spare blocks: \(spare)"
    }

    /// What a person should do something about: from 80 % on.
    public var warnings: [String] {
        var warnings: [String] = []
        for (index, step) in lifetime.enumerated() where step >= 9 {
            warnings.append(
                "the flash is wearing out: area \(index == 0 ? "A" : "B") of \(disk) has used \(FlashWear.used(step)) of its lifetime; "
                    + (step > 10 ? "replace it now" : "plan its replacement"))
        }
        if preEOL == 2 { warnings.append("the flash is wearing out: 80 % of the spare blocks of \(disk) are consumed; plan its replacement") }
        if preEOL >= 3 {
            warnings.append("the flash is nearly worn out: 90 % of the spare blocks of \(disk) are consumed; replace it now, before it takes no write any more")
        }
        return warnings
    }

    private static func used(_ step: Int64) -> String {
        switch step {
        case 1...10: "\((step - 1) * 10) to \(step * 10) %"
        case 11...: "more than 100 %"
        default: "not known"
        }
    }
}
