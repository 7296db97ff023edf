#if Lab
import Foundation
import VirtualBoard

/// A/B updates as docs/updates.md has them: two slots with a firmware each, one data partition, and hooks that tell the bootloader how it
/// went.
extension Story {
    /// A slot on trial is good once READY with nothing amiss, and makes way for the other one where that is not so.
    private static let hooks = """
        [hooks]
        on-ready = fw_setenv upgrade_available 0
        on-degraded = [ "$(fw_printenv -n upgrade_available)" != 1 ] || reboot

        """

    func playUpdates() throws {
        let slotA = updatable(workshop.firmware)
        let disk = try workshop.oldDisk()
        let loader = try Bootloader(in: workshop.scratch)

        scene("update: slot B migrates, is marked good, and stays") {
            _ = try bootChosen(loader, [.a: slotA], disk, expecting: "migrated", .solid)
            try board.powerOff()
            try loader.tryNext(.b)
            let slots: [Bootloader.Slot: Firmware] = [.b: updatable(workshop.nextFirmware)]
            let seen = try bootChosen(loader, slots, disk, expecting: "migrated", .solid)
            try expectMarked(loader, good: true)
            try board.powerOff()
            for _ in 0...Bootloader.limit {
                _ = try bootChosen(loader, slots, disk, expecting: "current", .solid)
                try board.powerOff()
            }
            try expectReadings(disk, OldDevice.readings)
            return seen
        }
        scene("update: slot B's step fails: slot A again, nothing lost") {
            let disk = try workshop.oldDisk()
            let loader = try Bootloader(in: workshop.scratch)
            let slotB = updatable(workshop.brokenFirmware)
            _ = try bootChosen(loader, [.a: slotA], disk, expecting: "migrated", .solid)
            try board.powerOff()
            try loader.tryNext(.b)
            for turn in 1...Bootloader.limit {
                try expect(try loader.choose() == .b, "turn \(turn) of slot B is slot A's")
                try board.powerOn(slotB, disk: disk, drives: [loader.drive])
                let said = try board.waitForReady(seconds: 90)
                try expect(said == "restored", "slot B says \(said), not restored")
                try expect(board.waitForEnd(seconds: 30), "slot B did not reboot")
                board.cutPower()
                try expectMarked(loader, good: false)
            }
            let seen = try bootChosen(loader, [.a: slotA], disk, expecting: "current", .solid)
            try expectMarked(loader, good: true)
            try board.powerOff()
            try expectReadings(disk, OldDevice.readings)
            return seen
        }
        scene("update: slot B works, never says so: A takes it back") {
            let disk = try workshop.oldDisk()
            let loader = try Bootloader(in: workshop.scratch)
            _ = try bootChosen(loader, [.a: slotA], disk, expecting: "migrated", .solid)
            try board.powerOff()
            try loader.tryNext(.b)
            // Its application would mark it good, and hangs: somebody pulls the plug.
            let slots: [Bootloader.Slot: Firmware] = [.a: slotA, .b: workshop.nextFirmware]
            for outcome in ["migrated", "current"] {
                _ = try bootChosen(loader, slots, disk, expecting: outcome, .solid)
                board.cutPower()
            }
            let seen = try bootChosen(loader, slots, disk, expecting: "downgraded", .solid)
            try expect(seen.repository["lost"] is NSNull, "something is said to be lost")
            try expectMarked(loader, good: true)
            try board.powerOff()
            try expectReadings(disk, OldDevice.readings)
            return seen
        }
    }

    private func updatable(_ firmware: Firmware) -> Firmware {
        Bootloader.tools(in: firmware.replacing(directory: "/etc/firstlight.conf.d", with: ["updates.conf": Self.hooks]))
    }

    /// Boots what the bootloader chooses.
    /// - Parameter slots: those that may be chosen here.
    private func bootChosen(
        _ loader: Bootloader, _ slots: [Bootloader.Slot: Firmware], _ disk: DataDisk, expecting outcome: String, _ pattern: LightPattern
    ) throws -> Observation {
        let slot = try loader.choose()
        guard let firmware = slots[slot] else { throw Deviation("the bootloader chooses slot \(slot.rawValue): \(try loader.environment())") }
        return try boot(firmware, disk, drives: [loader.drive], expecting: outcome, pattern)
    }

    /// A hook runs behind READY, so that its mark may take a moment.
    private func expectMarked(_ loader: Bootloader, good: Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 10)
        while good, try loader.environment()["upgrade_available"] != "0", Date() < deadline { Thread.sleep(forTimeInterval: 0.1) }
        let found = try loader.environment()
        try expect(found["upgrade_available"] == (good ? "0" : "1"), "the bootloader's environment is \(found)")
    }
}
#endif
