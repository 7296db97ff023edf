#if Lab
import ArgumentParser
import Foundation
import Linux
import SQLite
import VirtualBoard

/// What appliances go through, played on a real board, one scene after the other: the pin, the console and status.json must agree in
/// each of them.
final class Story {
    let workshop: Workshop
    /// The one on which the scenes are played; another one with another init.
    var board: VirtualBoard
    private var deviations: [String] = []
    private let start = Date()
    /// Also the scenes that take long and say little more.
    let isFull: Bool
    private let only: [String]
    private var played: [String] = []
    private let traces: Traces?
    /// The scene of the moment goes on behind READY until the picture's time is over.
    private var isWatched = false

    /// - Parameters:
    ///   - only: plays no scene whose title has none of these in it; without any, all. Some need what those before them left.
    ///   - traces: the picture, where one is wanted.
    init(_ workshop: Workshop, full: Bool = false, only: [String] = [], traces: Traces? = nil) {
        self.workshop = workshop
        isFull = full
        self.only = only
        self.traces = traces
        board = VirtualBoard(in: workshop.scratch)
    }

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case database, partition, supervisor, updates, systemd, disk
    }

    /// False when anything deviated.
    func play(_ parts: [Part]) throws -> Bool {
        print("  scene                                                         LED on the pin   outcome    ready after")
        for part in parts {
            switch part {
            case .database: try playDatabase()
            case .partition: try playPartition()
            case .supervisor: try playSupervisor()
            case .updates: try playUpdates()
            case .systemd: try playSystemd()
            case .disk: try playDisk()
            }
        }
        // A title that was changed must not turn a test into one of nothing.
        for text in only where !played.contains(where: { $0.contains(text) }) { deviations.append("no scene has \"\(text)\" in its title") }
        let seconds = Int(Date().timeIntervalSince(start))
        // Once more at the end, where whoever sees only a log's last lines finds them.
        for deviation in deviations { print("deviated: \(deviation)") }
        print(deviations.isEmpty ? "the story held, in \(seconds) s" : "\(deviations.count) scenes deviated, in \(seconds) s")
        return deviations.isEmpty
    }

    private func playDatabase() throws {
        let fresh = try workshop.blankDisk()
        let old = try workshop.oldDisk()

        scene("blank disk: formatted and migrated") {
            let seen = try boot(workshop.firmware, fresh, expecting: "migrated", .solid)
            try expect(actions(seen).contains { $0.hasPrefix("format: ok") }, "no format among \(actions(seen))")
            try checkFootprint()
            try board.powerOff()
            return seen
        }
        scene("second boot: nothing to do, nothing written") {
            let quiet = try mountAlone(fresh)
            let seen = try boot(workshop.firmware, fresh, expecting: "current", .solid)
            // The journal's first commit comes within 5 s of mounting.
            Thread.sleep(forTimeInterval: 7)
            let written = try board.bytesWritten()
            try expect(written <= quiet, "\(written) bytes were written, mounting and opening alone write \(quiet)")
            watchOn()
            try board.powerOff()
            return seen
        }
        scene("old device's disk: all pending steps, readings kept") {
            let seen = try boot(workshop.firmware, old, expecting: "migrated", .solid)
            // Seconds of work. A blank disk is ready after too few blinks to name their pattern: on a fast host they are four.
            try expectLightBefore(seen, [.working])
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("firmware with a broken step: back to the old schema") {
            let seen = try boot(workshop.brokenFirmware, old, expecting: "restored", .blinks(2))
            let reason = seen.repository["reason"] as? String ?? ""
            try expect(reason.contains("add_alarms.sql:4: no such table: alarm"), "the reason is \"\(reason)\"")
            try expect(seen.repository["lost"] is NSNull, "something is said to be lost")
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("the same firmware again: held, not tried a second time") {
            let seen = try boot(workshop.brokenFirmware, old, expecting: "restored", .blinks(2))
            let reason = seen.repository["reason"] as? String ?? ""
            try expect(reason.hasPrefix("held: ") && reason.contains("no such table: alarm"), "the reason is \"\(reason)\"")
            let tried = board.console.transcript.contains("step 1 of 1")
            try expect(!tried, "the step was tried again")
            try board.powerOff()
            return seen
        }
        scene("fixed firmware: migrated") {
            let seen = try boot(workshop.nextFirmware, old, expecting: "migrated", .solid)
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("the firmware before it again: taken back, readings kept") {
            let seen = try boot(workshop.firmware, old, expecting: "downgraded", .solid)
            try expect(seen.repository["lost"] is NSNull, "something is said to be lost")
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            return seen
        }
        scene("power cut inside the transaction, then power again") {
            let cut = try workshop.oldDisk()
            try board.powerOn(workshop.firmware, disk: cut)
            guard board.console.wait(for: "step 3 of 8: ", seconds: 60) != nil else { throw Deviation("no third step") }
            board.cutPower()
            let seen = try boot(workshop.firmware, cut, expecting: "migrated", .solid)
            try board.powerOff()
            try expectReadings(cut, OldDevice.readings)
            return seen
        }
        scene("database overwritten with garbage: restored from the snapshot") {
            try old.overwrite(["/app/app.db"])
            let seen = try boot(workshop.nextFirmware, old, expecting: "restored", .blinks(2))
            let quarantine = try path(seen.repository["quarantine"])
            try board.powerOff()
            try expectReadings(old, OldDevice.readings)
            try expect(try old.list(quarantine) == ["app.db"], "\(quarantine) does not hold the old database")
            return seen
        }
        scene("garbage, and every snapshot damaged too: rebuilt") {
            try old.overwrite(["/app/app.db", "/app/.firstlight/app/snapshots/*"])
            let seen = try boot(workshop.nextFirmware, old, expecting: "rebuilt", .blinks(3))
            let quarantine = try path(seen.repository["quarantine"])
            try expect(seen.repository["lost"] is String, "nothing is said to be lost")
            try board.powerOff()
            try expectReadings(old, 0)
            try expect(try old.list(quarantine) == ["app.db"], "\(quarantine) does not hold the old database")
            return seen
        }
        scene("what no check repairs: files carried over a format, grown") {
            let disk = try workshop.oldDisk()
            try disk.clearJournalInode()
            // One that gives up, whatever it is shown.
            let firmware = workshop.firmware.adding("/usr/sbin/e2fsck", "#!/bin/sh\nexit 4\n", mode: 0o755)
            let seen = try boot(firmware, disk, expecting: "migrated", .solid)
            try expect(actions(seen).contains("salvage: ok"), "no salvage among \(actions(seen))")
            // Over the place where the files lay meanwhile, for which this machine lets nobody ask (CAP_SYS_RESOURCE).
            let blocks = try board.console.run("dumpe2fs -h /dev/vda1 2>/dev/null | grep '^Block count'").output
            try expect(blocks.split(separator: " ").last == "32000\n", "the filesystem was not grown: \(blocks)")
            try board.powerOff()
            try expectReadings(disk, OldDevice.readings)
            let again = try boot(workshop.firmware, disk, expecting: "current", .solid)
            try expect(actions(again).first == "clean: ok", "the next boot finds \(actions(again))")
            try board.powerOff()
            return seen
        }
        scene("fresh device whose first migration is broken") {
            let disk = try workshop.blankDisk()
            let seen = try boot(workshop.stillbornFirmware, disk, expecting: "failed", .blinks(5))
            let reason = seen.repository["reason"] as? String ?? ""
            try expect(reason.contains("create_sensors.sql:2: near \"TABEL\""), "the reason is \"\(reason)\"")
            try board.powerOff()
            return seen
        }
        scene("migrations folder missing: database untouched") {
            let before = try digest(fresh)
            let seen = try boot(workshop.firmwareWithoutMigrations, fresh, expecting: "skipped", .solid)
            try board.powerOff()
            try expect(try digest(fresh) == before, "the database was changed")
            return seen
        }
        scene("no data disk: in RAM") {
            let seen = try boot(workshop.firmware, nil, expecting: "volatile", .blinks(4))
            let data = seen.status["data"] as? [String: Any]
            try expect(data?["volatile"] as? Bool == true, "status.json does not say volatile")
            board.cutPower()
            return seen
        }
        scene("button held from power-on for 6 s: wiped") {
            let disk = try workshop.oldDisk()
            let seen = try boot(workshop.firmware, disk, expecting: "migrated", .solid, buttonDown: true) { [board] in
                guard board.light.waitForFirstEdge(seconds: 60) != nil else { throw Deviation("the LED stays dark") }
                Thread.sleep(forTimeInterval: 6)
                try board.releaseButton()
            }
            try expectLightBefore(seen, [.held])
            try expectLetGo(after: seen)
            let said = board.console.transcript.contains("factory reset: the button was held at power-on")
            try expect(said, "the console says nothing of a factory reset")
            try board.powerOff()
            try expectReadings(disk, 0)
            return seen
        }
    }

    // ---- One scene ----

    func scene(_ title: String, _ body: () throws -> Observation) {
        if !only.isEmpty, !only.contains(where: { title.contains($0) }) { return }
        played.append(title)
        func pad(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
        isWatched = traces?.watches(title) ?? false
        do {
            let seen = try body()
            traces?.add(title, seen, board.light)
            let (light, outcome) = (pad(seen.pattern?.description ?? "?", 17), pad(seen.outcome, 11))
            print("  \(pad(title, 62))\(light)\(outcome)\(seen.readyMilliseconds) ms")
        } catch {
            deviations.append("\(title): \(error)")
            print("  \(pad(title, 62))DEVIATES: \(error)")
            print("  LED: \(board.light.segments.map { $0.description }.joined(separator: ", "))")
            print(board.console.transcript.split(separator: "\n").suffix(40).map { "    | \($0)" }.joined(separator: "\n"))
            board.cutPower()
        }
        fflush(nil)
    }

    /// Boots to READY and compares the three witnesses.
    func boot(
        _ firmware: Firmware, _ disk: DataDisk?, drives: [Drive] = [], commandLine: String = "", expecting outcome: String, _ pattern: LightPattern,
        buttonDown: Bool = false, meanwhile: () throws -> Void = {}
    ) throws -> Observation {
        try board.powerOn(firmware, disk: disk, drives: drives, commandLine: commandLine, buttonDown: buttonDown)
        try meanwhile()
        return try finishBoot(outcome, pattern)
    }

    /// Waits for READY and compares.
    func finishBoot(_ outcome: String, _ pattern: LightPattern) throws -> Observation {
        let said = try board.waitForReady(seconds: 90)
        try expect(said == outcome, "the console says \(said), not \(outcome)")
        return try observe(outcome, pattern, on: board.light)
    }

    /// Compares pin and status.
    func observe(_ outcome: String, _ pattern: LightPattern, on light: LightRecorder) throws -> Observation {
        let ready = light.milliseconds
        let seen = light.wait(for: pattern, seconds: 15) ? pattern : light.current
        let text = try board.console.run("cat /run/firstlight/status.json").output
        guard let status = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw Deviation("status.json is \(text)")
        }
        if isWatched { watchOn() }
        let observation = Observation(
            outcome: status["outcome"] as? String ?? "none", pattern: seen, readyMilliseconds: Int(ready), status: status,
            segments: light.segments)
        try expect(observation.outcome == outcome, "status.json says \(observation.outcome), not \(outcome)")
        try expect(seen == pattern, "the pin shows \(seen?.description ?? "no pattern"), not \(pattern)")
        let told = (status["light"] as? [String: Any])?["pattern"] as? String
        try expect(told == pattern.description, "status.json says the LED shows \(told ?? "nothing"), the pin \(pattern)")
        return observation
    }

    /// Until the picture's time axis is full, where one is drawn.
    private func watchOn() {
        while traces != nil, board.light.milliseconds < Double(Traces.seconds) * 1000 { Thread.sleep(forTimeInterval: 0.1) }
    }

    func expectLightBefore(_ seen: Observation, _ patterns: [LightPattern]) throws {
        for pattern in patterns where !seen.segments.contains(where: { $0.pattern == pattern }) {
            throw Deviation("the LED never showed \(pattern): \(seen.segments)")
        }
    }

    /// Held for 6 s, the LED is solid for the last of them. The heartbeat that follows may be too short to name: a wipe takes half a
    /// second, and its pattern's cycle a whole one.
    private func expectLetGo(after seen: Observation) throws {
        let held = seen.segments.first { $0.pattern == .held }?.to ?? 0
        let edges = board.light.edges.filter { $0.milliseconds >= held - 100 }
        let solid = zip(edges, edges.dropFirst()).contains { $0.isOn && $1.milliseconds - $0.milliseconds > 700 }
        try expect(solid, "the LED never said to let go: \(seen.segments)")
    }

    func actions(_ seen: Observation) -> [String] {
        ((seen.status["data"] as? [String: Any])?["actions"] as? [[String: Any]] ?? []).map {
            "\($0["rung"] ?? ""): \($0["result"] ?? "")"
        }
    }

    /// As the disk has it, without the mount point.
    private func path(_ value: Any?) throws -> String {
        guard let path = value as? String, path.hasPrefix("/data/") else { throw Deviation("no quarantine is named") }
        return String(path.dropFirst("/data".count))
    }

    // ---- Off the disk ----

    func expectReadings(_ disk: DataDisk, _ count: Int64) throws {
        let file = try disk.read("/app/app.db")
        defer { try? FileManager.default.removeItem(at: file) }
        let database = try Database(file.path, .immutable)
        let rows = try database.integer("SELECT count(*) FROM readings") ?? -1
        try expect(rows == count, "\(rows) readings on the disk, not \(count)")
        let integrity = try database.text("PRAGMA integrity_check") ?? ""
        try expect(integrity == "ok", "integrity_check: \(integrity)")
    }

    private func digest(_ disk: DataDisk) throws -> UInt64 {
        let file = try disk.read("/app/app.db")
        defer { try? FileManager.default.removeItem(at: file) }
        return XXH64.digest(of: [UInt8](try Data(contentsOf: file)))
    }

    /// What the kernel itself writes when a clean partition is mounted and one file on it opened, in bytes: the measure for "nothing
    /// written". The first open of a mount has ext4 note the mount point in its superblock (ext4_sample_last_mounted).
    private func mountAlone(_ disk: DataDisk) throws -> Int {
        try board.powerOn(workshop.firmware.removing("/etc/init.d/S15firstlight"), disk: disk)
        guard board.console.wait(for: "'help'", seconds: 60) != nil else { throw Deviation("no shell without firstlightd") }
        try board.console.run(
            "mkdir -p /data && mount -t ext4 -o noatime,nodev,nosuid,noexec,errors=remount-ro /dev/vda1 /data "
                + "&& head -c 1 /data/app/app.db > /dev/null")
        Thread.sleep(forTimeInterval: 7)
        let written = try board.bytesWritten()
        try board.powerOff()
        return written
    }

    private func checkFootprint() throws {
        let text = try board.console.run("grep VmRSS /proc/$(cat /var/run/firstlightd.pid)/status").output
        let kilobytes = text.split(separator: " ").compactMap { Int($0) }.first ?? .max
        try expect(kilobytes <= 4096, "the supervisor has \(kilobytes) KiB resident, 4096 is the limit")
    }
}
#endif
