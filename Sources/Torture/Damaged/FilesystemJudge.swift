#if Lab
import Foundation

/// Two boots of a device whose filesystem is damaged, held against what the oracle reaches.
struct FilesystemJudge {
    let machine: Machine
    let template: FilesystemTemplate
    let oracle: FilesystemOracle
    private let name: String
    /// What became of it, in a few words: for the sum over all images.
    private(set) var remarks: [String] = []
    /// What the boots with read errors told.
    private var prelude = ""
    /// One of them has told of a loss.
    private var isTold = false

    private static let clean = ["clean ok", "mount ok"]
    /// Why an appliance may be in RAM although every sector could be read (docs/never-fail.md): words of the reason.
    private static let gates = [
        "its partition only", "only format = always", "e2fsck could not work on it", "e2fsck could not run", "find room for", "at the end of",
        "keep in memory", "e2fsck finds nothing wrong, but mount",
    ]

    init(_ name: String, machine: Machine, oracle: FilesystemOracle) {
        self.name = name
        self.machine = machine
        self.oracle = oracle
        template = oracle.template
    }

    /// While sectors cannot be read: READY, and nothing is destroyed.
    mutating func bootsWithReadErrors() throws -> String? {
        for number in 1...2 {
            let boot = try machine.boot()
            machine.unmount()
            if let wrong = ready(boot) { return "boot \(number) with read errors: \(wrong): \(boot.text)\n\(boot.log)" }
            if let rung = destroyed(boot) { return "\(rung) in spite of read errors: \(boot.text)\n\(boot.log)" }
            prelude += "boot with read errors: \(boot.text) [\(boot.actions.joined(separator: ", "))]\n\(boot.log)"
            isTold = isTold || boot.lost != nil && !boot.isVolatile
            if number == 1 { remarks.append("read errors: \(boot.isVolatile ? "in RAM" : boot.outcome)") }
        }
        return nil
    }

    /// With every sector readable.
    ///
    /// - Parameter image: the disk as it was before any boot.
    mutating func boots(_ image: [UInt8]) throws -> String? {
        let start = Date()
        let boot = try machine.boot(ready: settle)
        let seconds = Date().timeIntervalSince(start)
        let readings = live(boot)
        let trouble = work(boot, readings)
        machine.unmount()
        let between = machine.contents
        let second = try machine.boot(ready: settle)
        let later = live(second)
        machine.unmount()
        if machine.isMounted { throw TortureError("\(machine.mount) is still mounted") }

        let reaches = try oracle.look(at: image)
        var history = prelude + "boot 1: \(boot.text) [\(boot.actions.joined(separator: ", "))] \(readings?.rows.count ?? 0) rows\n"
        history += "boot 2: \(second.text) [\(second.actions.joined(separator: ", "))] \(later?.rows.count ?? 0) rows\n"
        history += reaches.map { "oracle: \($0.text)\n" }.joined() + boot.log + "---- boot 2 ----\n" + second.log
        func wrong(_ text: String) -> String { "\(text)\n\(history)" }

        remark(boot, readings, reaches)
        for (number, boot) in [boot, second].enumerated() {
            if let text = ready(boot) { return wrong("boot \(number + 1): \(text)") }
        }
        if seconds > 40 { return wrong("READY after \(Int(seconds)) s") }
        for (number, boot) in [boot, second].enumerated() {
            if let rung = destroyed(boot), rung != "salvage", let reach = reaches.first(where: { !$0.isNothing }) {
                return wrong("boot \(number + 1): \(rung), and something could be reached: \(reach.text)")
            }
        }
        if boot.isVolatile {
            guard let gate = Self.gates.first(where: { reason(boot).contains($0) }) else { return wrong("in RAM: \(reason(boot))") }
            // Each of them is a device that keeps nothing.
            remarks.append("\(name), in RAM, \(reaches.contains { $0.isWhole } ? "the database could be reached" : "no whole database"): \(gate)")
            let left = try oracle.look(at: between)
            if rows(left) < rows(reaches) { return wrong("in RAM, and \(rows(reaches) - rows(left)) rows can no longer be reached") }
            return second.isVolatile ? nil : wrong("boot 2 is not in RAM")
        }
        // What the first boot did not get at the next may; what that loses is lost.
        if boot.outcome == "failed" { return wrong(rows(second, later, reaches) ?? "boot 1: failed; boot 2: \(second.outcome)") }
        return (rows(boot, readings, reaches) ?? trouble ?? settled(boot, second, readings, later)).map(wrong)
    }

    /// What it told is put on record before the power goes.
    private func settle() {
        for _ in 0..<2000 where access(machine.state + "/untold", F_OK) == 0 { usleep(1000) }
    }

    // ---- What is asked of every boot ----

    private func ready(_ boot: Machine.Boot) -> String? {
        if !boot.isReady { return "no READY" }
        if boot.orphans > 0 { return "\(boot.orphans) workers go on without firstlightd" }
        return nil
    }

    private func destroyed(_ boot: Machine.Boot) -> String? {
        ["salvage", "wipe", "format"].first { boot.actions.contains("\($0) ok") }
    }

    private func reason(_ boot: Machine.Boot) -> String {
        (boot.status["warnings"] as? [String])?.first { $0.contains("in RAM") } ?? boot.reason ?? ""
    }

    /// What the application finds.
    private func live(_ boot: Machine.Boot) -> Readings? {
        if boot.isVolatile || !machine.isMounted { return nil }
        return Readings(copyOf: machine.database, in: machine.folder + "/copy")
    }

    /// What the application cannot do.
    private func work(_ boot: Machine.Boot, _ readings: Readings?) -> String? {
        if boot.isVolatile || boot.outcome == "failed" { return nil }
        // Behind a clean unmount nobody looks for damage inside of the database.
        if boot.actions == Self.clean, readings?.isSound == false { return nil }
        do { return try Application(path: machine.database).live() == nil ? "no database" : nil } catch { return "the application: \(error)" }
    }

    // ---- Rows ----

    private func rows(_ reaches: [FilesystemOracle.Reach]) -> Int {
        reaches.map { $0.database?.count(of: template.readings) ?? 0 }.max() ?? 0
    }

    private mutating func rows(_ boot: Machine.Boot, _ readings: Readings?, _ reaches: [FilesystemOracle.Reach]) -> String? {
        let right = template.readings
        let count = readings?.count(of: right) ?? 0
        let wholes = reaches.filter { $0.isWhole }
        if count < right.rows.count, !wholes.isEmpty, wholes.allSatisfy({ $0.isWithoutJournal }), template.kind == .cut {
            // It was whole in the files of a moment before, by luck: what the filesystem's journal had is the truth.
            remarks.append("rows: whole only without the filesystem's journal: \(boot.outcome)")
        } else if let reach = wholes.first {
            return count == right.rows.count ? nil : "\(right.rows.count - count) rows are gone that \(reach.way) reaches: \(boot.outcome)"
        }
        if count == right.rows.count { return nil }
        if isTold || ["restored", "rebuilt"].contains(boot.outcome) && boot.lost != nil {
            let others = reaches.filter { !$0.isWithoutJournal || template.kind != .cut }
            let best = others.compactMap { $0.snapshot?.rows.count }.max() ?? rows(others)
            // Beside damaged pages it is luck which of two rows with one key is met.
            return count >= best * 19 / 20 ? nil : "\(count) rows, and \(best) could be had"
        }
        // Behind a clean unmount nobody looks for damage inside of the database, and in values nothing would find it.
        if reaches.contains(where: { $0.database.map { $0.rows == readings?.rows } ?? false }) {
            let isClean = boot.actions == Self.clean
            if !isClean, readings?.isSound == false { return "\(boot.outcome) behind a repair, and integrity_check finds damage" }
            remarks.append("\(boot.outcome), and rows are damaged as everybody finds them: \(isClean ? "unmounted cleanly" : "no check finds it")")
            return nil
        }
        // Of a database of which nothing is left, not even the marker, a repository's worker knows nothing.
        if reaches.allSatisfy({ $0.database == nil && $0.snapshot == nil }) {
            remarks.append("nothing could be reached, and it is told by the partition's actions only: \(boot.outcome)")
            return boot.actions == Self.clean ? "all rows are gone, and nobody says so" : nil
        }
        return "\(right.rows.count - count) rows are gone, and it does not say so"
    }

    private func settled(_ boot: Machine.Boot, _ second: Machine.Boot, _ readings: Readings?, _ later: Readings?) -> String? {
        let isHeld = second.outcome == boot.outcome && second.repository["held_for_boots"] is Int
        if second.outcome != "current" && !isHeld { return "boot 2: \(second.outcome)" }
        // Whether the kernel lets this machine's root grow a filesystem depends on the machine.
        if second.actions.filter({ $0 != "grow failed" }) != Self.clean { return "boot 2: the partition is not clean" }
        if later?.rows != readings?.rows { return "boot 2: other rows than boot 1" }
        return nil
    }

    // ---- For the sum ----

    private mutating func remark(_ boot: Machine.Boot, _ readings: Readings?, _ reaches: [FilesystemOracle.Reach]) {
        let rungs = ["format ok", "salvage ok", "backup-superblock", "repair", "preen", "clean ok"]
        let names = ["format", "salvage", "backup superblock", "e2fsck -y", "e2fsck -p", "clean"]
        let rung = boot.isVolatile ? "RAM" : zip(rungs, names).first { (rung, _) in boot.actions.contains { $0.hasPrefix(rung) } }?.1 ?? "other"
        remarks.append("the partition: \(rung)")
        let all = template.readings.rows.count
        let count = readings?.count(of: template.readings) ?? 0
        func share(_ count: Int) -> String { count == all ? "all" : count == 0 ? "none" : "some" }
        remarks.append("rows: \(share(count)); the oracle reaches \(reaches.contains { $0.isWhole } ? "all" : rows(reaches) > 0 ? "some" : "none")")
        remarks.append("outcome: \(boot.outcome)")
    }
}
#endif
