#if Lab
import ArgumentParser
import Foundation
import Torture

struct TortureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture", abstract: "Faults into real boots: every cut, every error; fails if the contract does not hold.")

    @Option(help: "The firmware, built for this machine.") var firmware = "build/x86_64/firstlightd"
    @Option(help: "SQLite's own corrupt databases, as scripts/corpora fetched them.") var corpora: String?
    @Flag(help: "Every fault there is; without, a sample of each kind.") var full = false
    @Option(help: "For the faults that are chosen at random.") var seed: UInt64 = 1
    @Option(help: "Only kinds of faults whose names contain this.") var kind = ""
    @Option(help: "Only scenarios whose names contain this; or damaged filesystems: \"image 017\".") var scenario = ""
    @Option(help: "Of so many faults one is tried.") var stride: Int?
    @Option(help: "Of each kind and scenario so many failures are shown.") var show = 3
    @Option(help: "A file for the image of a damaged filesystem that is tried alone.") var keep: String?

    func run() throws {
        guard geteuid() == 0 else { throw ValidationError("needs root: loop devices, FUSE, and mounts in a namespace of its own") }
        var bench = Bench(firmware: URL(fileURLWithPath: firmware).path)
        bench.full = full
        bench.seed = seed
        bench.kind = kind
        bench.scenario = scenario
        bench.stride = stride
        bench.keep = keep.map { URL(fileURLWithPath: $0).path }
        bench.corpora = corpora.map { URL(fileURLWithPath: $0).path }
        let start = Date()
        let cells = try bench.run { cell in
            let line = "\(cell.kind.rawValue), \(cell.scenario)".padding(toLength: 64, withPad: " ", startingAt: 0)
            print("\(line) \(cell.tried) faults, \(cell.failures.count) failures, \(Int(cell.seconds)) s")
            for failure in cell.failures.prefix(show) { print("    \(failure.fault): \(failure.problem.replacingOccurrences(of: "\n", with: "\n        "))") }
            for (text, count) in cell.remarks.sorted(by: { $0.key < $1.key }) { print("    \(count) × \(text)") }
            fflush(nil)
        }
        print(TortureTable(cells).text)
        let failures = cells.reduce(0) { $0 + $1.failures.count }
        let tried = cells.reduce(0) { $0 + $1.tried }
        print("\(tried) faults, \(failures) failures, \(Int(Date().timeIntervalSince(start))) s")
        if failures > 0 || tried == 0 { throw ExitCode(1) }
    }
}

struct TortureLaneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture-lane", abstract: "One part of it, in a process of its own.", shouldDisplay: false)

    @Option var firmware: String
    @Option var folder: String
    @Argument var lane: String

    func run() throws {
        let lane = try JSONDecoder().decode(Lane.self, from: Data(lane.utf8))
        let result = try lane.run(firmware: firmware, folder: folder)
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
}
#endif
