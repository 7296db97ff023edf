#if Lab
import Foundation
import VirtualBoard

/// The units of rootfs-overlay under Debian's systemd, on the same board.
extension Story {
    func playSystemd() throws {
        let workshop = try workshop.systemd()
        let other = board
        board = VirtualBoard(in: workshop.scratch)
        defer { board = other }
        let disk = try workshop.oldDisk()

        scene("systemd: active once the outcome is known, then the app") {
            // Less than the boot takes: without the extensions it would be killed.
            let firmware = overridden(workshop.firmware, "TimeoutStartSec=2s")
            var before: [String: String] = [:]
            let seen = try boot(firmware, disk, expecting: "migrated", .solid) {
                guard self.board.console.wait(for: "step 2 of ", seconds: 60) != nil else { throw Deviation("no second step") }
                before = try self.properties("firstlight.service", "ActiveState", "StatusText")
            }
            try expect(before["ActiveState"] == "activating", "in the middle of the migration the unit is \(before)")
            let text = before["StatusText"] ?? ""
            try expect(text.contains("step ") && text.contains("%"), "in the middle of the migration the unit says \"\(text)\"")

            let unit = try properties(
                "firstlight.service", "ActiveState", "SubState", "StatusText", "NRestarts", "ExecMainStartTimestampMonotonic",
                "ActiveEnterTimestampMonotonic")
            try expect(unit["ActiveState"] == "active" && unit["SubState"] == "running" && unit["NRestarts"] == "0", "the unit is \(unit)")
            try expect(unit["StatusText"]?.contains("migrated") == true, "the unit says \(unit)")
            let (start, active) = (microseconds(unit["ExecMainStartTimestampMonotonic"]), microseconds(unit["ActiveEnterTimestampMonotonic"]))
            try expect(active - start > 2_000_000, "the boot took \(active - start) µs: too little to need more than TimeoutStartSec")
            let known = (seen.status["since_boot_ms"] as? Int ?? .max) * 1000
            try expect(active >= known - 1_000_000, "active at \(active) µs, the outcome was known at \(known) µs")

            try waitUntil("the application runs") { try self.properties("app.service", "SubState")["SubState"] == "running" }
            let app = try properties("app.service", "ExecMainStartTimestampMonotonic")
            try expect(microseconds(app["ExecMainStartTimestampMonotonic"]) >= active, "the application started before READY: \(app)")
            guard let said = board.console.wait(for: "found: ", seconds: 10) else { throw Deviation("the application says nothing") }
            try expect(said == "migrated, /data/app/app.db as app: SQLite format 3", "the application says \(said)")
            try waitUntil("the boot is marked good") { try self.board.console.run("test -e /run/marked-good").code == 0 }
            try expectState("boot-complete.target", "active")
            try board.powerOff()
            try expectReadings(disk, OldDevice.readings)
            return seen
        }
        scene("systemd: a failed step is READY, and no complete boot") {
            let seen = try boot(workshop.brokenFirmware, disk, expecting: "restored", .blinks(2))
            try expect(actions(seen).first == "clean: ok", "the shutdown did not unmount: \(actions(seen))")
            try expectState("firstlight.service", "active")
            try waitUntil("the blessing fails") { try self.state("firstlight-boot-complete.service") == "failed" }
            try waitUntil("the application runs") { try self.properties("app.service", "SubState")["SubState"] == "running" }
            try expectState("boot-complete.target", "inactive")
            try expectState("mark-good.service", "inactive")
            try expect(try board.console.run("test -e /run/marked-good").code == 1, "the boot is marked good")
            try board.powerOff()
            try expectReadings(disk, OldDevice.readings)
            return seen
        }
        scene("systemd: a daemon that hangs or is killed is replaced") {
            let seen = try boot(overridden(workshop.firmware, "WatchdogSec=2s"), disk, expecting: "current", .solid)
            try waitUntil("the application runs") { try self.properties("app.service", "SubState")["SubState"] == "running" }
            let app = try properties("app.service", "MainPID")["MainPID"]
            // The watchdog's time, its own restart's, and what emulation needs.
            for (turn, signal) in ["STOP", "KILL"].enumerated() {
                try board.console.run("kill -\(signal) $(systemctl show -P MainPID firstlight)")
                try waitUntil("it is replaced after SIG\(signal)", seconds: 12) {
                    let unit = try self.properties("firstlight.service", "ActiveState", "NRestarts")
                    return unit["ActiveState"] == "active" && unit["NRestarts"] == "\(turn + 1)"
                }
                try expect(board.light.wait(for: .solid, seconds: 10), "the pin shows \(board.light.current?.description ?? "no pattern")")
                let (text, code) = try board.console.run("cat /run/firstlight/ready; firstlightctl status")
                try expect(text.hasPrefix("current\n") && code == 0, "behind SIG\(signal) the status says \(text)")
                try expect(text.contains("started again"), "the status does not say that the daemon was started again: \(text)")
            }
            let killed = board.console.transcript.contains("Watchdog timeout (limit 2s)")
            try expect(killed, "the first time it was not the watchdog")
            try expect(try properties("app.service", "MainPID")["MainPID"] == app, "the application was started again too")
            try expectState("boot-complete.target", "active")
            try board.powerOff()
            try expectReadings(disk, OldDevice.readings)
            return seen
        }
    }

    /// With a line of its own in firstlight.service's [Service].
    private func overridden(_ firmware: Firmware, _ line: String) -> Firmware {
        firmware.replacing(directory: "/etc/systemd/system/firstlight.service.d", with: ["story.conf": "[Service]\n\(line)\n"])
    }

    private func properties(_ unit: String, _ names: String...) throws -> [String: String] {
        let text = try board.console.run("systemctl show -p \(names.joined(separator: ",")) \(unit)").output
        var properties: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if words.count == 2 { properties[words[0]] = words[1] }
        }
        return properties
    }

    private func microseconds(_ text: String?) -> Int { text.flatMap { Int($0) } ?? -1 }

    private func state(_ unit: String) throws -> String { try properties(unit, "ActiveState")["ActiveState"] ?? "unknown" }

    private func expectState(_ unit: String, _ wanted: String) throws {
        let found = try state(unit)
        try expect(found == wanted, "\(unit) is \(found), not \(wanted)")
    }

    private func waitUntil(_ what: String, seconds: Double = 15, _ holds: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while !(try holds()) {
            if Date() > deadline { throw Deviation("not within \(Int(seconds)) s: \(what)") }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }
}
#endif
