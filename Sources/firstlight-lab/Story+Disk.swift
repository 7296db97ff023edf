#if Lab
import Foundation
import VirtualBoard

/// A/B updates on the reference disk: U-Boot chooses, its environment is on the disk, and a slot is a partition that an updater writes.
extension Story {
    private static let bootloader = URL(fileURLWithPath: "/usr/lib/u-boot/qemu_arm64/u-boot.bin")
    /// The card, in MiB: larger than the image.
    private static let size = 320
    /// How often a slot on trial is booted: scripts/build-disk says so to the bootloader.
    private static let limit = 2

    func playDisk() throws {
        guard FileManager.default.fileExists(atPath: Self.bootloader.path) else {
            throw BoardError("\(Self.bootloader.path) is missing; scripts/setup installs it")
        }
        let card = try workshop.oldCard(of: Self.size)

        scene("disk: an image just flashed: grown and formatted") {
            let card = try workshop.card(of: Self.size)
            let seen = try boot(card, slot: "A", expecting: "migrated", .solid)
            let done = actions(seen)
            try expect(done.contains { $0.hasPrefix("format: ok") } && done.contains { $0.hasPrefix("grow: ok") }, "the boot did \(done)")
            try board.powerOff()
            return seen
        }
        scene("disk: slot B's step fails: slot A again, nothing lost") {
            _ = try boot(card, slot: "A", with: workshop.brokenSlot(), expecting: "migrated", .solid)
            try update()
            for turn in 1...Self.limit {
                try powerOn(card, slot: "B", trial: turn)
                let said = try board.waitForReady(seconds: 90)
                try expect(said == "restored", "slot B says \(said), not restored")
                try expect(board.waitForEnd(seconds: 30), "slot B did not reboot")
                board.cutPower()
            }
            let seen = try boot(card, slot: "A", expecting: "current", .solid)
            try expectMarked(good: true)
            let state = try variable("ustate")
            try expect(state == "3", "SWUpdate's ustate is \"\(state)\", not 3, failed")
            try board.powerOff()
            try expectReadings(card, OldDevice.readings)
            return seen
        }
        scene("disk: slot B migrates, is marked good, and stays") {
            _ = try boot(card, slot: "A", with: workshop.nextSlot(), expecting: "current", .solid)
            try update()
            _ = try boot(card, slot: "B", trial: 1, expecting: "migrated", .solid)
            try expectMarked(good: true)
            board.cutPower()
            let seen = try boot(card, slot: "B", expecting: "current", .solid)
            try board.powerOff()
            try expectReadings(card, OldDevice.readings)
            return seen
        }
        scene("disk: power cuts while it counts; B never good: A back") {
            let card = try workshop.oldCard(of: Self.size)
            // Its application would mark it good, and hangs: somebody pulls the plug.
            let silent = try workshop.nextSlot().removing("/etc/firstlight.conf.d/disk.conf", in: workshop.scratch)
            _ = try boot(card, slot: "A", with: silent, expecting: "migrated", .solid)
            try update()
            // A card that takes no writes any more counts nothing: a trial on it would never end.
            try powerOn(card, readOnly: true, slot: "A")
            board.cutPower()
            // The bootloader's first count is cut in the middle: for the next boot it was not made.
            try powerOn(card, slot: "B", trial: 1)
            board.cutPower()
            try tearNewestCopy(of: card)
            _ = try boot(card, slot: "B", trial: 1, expecting: "migrated", .solid)
            board.cutPower()
            // This time behind it: it was.
            try powerOn(card, slot: "B", trial: 2)
            board.cutPower()
            let seen = try boot(card, slot: "A", expecting: "downgraded", .solid)
            try expect(seen.repository["lost"] is NSNull, "something is said to be lost")
            try expectMarked(good: true)
            try board.powerOff()
            try expectReadings(card, OldDevice.readings)
            return seen
        }
        scene("disk: slot B half written, environment lost: A boots") {
            try card.overwrite(partition: "root-b", at: 0, with: Data(count: 1 << 20))
            let environment = try card.read(partition: "env", at: 0, count: 8 << 20)
            try powerOn(card, slot: "B")
            guard board.console.wait(for: "booting slot A", seconds: 60) != nil else { throw Deviation("slot A is not tried") }
            board.cutPower()
            // What cannot be read today may be a good slot tomorrow.
            try expect(card.read(partition: "env", at: 0, count: 8 << 20) == environment, "slot B, which was good, is given up for ever")
            for offset in Self.copies { try card.overwrite(partition: "env", at: offset, with: Data(count: 512)) }
            let seen = try boot(card, slot: "A", trial: 1, expecting: "downgraded", .solid)
            try expect(board.console.transcript.contains("the environment is lost"), "the bootloader does not say that its environment is lost")
            try expectMarked(good: true)
            try board.powerOff()
            try expectReadings(card, OldDevice.readings)
            return seen
        }
    }

    /// Applies power; the bootloader says which slot it boots.
    /// - Parameter trial: the slot is on trial, and so often it was booted with this.
    private func powerOn(_ card: DataDisk, readOnly: Bool = false, slot: String, trial: Int? = nil, with stick: SlotImage? = nil) throws {
        var drive = card.drive
        drive.isReadOnly = readOnly
        try board.powerOn(BootFiles(bios: Self.bootloader), drives: [drive] + (stick.map { [$0.drive] } ?? []))
        guard let chosen = board.console.wait(for: "booting slot ", seconds: 60) else { throw Deviation("the bootloader boots no slot") }
        try expect(chosen == slot, "the bootloader boots slot \(chosen), not \(slot)")
        let counted = board.console.transcript.contains("is on trial: boot ")
        if let trial {
            try expect(board.console.transcript.contains("is on trial: boot \(trial) of \(Self.limit)"), "this is not boot \(trial) of the trial")
        } else {
            try expect(!counted, "slot \(slot) is on trial")
        }
    }

    private func boot(
        _ card: DataDisk, slot: String, trial: Int? = nil, with stick: SlotImage? = nil, expecting outcome: String, _ pattern: LightPattern
    ) throws -> Observation {
        try powerOn(card, slot: slot, trial: trial, with: stick)
        return try finishBoot(outcome, pattern)
    }

    /// Writes what is on the stick into slot B, has the bootloader try it, and shuts down: the slot first, and on the disk, before anything
    /// says that it should be booted.
    private func update() throws {
        let write = "dd if=/dev/vdb of=/dev/vda4 bs=1M conv=fsync && printf 'slot=B\\nupgrade_available=1\\nbootcount=0\\nustate=1\\n' | fw_setenv -s -"
        let (text, code) = try board.console.run(write, seconds: 60)
        try expect(code == 0, "slot B cannot be written: \(text)")
        // Slot A's own hooks, should they be late, leave B's trial alone.
        let hooks = "for hook in on-ready on-degraded; do sh -c \"$(sed -n \"s/^$hook = //p\" /etc/firstlight.conf.d/disk.conf)\"; done"
        try expect(board.console.run(hooks, seconds: 30).code == 0, "slot A's hooks fail")
        try board.powerOff()
    }

    /// A hook runs behind READY, so that its mark may take a moment.
    private func expectMarked(good: Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 10)
        var found = ""
        repeat {
            found = try variable("upgrade_available")
        } while found != (good ? "0" : "1") && Date() < deadline
        try expect(found == (good ? "0" : "1"), "the bootloader's upgrade_available is \"\(found)\"")
    }

    private func variable(_ name: String) throws -> String {
        try board.console.run("fw_printenv -n \(name)").output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // ---- The bootloader's environment on the disk ----

    /// Where its two copies are in their partition: packaging/disk/boot.cmd.
    private static let copies = [0, 4 << 20]

    /// Leaves the last change half done: its first sector on the disk and the rest of the variables not.
    private func tearNewestCopy(of card: DataDisk) throws {
        let counts = try Self.copies.map { try card.read(partition: "env", at: $0 + 4, count: 1).first ?? 0 }
        let newest = counts[1] &- counts[0] == 1 ? 1 : 0
        try card.overwrite(partition: "env", at: Self.copies[newest] + 16, with: Data(count: 16))
    }
}
#endif
