#if Lab
import Foundation

/// One process of the bench: one kind of fault in one scenario, or a part of it, on a machine of its own.
public struct Lane: Codable, Sendable {
    public let kind: String
    /// Empty for a kind that has cases of its own.
    public let scenario: String
    public let part: Int
    public let of: Int
    /// Every so many faults one is tried.
    public let stride: Int
    public let seed: UInt64
    /// Stops at the first failure: of a planted bug one is enough.
    public let untilFirst: Bool
    /// A planted bug that the firmware has; what is right is found out without it.
    var mutant: String?
    /// Where SQLite's own corrupt databases are; without, their cases are left out.
    var corpora: String?
    /// So many hostile files, chosen by the seed; all of them without.
    var sample: Int?
    /// Of the damaged filesystems, only those whose names contain this.
    var only: String?
    /// Where the last of them is written to, as it was before any boot.
    var keep: String?

    /// What came of it, as its last line of output.
    public struct Result: Codable, Sendable {
        public var tried = 0
        public var failures: [Failure] = []
        public var remarks: [String: Int]? = nil
    }

    public struct Failure: Codable, Sendable {
        public let fault: String
        public let problem: String
    }

    /// Runs it, with everything it mounts gone at its end.
    public func run(firmware: String, folder: String) throws -> Result {
        try Machine.isolate()
        guard let kind = FaultKind(rawValue: kind) else { throw TortureError("no such kind of fault: \(self.kind)") }
        let own = CasesOfTheirOwn(firmware: firmware, folder: folder, stride: stride, seed: seed)
        var tally = Tally(part: part, of: of, untilFirst: untilFirst)
        let machine = try Machine(folder: folder + "/machine", firmware: firmware)
        defer { machine.remove() }
        do {
            switch kind {
            case .powerCuts: try PowerCuts(rehearsal: rehearsal(machine), machine: machine, stride: stride, seed: seed).run(&tally)
            case .blockErrors: try BlockErrors(rehearsal: rehearsal(machine), machine: machine, stride: stride).run(&tally)
            case .kills: try SyscallFaults(rehearsal: rehearsal(machine), machine: machine, stride: stride).kills(&tally)
            case .callErrors: try SyscallFaults(rehearsal: rehearsal(machine), machine: machine, stride: stride).errors(&tally)
            case .memory: try own.allocations(&tally)
            case .hostileFiles: try own.hostileFiles(&tally, corpora: corpora, sample: sample)
            case .badWorkers:
                machine.mutant = mutant
                try BadWorkers(machine: machine).run(&tally)
            case .damagedFilesystems:
                var images = DamagedFilesystems(firmware: firmware, folder: folder, stride: stride, seed: seed)
                (images.mutant, images.only, images.keep) = (mutant, only ?? "", keep)
                try images.run(&tally)
            }
        } catch is Tally.Enough {
        }
        return Result(tried: tally.tried, failures: tally.failures, remarks: tally.remarks)
    }

    private func rehearsal(_ machine: Machine) throws -> Rehearsal {
        guard let scenario = Scenario.all.first(where: { $0.name == self.scenario }) else {
            throw TortureError("no such scenario: \(self.scenario)")
        }
        var rehearsal = try Rehearsal(scenario, on: machine)
        if let mutant { try rehearsal.record(mutant, on: machine) }
        return rehearsal
    }
}
#endif
