#if Lab
import Foundation
import VirtualBoard

/// What stands for U-Boot in the story: it chooses between two slots by an environment on a disk of its own, and counts how often it
/// has booted one that is on trial, as U-Boot's `bootcount`, `bootlimit` and `upgrade_available` do.
///
/// The environment is `NAME=value` lines in the disk's first sector. The board changes it with the `fw_setenv` of `tools`.
struct Bootloader {
    enum Slot: String {
        case a = "A"
        case b = "B"
        var other: Slot { self == .a ? .b : .a }
    }

    /// The disk with the environment, for the board's second place.
    let drive: Drive
    private let file: URL
    private static let sector = 512
    /// How often a slot on trial may be booted.
    static let limit = 2

    /// Slot A is there, and known to be good.
    init(in scratch: Scratch) throws {
        file = scratch.fresh("environment.img")
        drive = Drive(file)
        try Data(count: 1 << 20).write(to: file)
        try write(["slot": Slot.a.rawValue, "upgrade_available": "0", "bootcount": "0", "bootlimit": "\(Self.limit)"])
    }

    /// As an updater leaves it that has written a slot.
    func tryNext(_ slot: Slot) throws {
        try change { environment in
            environment["slot"] = slot.rawValue
            environment["upgrade_available"] = "1"
            environment["bootcount"] = "0"
        }
    }

    /// Power is on: the slot to boot. One on trial is counted, and given up once it had its turns (U-Boot's `altbootcmd`).
    func choose() throws -> Slot {
        var chosen = Slot.a
        try change { environment in
            guard let slot = environment["slot"].flatMap({ Slot(rawValue: $0) }) else { throw Deviation("no slot in \(environment)") }
            chosen = slot
            guard environment["upgrade_available"] == "1" else { return }
            let count = (environment["bootcount"].flatMap { Int($0) } ?? 0) + 1
            environment["bootcount"] = "\(count)"
            if count > Self.limit {
                chosen = slot.other
                environment["slot"] = chosen.rawValue
                environment["upgrade_available"] = "0"
                environment["bootcount"] = "0"
            }
        }
        return chosen
    }

    /// As it is on the disk.
    func environment() throws -> [String: String] {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        let text = String(decoding: (try handle.read(upToCount: Self.sector) ?? Data()).prefix { $0 != 0 }, as: UTF8.self)
        var environment: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "=", maxSplits: 1).map(String.init)
            if words.count == 2 { environment[words[0]] = words[1] }
        }
        return environment
    }

    private func change(_ body: (inout [String: String]) throws -> Void) throws {
        var changed = try environment()
        try body(&changed)
        try write(changed)
    }

    private func write(_ environment: [String: String]) throws {
        let text = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        var bytes = Data(text.utf8)
        bytes.append(Data(count: Self.sector - bytes.count))
        let handle = try FileHandle(forUpdating: file)
        defer { try? handle.close() }
        try handle.write(contentsOf: bytes)
    }

    /// A firmware with what u-boot-tools would bring along, for this bootloader.
    static func tools(in firmware: Firmware) -> Firmware {
        firmware.adding(
            "/usr/bin/fw_printenv",
            """
            #!/bin/sh
            # fw_printenv -n NAME
            dd if=/dev/vdb bs=\(sector) count=1 2>/dev/null | tr -d '\\000' | sed -n "s/^$2=//p"

            """, mode: 0o755
        ).adding(
            "/usr/bin/fw_setenv",
            """
            #!/bin/sh
            # fw_setenv NAME VALUE: one sector, in one write, synced.
            old=$(dd if=/dev/vdb bs=\(sector) count=1 2>/dev/null | tr -d '\\000' | grep -v "^$1=")
            printf '%s\\n%s=%s\\n' "$old" "$1" "$2" | dd of=/dev/vdb bs=\(sector) conv=sync,fsync 2>/dev/null

            """, mode: 0o755)
    }
}
#endif
