#if Lab
import Foundation

/// Scenarios × faults, on as many processes as the machine has cores.
public struct Bench: Sendable {
    public var firmware: String
    /// Every fault there is, or a sample of each kind.
    public var full = false
    public var seed: UInt64 = 1
    /// Only kinds and scenarios whose names contain these words.
    public var kind = ""
    public var scenario = ""
    /// Only the scenario of this very name.
    public var exactScenario: String?
    /// Where SQLite's own corrupt databases are.
    public var corpora: String?
    /// A planted bug, by its name, that is switched on in `firmware`.
    public var mutant: String?
    /// Where the image of a damaged filesystem goes that is tried alone.
    public var keep: String?
    /// Instead of the kind's own: every so many faults one is tried.
    public var stride: Int?

    /// What came of one kind of fault in one scenario.
    public struct Cell: Sendable {
        public let kind: FaultKind
        public let scenario: String
        public var tried = 0
        public var failures: [Lane.Failure] = []
        public var seconds = 0.0
        /// What became of them, as often as it did.
        public var remarks: [String: Int] = [:]
    }

    public init(firmware: String) { self.firmware = firmware }

    /// Runs all of it, and tells `progress` of each cell that is done.
    public func run(progress: (Cell) -> Void) throws -> [Cell] {
        var jobs = lanes()
        var cells: [String: Cell] = [:]
        var running: [(lane: Lane, process: Process, folder: String, start: Date)] = []
        var open: [String: Int] = [:]
        for job in jobs { open[key(job), default: 0] += 1 }
        jobs.reverse()
        let root = "/dev/shm/firstlight-torture-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        var number = 0
        // A boot waits for the disk most of the time.
        let atOnce = 3 * max(1, ProcessInfo.processInfo.activeProcessorCount)
        while !jobs.isEmpty || !running.isEmpty {
            while running.count < atOnce, let lane = jobs.popLast() {
                number += 1
                let folder = "\(root)/\(number)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                running.append((lane, try start(lane, folder), folder, Date()))
            }
            usleep(20_000)
            for (index, job) in running.enumerated().reversed() {
                guard let end = job.process.poll() else { continue }
                running.remove(at: index)
                let result = result(job.folder, end, job.lane)
                try? FileManager.default.removeItem(atPath: job.folder)
                let key = key(job.lane)
                var cell = cells[key] ?? Cell(kind: FaultKind(rawValue: job.lane.kind)!, scenario: job.lane.scenario)
                cell.tried += result.tried
                cell.failures += result.failures
                cell.remarks.merge(result.remarks ?? [:]) { $0 + $1 }
                cell.seconds += Date().timeIntervalSince(job.start)
                cells[key] = cell
                open[key]! -= 1
                if open[key] == 0 { progress(cell) }
                if mutant != nil, !result.failures.isEmpty { jobs = [] }
            }
        }
        return Array(cells.values)
    }

    private func key(_ lane: Lane) -> String { "\(lane.kind) / \(lane.scenario)" }

    /// In parts, so that the last one does not keep a single core busy for long.
    private func lanes() -> [Lane] {
        FaultKind.allCases.filter { kind.isEmpty || $0.rawValue.contains(kind) }.flatMap { kind in
            let names = kind.hasScenarios ? Scenario.all.map { $0.name } : [""]
            return names.filter { isWanted($0) || kind == .damagedFilesystems && isImage }.flatMap { name in
                let parts = full ? 4 : kind.sampleParts
                return (0..<parts).map { part in
                    Lane(
                        kind: kind.rawValue, scenario: name, part: part, of: parts,
                        stride: stride ?? (full ? kind.fullStride : kind.sampleStride), seed: seed, untilFirst: mutant != nil, mutant: mutant,
                        corpora: corpora, sample: full ? nil : 300, only: isImage ? scenario : nil, keep: keep)
                }
            }
        }
    }

    /// A damaged filesystem has a name, and no scenario.
    private var isImage: Bool { scenario.hasPrefix("image") }

    private func isWanted(_ name: String) -> Bool {
        if let exactScenario { return name == exactScenario }
        return scenario.isEmpty || name.contains(scenario)
    }

    private func start(_ lane: Lane, _ folder: String) throws -> Process {
        let text = String(decoding: try JSONEncoder().encode(lane), as: UTF8.self)
        return try Process.start(
            FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            ["torture-lane", "--firmware", firmware, "--folder", folder, text], output: folder + "/output",
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
    }

    /// A lane that ends without one is itself a failure.
    private func result(_ folder: String, _ end: String, _ lane: Lane) -> Lane.Result {
        let output = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
        if end == "exit 0", let line = output.split(separator: "\n").last,
            let result = try? JSONDecoder().decode(Lane.Result.self, from: Data(line.utf8))
        {
            return result
        }
        return Lane.Result(tried: 0, failures: [Lane.Failure(fault: "the bench itself", problem: "\(end)\n\(output.suffix(3000))")])
    }
}
#endif
