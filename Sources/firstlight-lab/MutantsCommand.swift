#if Lab
import ArgumentParser
import Foundation
import Torture

struct PlantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plant", abstract: "Plants bugs in a copy of the sources, each to be switched on by FIRSTLIGHT_MUTANT=NAME.")

    @Argument(help: "The copy of the repository.") var copy: String

    func run() throws { try Mutant.plant(in: copy) }
}

struct MutantsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutants", abstract: "Tests the bench: every planted bug has to be found by some fault.")

    @Option(help: "The firmware with the bugs in it.") var firmware = "build/mutants/firstlightd"
    @Option(help: "Only mutants whose names contain this.") var only = ""
    @Option(help: "Of all mutants every so manieth, by the seed.") var sample = 1
    @Option var seed = 1

    func run() throws {
        var missed = 0
        let mutants = Mutant.all.enumerated().filter { ($0.offset + seed) % sample == 0 && (only.isEmpty || $0.element.name.contains(only)) }
        for (_, mutant) in mutants {
            let start = Date()
            var found: (Bench.Cell, Lane.Failure)?
            // Roughly first, then closely.
            for stride in [12, 3, 1] where found == nil {
                for finder in mutant.finders where found == nil {
                    var bench = Bench(firmware: URL(fileURLWithPath: firmware).path)
                    bench.mutant = mutant.name
                    bench.kind = finder.kind.rawValue
                    bench.exactScenario = finder.scenario
                    bench.stride = stride
                    let cells = try bench.run { _ in }
                    for cell in cells {
                        guard let failure = cell.failures.first else { continue }
                        if failure.fault == "the bench itself" { throw ValidationError("\(mutant.name): \(failure.problem)") }
                        found = (cell, failure)
                    }
                }
            }
            let name = mutant.name.padding(toLength: 56, withPad: " ", startingAt: 0)
            if let (cell, failure) = found {
                let scenario = cell.scenario.isEmpty ? "" : ", \(cell.scenario)"
                print("found   \(name) \(cell.kind.rawValue)\(scenario): \(failure.fault) (\(Int(Date().timeIntervalSince(start))) s)")
                print("            \(failure.problem.split(separator: "\n").first?.prefix(160) ?? "")")
            } else {
                missed += 1
                print("MISSED  \(name)")
            }
            fflush(nil)
        }
        print("\(mutants.count) planted bugs, \(missed) missed")
        if missed > 0 || mutants.isEmpty { throw ExitCode(1) }
    }
}
#endif
