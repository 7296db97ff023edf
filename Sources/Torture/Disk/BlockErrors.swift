#if Lab
import Foundation

/// Errors at block level: the n-th read, write or flush that the disk is asked for fails, once or from then on.
struct BlockErrors {
    let rehearsal: Rehearsal
    let machine: Machine
    let stride: Int

    func run(_ tally: inout Tally) throws {
        var number = 0
        for (operation, word, codes) in [
            (FuseDisk.Operation.read, "read", [EIO]), (.write, "write", [EIO, ENOSPC]), (.flush, "flush", [EIO, ENOSPC]),
        ] {
            for index in 0..<(rehearsal.requests[operation] ?? 0) {
                for code in codes {
                    for fromThenOn in [false, true] {
                        number += 1
                        guard tally.isMine(number, stride: stride) else { continue }
                        let fault = FuseDisk.Fault(operation: operation, index: index, code: code, fromThenOn: fromThenOn)
                        let problem = try attempt(fault, isConfirmed: tally.isConfirmed)
                        try tally.note(
                            "\(word) \(index) \(fromThenOn ? "and all behind it " : "")\(code == EIO ? "EIO" : "ENOSPC")", problem)
                    }
                }
            }
        }
    }

    private func attempt(_ fault: FuseDisk.Fault, isConfirmed: Bool) throws -> String? {
        machine.contents = rehearsal.disk
        machine.disk.inject(fault)
        defer { machine.disk.inject(nil) }
        try rehearsal.scenario.order?(machine)
        let boot = try machine.boot()
        machine.disk.inject(nil)
        let judge = Judge(rehearsal: rehearsal, machine: machine)
        let worked = judge.work(behind: boot)
        machine.unmount()
        if let wrong = judge.judgeFaulty(boot) { return wrong }
        let acknowledged = Judge.Acknowledged(told: boot.outcome == rehearsal.scenario.outcome, done: judge.isDone(boot), worked: worked)
        return try judge.settle(acknowledged, isConfirmed: isConfirmed).map { "\($0)\nthe boot with the fault: \(boot.text)\n\(boot.log)" }
    }
}
#endif
