#if Lab
/// The kinds of faults that have cases of their own, each one process's share of them.
struct CasesOfTheirOwn {
    let firmware: String
    let folder: String
    let stride: Int
    let seed: UInt64

    /// Hostile files, judged by the tool that a person would use.
    func hostileFiles(_ tally: inout Tally, corpora: String?, sample: Int?) throws {
        let files = try HostileFiles(
            tool: firmware.replacing(/firstlightd$/, with: "firstlightctl"), folder: folder + "/hostile", corpora: corpora)
        let cases = sample.map { files.sample($0, seed: seed) } ?? files.cases
        for (number, one) in cases.enumerated() where tally.isMine(number, stride: stride) {
            let problem: String?
            // What cannot be judged is a failure of its own, and the others are tried all the same.
            do { problem = try files.run(one) } catch { problem = "the bench: \(error)" }
            try tally.note(one.name, problem)
        }
    }

    /// Memory that SQLite is refused.
    func allocations(_ tally: inout Tally) throws {
        let faults = try AllocationFaults(folder: folder + "/allocations")
        for (number, scenario) in AllocationScenario.allCases.enumerated() where tally.isMine(number, stride: 1) {
            for forEver in [false, true] {
                let count = try faults.count(scenario)
                let failures = try faults.run(scenario, 0..<count, stride: stride, forEver: forEver)
                tally.count((count + stride - 1) / stride - failures.count)
                for failure in failures { try tally.note(String(failure.prefix { $0 != ":" }), failure) }
            }
        }
    }
}
#endif
