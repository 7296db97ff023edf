#if Lab
import Foundation
import Linux

/// Partitions whose filesystem is damaged, as a generator of random numbers would have it: what can be reached with e2fsck and mount is there
/// after the boot, and nothing is formatted while anything can.
struct DamagedFilesystems {
    let firmware: String
    let folder: String
    let stride: Int
    let seed: UInt64
    /// A planted bug that the firmware has.
    var mutant: String?
    /// Only images whose names contain this.
    var only = ""
    /// A file for the last one.
    var keep: String?

    /// Images with the same seed are the same, whatever their number.
    static let count = 300

    func run(_ tally: inout Tally) throws {
        var benches: [FilesystemTemplate.Kind: (machine: Machine, oracle: FilesystemOracle)] = [:]
        defer {
            for bench in benches.values {
                bench.oracle.remove()
                bench.machine.remove()
            }
        }
        for number in 0..<Self.count where only.isEmpty ? tally.isMine(number, stride: stride) : tally.isMine(number, stride: 1) {
            let kind = FilesystemTemplate.Kind.allCases[number % 4]
            let name = "image \(String(1000 + number).dropFirst()), \(kind.rawValue)"
            guard only.isEmpty || name.contains(only) else { continue }
            let bench = try benches[kind] ?? make(kind)
            benches[kind] = bench
            let damage = FilesystemDamage(
                number, seed: seed &* 1_000_003 &+ UInt64(number), layout: bench.oracle.template.layout, size: kind.size)
            let problem = try attempt(name, damage, bench.machine, bench.oracle, &tally)
            try tally.note(
                "\(name): \(damage.text)",
                problem.map { "\($0)\nalone: --full --seed \(seed) --kind \"damaged filesystems\" --scenario \"\(name)\"" })
        }
    }

    private func make(_ kind: FilesystemTemplate.Kind) throws -> (Machine, FilesystemOracle) {
        let index = FilesystemTemplate.Kind.allCases.firstIndex(of: kind)!
        let machine = try Machine(folder: "\(folder)/damaged-\(index)", firmware: firmware, size: kind.size)
        let template = try FilesystemTemplate(kind, on: machine)
        machine.mutant = mutant
        return (machine, try FilesystemOracle(template, folder: "\(folder)/oracle-\(index)"))
    }

    private func attempt(
        _ name: String, _ damage: FilesystemDamage, _ machine: Machine, _ oracle: FilesystemOracle, _ tally: inout Tally
    ) throws -> String? {
        machine.contents = oracle.template.disk
        damage.apply(to: machine.disk.bytes, older: oracle.template.older)
        machine.loop.forget()
        let image = machine.contents
        if let keep { try Data(image).write(to: URL(fileURLWithPath: keep)) }
        var judge = FilesystemJudge(name, machine: machine, oracle: oracle)
        defer {
            machine.disk.spoil([])
            machine.unmount()
            for remark in judge.remarks { tally.remark(remark) }
        }
        if !damage.unreadable.isEmpty {
            machine.disk.spoil(damage.unreadable)
            if let wrong = try judge.bootsWithReadErrors() { return wrong }
            machine.disk.spoil([])
            machine.loop.forget()
        }
        return try judge.boots(image)
    }
}
#endif
