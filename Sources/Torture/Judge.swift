#if Lab
import Foundation
import Linux

/// What is true of an appliance after a fault, whatever the fault was: the contract, as something that can be false.
struct Judge {
    let rehearsal: Rehearsal
    let machine: Machine

    var scenario: Scenario { rehearsal.scenario }

    /// How much has been acknowledged before the fault.
    struct Acknowledged {
        /// READY was told, with the scenario's outcome.
        var told = false
        /// And nothing was left to be done.
        var done = false
        /// The application's row was committed.
        var row = false
        /// What the application has committed behind the READYs of boots with a fault.
        var beats: [String] = []
        /// It has tried to: a database that is opened may change.
        var tried = false
        /// A boot with a fault has told of a loss.
        var lost = false
        /// A boot with a fault was READY with a partition and without a database on it: an application may have made one.
        var without = false
        /// A boot with a fault has begun what may cost files.
        var repaired = false

        /// What a boot with a fault has added.
        mutating func add(_ boot: Machine.Boot, _ judge: Judge) {
            told = told || boot.outcome == judge.scenario.outcome
            done = done || judge.isDone(boot)
            lost = lost || boot.lost != nil && !boot.isVolatile
            repaired = repaired || boot.isRepaired
            if boot.outcome == "failed", !boot.isVolatile, !without {
                without = (try? judge.machine.mounted { !FileSystem.exists(judge.machine.database) }) ?? false
            }
        }
    }

    /// The application's work behind the READY of a boot with a fault, while the disk answers again. It is there afterwards, or its loss is told.
    func work(behind boot: Machine.Boot, _ acknowledged: inout Acknowledged) {
        // A reset takes everything, as was asked for; and a new device that could not be made ready has nothing to work with.
        let isNew = rehearsal.before == nil && (!scenario.isLoud || scenario.isEmptied) && boot.outcome == "failed"
        guard boot.isReady, !boot.isVolatile, scenario.order == nil, !scenario.takesAll, !isNew else { return }
        let beat = "behind READY \(acknowledged.beats.count + 1)"
        acknowledged.tried = true
        let isDone: Void? = try? machine.mounted {
            // As firstlightd does behind READY, which the tracer does not wait for (BootMachine.Upkeep).
            if boot.outcome == "failed" { try machine.work("upkeep", "0", "unfinished") }
            try Application(path: machine.database).beat(beat)
        }
        if isDone != nil { acknowledged.beats.append(beat) }
    }

    /// Boots without a further fault until the appliance has settled, and says what is wrong.
    ///
    /// - Parameters:
    ///   - acknowledged: what must be there.
    ///   - mayRest: a plan that has been cut short more than once may rest for a boot before it is tried again.
    ///   - isConfirmed: that it has settled is seen by one boot more, which must find nothing to do.
    func settle(_ acknowledged: Acknowledged, mayRest: Bool = false, isConfirmed: Bool = true) throws -> String? {
        var (told, done) = (acknowledged.told, acknowledged.done)
        // What the application has written to a database, it has written to it.
        var isUntouched = !acknowledged.tried
        var boots: [Machine.Boot] = []
        let limit = mayRest ? 4 : 2
        for number in 1...limit + 1 {
            let boot = try machine.boot(ready: { if number > 1 { usleep(10_000) } })
            boots.append(boot)
            defer { machine.unmount() }
            let history = boots.map { $0.text }.joined(separator: " | ")
            func wrong(_ text: String) -> String { "\(text); boots: \(history)\n\(boot.log)" }
            guard boot.isReady else { return wrong("no READY") }
            if boot.orphans > 0 { return wrong("\(boot.orphans) workers go on without firstlightd") }
            if boot.isVolatile { return wrong("in RAM") }
            let contents: Contents?
            do { contents = try Application(path: machine.database).live() } catch { return wrong("the application: \(error)") }
            for path in scenario.kept where (try? String(contentsOfFile: "\(machine.mount)/\(path)", encoding: .utf8)) != Scenario.keptText {
                return wrong("\(path) was to be kept, and is not as it was")
            }
            let isGone = acknowledged.beats.contains { !Application(path: machine.database).hasBeat($0) }
            let isTold = acknowledged.lost || boots.contains { $0.lost != nil }
            if isGone && !isTold { return wrong("what the application wrote behind READY is gone, and nobody was told") }
            let settled = isSettled(contents, acknowledged)
            if !settled {
                isUntouched = false
                // A restored database whose steps rest.
                if mayRest, number < limit, boot.repository["held_for_boots"] is Int {
                    told = told || boot.outcome == scenario.outcome
                    continue
                }
                guard number < limit, mayRest || scenario.order != nil, isBefore(contents), scenario.before.contains(boot.outcome)
                else {
                    return wrong("contents are neither the old nor the new: \(contents?.description ?? "none")")
                }
                // A reset that had not begun is no reset.
                if scenario.order != nil { return nil }
                continue
            }
            // Behind a repair nobody knows whether there was one. Told again where the boot before was cut at READY, before it could note that it had told.
            let isUnknown = number <= 2 && acknowledged.without && (acknowledged.repaired || boot.isRepaired) && boot.outcome == "rebuilt" && boot.lost != nil
            if let wrong = isGone && isTold || isUnknown ? nil : judge(boot, told: told, done: done) { return "\(wrong); boots: \(history)\n\(boot.log)" }
            (told, done) = (true, true)
            if !isConfirmed && !mayRest { return isUntouched ? evidence() : nil }
            if number >= 2, boots[number - 2].outcome != "restored" || !mayRest || boot.outcome != "restored" { return isUntouched ? evidence() : nil }
        }
        return nil
    }

    /// The boot that the fault fell into: READY all the same, and nothing given up because of it.
    ///
    /// - Parameter isSecond: an application has worked behind a boot with a fault already, and what it wrote may be a loss to tell.
    func judgeFaulty(_ boot: Machine.Boot, isSecond: Bool = false) -> String? {
        func wrong(_ text: String) -> String { "\(text): \(boot.text)\n\(boot.log)" }
        guard boot.isReady else { return wrong("no READY in the boot with the fault") }
        if isSecond { return nil }
        let fine: Set<String> = [scenario.outcome, "current", "migrated", "volatile", "failed"]
        guard fine.contains(boot.outcome) || scenario.before.contains(boot.outcome) else {
            return wrong("an outcome that the fault does not explain")
        }
        if boot.lost != nil && !scenario.loses && !scenario.takesAll && !boot.isVolatile { return wrong("rows were given up for a fault that passes") }
        return nil
    }

    /// Whether a boot has told of the scenario's end as of its own.
    func isDone(_ boot: Machine.Boot) -> Bool {
        boot.outcome == scenario.outcome && !boot.isVolatile
            && (boot.pending == 0 || scenario.outcome != "migrated" && rehearsal.pending > 0)
    }

    /// Whether these are the contents that the scenario ends with, and all that was acknowledged is there.
    private func isSettled(_ contents: Contents?, _ acknowledged: Acknowledged) -> Bool {
        if acknowledged.row { return contents == rehearsal.last }
        return contents == rehearsal.after || acknowledged.told && contents == rehearsal.last
    }

    private func isBefore(_ contents: Contents?) -> Bool { contents == rehearsal.before }

    /// A boot that ended with the right contents: whether what it says of that is true.
    private func judge(_ boot: Machine.Boot, told: Bool, done: Bool) -> String? {
        switch boot.outcome {
        case scenario.outcome:
            if scenario.loses && boot.lost == nil && boot.outcome != "downgraded" { return "rows are gone, and it does not say so" }
            return !scenario.loses && boot.lost != nil ? "nothing is lost, and it says so: \(boot.lost ?? "")" : nil
        case "migrated" where done: return "migrated again, what was told as done"
        case "current", "migrated":
            if scenario.isLoud && !told { return "\(boot.outcome), and nobody has been told of \(scenario.outcome)" }
            return nil
        default: return "\(boot.outcome) instead of \(scenario.outcome)"
        }
    }

    /// What a replaced database was is still there, byte for byte.
    private func evidence() -> String? {
        guard let evidence = rehearsal.evidence else { return nil }
        return (try? machine.mounted {
            let quarantine = (try? FileSystem.list(machine.state + "/quarantine")) ?? []
            // A rollback does not give back what lay on free pages: then the snapshot from before the steps has them.
            let snapshots = (try? FileSystem.list(machine.state + "/snapshots")) ?? []
            let paths = quarantine.map { "quarantine/\($0)/app.db" } + snapshots.map { "snapshots/\($0)" }
            let found = paths.contains { path in
                (try? FileSystem.read("\(machine.state)/\(path)", limit: 1 << 26)).map { XXH64.digest(of: $0) } == evidence
            }
            return found ? nil : "the replaced database \(String(evidence, radix: 16)) is not there any more: \(quarantine), \(snapshots)"
        }) ?? nil
    }
}
#endif
