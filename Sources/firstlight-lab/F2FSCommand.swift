#if Lab
import ArgumentParser
import Foundation
import Torture
import VirtualBoard

struct F2FSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "f2fs", abstract: "Power cuts on f2fs, on the board whose kernel has it.")

    @Option(help: "The folder that scripts/build-image filled.") var board = "build/board"
    @Option(help: "Disks that a cut left, in all.") var disks = 40
    @Option(help: "For those that are chosen.") var seed: UInt64 = 1

    func run() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let interruption = Interruption { scratch.remove() }
        defer { withExtendedLifetime(interruption) {} }
        let start = Date()
        let lane = try F2FSLane(BoardImages(URL(fileURLWithPath: board)), in: scratch)
        let found = try lane.run(count: disks, seed: seed) { text in
            print("f2fs: \(text)")
            fflush(nil)
        }
        for (disk, problem) in found { print("    \(disk): \(problem.replacingOccurrences(of: "\n", with: "\n        "))") }
        print("f2fs: \(disks) faults, \(found.count) failures, \(Int(Date().timeIntervalSince(start))) s")
        if !found.isEmpty { throw ExitCode(1) }
    }
}
#endif
