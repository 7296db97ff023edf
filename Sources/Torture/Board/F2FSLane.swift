#if Lab
import Foundation
import Linux
import SQLite
public import VirtualBoard

/// Power cuts on f2fs, which orders its renames by checkpoints and not by a journal: on the virtual board, whose kernel has it where this
/// machine's may not.
///
/// One boot makes a device, one of each scenario is recorded at the disk, and then the board boots each of many disks as a cut
/// could have left them, all of them partitions of one drive: a boot of Firstlight takes half a second there, one of the board six.
public struct F2FSLane {
    private let scratch: Scratch
    private let board: VirtualBoard
    private let firmware: Firmware

    private static let size = 64 << 20
    /// Beside the first MiB and the last of a drive, as GPT wants it.
    private static let margin = 1 << 20

    /// How one scenario begins and ends.
    private struct Recorded {
        let scenario: F2FSScenario
        let disk: [UInt8]
        let log: BlockLog
        let ready: Int
        let after: Contents
    }

    public init(_ images: BoardImages, in scratch: Scratch) throws {
        self.scratch = scratch
        board = VirtualBoard(in: scratch)
        firmware = try Firmware(images).removing("/etc/init.d/S15firstlight")
    }

    /// - Parameter count: disks that a cut left, in all.
    /// - Returns: what was found, by the name of its disk.
    public func run(count: Int, seed: UInt64, progress: (String) -> Void) throws -> [(disk: String, problem: String)] {
        progress("a new device")
        let base = try field()
        var recorded: [Recorded] = []
        for scenario in F2FSScenario.all {
            progress("\(scenario.name), recorded")
            recorded.append(try record(scenario, on: base))
        }
        var states: [(Recorded, CrashStates.State)] = []
        for one in recorded {
            var generator = SeededGenerator(seed: seed)
            let all = CrashStates(log: one.log).all(subsets: 20, seed: seed)
            states += all.shuffled(using: &generator).prefix(count / recorded.count).map { (one, $0) }
            progress("\(one.scenario.name): \(all.count) disks that a cut can leave, \(min(all.count, count / recorded.count)) of them tried")
        }
        var found: [(String, String)] = []
        for group in stride(from: 0, to: states.count, by: 40).map({ Array(states[$0..<min($0 + 40, states.count)]) }) {
            let folders = try check(group)
            for ((one, state), folder) in zip(group, folders) {
                if let problem = judge(one, state, folder) { found.append(("\(one.scenario.name), \(state.name)", problem)) }
            }
            progress("\(group.count) disks booted twice")
        }
        return found
    }

    // ---- The board ----

    /// Boots a drive whose partitions are these disks, and has `words` done to each.
    /// - Returns: for each disk the folder of what was found there.
    private func boot(
        _ drive: Drive, _ sets: [F2FSScenario], _ words: String, seconds: Double, ready: (() throws -> Void)? = nil
    ) throws -> [URL] {
        let out = scratch.fresh("out.tar")
        try HostTool.run(["truncate", "-s", "128M", out.path])
        defer { try? FileManager.default.removeItem(at: out) }
        var firmware = firmware.adding("/etc/init.d/S20f2fs", F2FSScenario.script(words), mode: 0o755)
        for (number, scenario) in sets.enumerated() {
            firmware = firmware.replacing(directory: "/usr/share/set\(number + 1)", with: scenario.set)
        }
        try board.powerOn(firmware, disk: nil, drives: [drive, Drive(out)])
        defer { board.cutPower() }
        if let ready {
            guard board.console.wait(for: F2FSScenario.readyMark, seconds: seconds) != nil else { throw TortureError("no READY\n\(board.console.transcript)") }
            try ready()
        }
        guard board.waitForEnd(seconds: seconds) else { throw TortureError("the board did not end\n\(board.console.transcript)") }
        let folder = scratch.fresh("out")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try HostTool.run(["tar", "-C", folder.path, "-xf", out.path])
        return sets.indices.map { folder.appendingPathComponent("\($0 + 1)") }
    }

    private func drive(_ disks: Int) throws -> URL {
        let file = scratch.fresh("drive.img")
        try HostTool.run(["truncate", "-s", "\(disks * Self.size + 2 * Self.margin)", file.path])
        var table = "label: gpt\n"
        for number in 0..<disks { table += "start=\((Self.margin + number * Self.size) / 512), size=\(Self.size / 512), type=linux\n" }
        let script = scratch.fresh("table")
        try table.write(to: script, atomically: false, encoding: .utf8)
        try HostTool.run(["sh", "-c", "sfdisk -q '\(file.path)' <'\(script.path)'"])
        return file
    }

    /// A partition's bytes into a drive, blocks of zeros left out.
    private func put(_ disk: [UInt8], at number: Int, of drive: URL) throws {
        let file = try FileHandle(forUpdating: drive)
        defer { try? file.close() }
        let piece = 64 << 10
        let zeros = [UInt8](repeating: 0, count: piece)
        try disk.withUnsafeBytes { disk in
            for start in Swift.stride(from: 0, to: disk.count, by: piece) {
                let part = UnsafeRawBufferPointer(rebasing: disk[start..<start + piece])
                if memcmp(part.baseAddress!, zeros, piece) == 0 { continue }
                try file.seek(toOffset: UInt64(Self.margin + number * Self.size + start))
                try file.write(contentsOf: Data(part))
            }
        }
    }

    private func take(_ number: Int, of drive: URL) throws -> [UInt8] {
        let file = try FileHandle(forReadingFrom: drive)
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(Self.margin + number * Self.size))
        return [UInt8](try file.read(upToCount: Self.size) ?? Data())
    }

    // ---- The steps ----

    /// A device with the first image's schema and rows.
    private func field() throws -> [UInt8] {
        let blank = scratch.fresh("f2fs.img")
        try HostTool.run(["truncate", "-s", "\(Self.size)", blank.path])
        try HostTool.run(["mkfs.f2fs", "-q", blank.path])
        let drive = try drive(1)
        try put([UInt8](try Data(contentsOf: blank)), at: 0, of: drive)
        let folders = try boot(Drive(drive), [.first], "boot 1", seconds: 60)
        let boot = Found(folders[0], 1)
        guard boot.outcome == "migrated" else { throw TortureError("a new device on f2fs: \(boot.text)") }
        return try take(0, of: drive)
    }

    private func record(_ scenario: F2FSScenario, on base: [UInt8]) throws -> Recorded {
        let drive = try drive(1)
        try put(base, at: 0, of: drive)
        if !scenario.before.isEmpty { _ = try boot(Drive(drive), [scenario], scenario.before, seconds: 60) }
        let disk = try take(0, of: drive)
        let log = scratch.fresh("writes.log")
        try HostTool.run(["truncate", "-s", "0", log.path])
        var bytes = 0
        let folders = try boot(Drive(drive, log: log), [scenario], "boot 1", seconds: 60, ready: {
            bytes = try FileManager.default.attributesOfItem(atPath: log.path)[.size] as? Int ?? 0
        })
        let boot = Found(folders[0], 1)
        guard boot.outcome == scenario.outcome, let after = boot.contents else {
            throw TortureError("\(scenario.name) on f2fs: \(boot.text) instead of \(scenario.outcome)")
        }
        let writes = try WriteLog(log)
        // The log is of the drive, the partition begins behind its margin.
        let ready = writes.position(at: bytes)
        return Recorded(scenario: scenario, disk: disk, log: writes.log.moved(by: -Self.margin), ready: ready, after: after)
    }

    private func check(_ states: [(Recorded, CrashStates.State)]) throws -> [URL] {
        let drive = try drive(states.count)
        defer { try? FileManager.default.removeItem(at: drive) }
        for (number, (one, state)) in states.enumerated() {
            var disk = one.disk
            disk.withUnsafeMutableBytes { CrashStates(log: one.log).apply(state, to: $0) }
            try put(disk, at: number, of: drive)
        }
        return try boot(Drive(drive), states.map { $0.0.scenario }, "boot 1; boot 2", seconds: 60 + 10 * Double(states.count))
    }

    // ---- What is judged ----

    /// What one boot left in its folder.
    private struct Found {
        var status: [String: Any] = [:]
        var contents: Contents?
        var trouble = ""

        init(_ folder: URL, _ number: Int) {
            if let data = try? Data(contentsOf: folder.appendingPathComponent("status-\(number)")) {
                status = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
            }
            trouble = (try? String(contentsOf: folder.appendingPathComponent("log-\(number)"), encoding: .utf8)) ?? "no log"
            do { contents = try Application(path: folder.appendingPathComponent("app-\(number)/app.db").path).live() } catch { trouble += "\n\(error)" }
        }

        var repository: [String: Any] { (status["repositories"] as? [[String: Any]])?.first ?? [:] }
        var outcome: String { repository["outcome"] as? String ?? "none" }
        var lost: String? { repository["lost"] as? String }
        var text: String { "\(outcome) \(repository["reason"] as? String ?? "") \(lost ?? "")\n\(trouble)" }
    }

    private func judge(_ one: Recorded, _ state: CrashStates.State, _ folder: URL) -> String? {
        let (first, second) = (Found(folder, 1), Found(folder, 2))
        let scenario = one.scenario
        func wrong(_ text: String) -> String { "\(text)\nfirst boot: \(first.text)\nsecond boot: \(second.text)" }
        for boot in [first, second] {
            guard boot.status["state"] as? String == "ready" else { return wrong("no READY") }
            guard boot.contents == one.after else { return wrong("the contents are \(boot.contents?.description ?? "none")") }
            guard [scenario.outcome, "current"].contains(boot.outcome) else { return wrong(boot.outcome) }
        }
        let told = state.isAfter(one.ready) || first.outcome == scenario.outcome
        if scenario.isReplaced {
            if !told { return wrong("nobody has been told of \(scenario.outcome)") }
            if first.outcome == scenario.outcome, first.lost == nil { return wrong("rows may be gone, and it does not say so") }
            let kept = (try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("app-2/quarantine").path)) ?? []
            let evidence = kept.contains { name in
                let file = folder.appendingPathComponent("app-2/quarantine/\(name)/app.db")
                return (try? Data(contentsOf: file))?.prefix(F2FSScenario.damage.count) == F2FSScenario.damage
            }
            if !evidence { return wrong("the damaged database is not in quarantine: \(kept)") }
        }
        if first.lost != nil && !scenario.isReplaced { return wrong("rows were given up") }
        return second.outcome == "current" || second.outcome == scenario.outcome && scenario.isReplaced ? nil : wrong("it has not settled")
    }
}
#endif
