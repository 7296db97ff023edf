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
                        let problem = try attempt(fault, isTwice: tally.isTwice, isConfirmed: tally.isConfirmed)
                        try tally.note(
                            "\(word) \(index) \(fromThenOn ? "and all behind it " : "")\(code == EIO ? "EIO" : "ENOSPC")", problem)
                    }
                }
            }
        }
    }

    /// - Parameter isTwice: the next boot meets the same fault, the application at work in between.
    private func attempt(_ fault: FuseDisk.Fault, isTwice: Bool, isConfirmed: Bool) throws -> String? {
        machine.contents = rehearsal.disk
        defer { machine.disk.inject(nil) }
        try rehearsal.scenario.order?(machine)
        let judge = Judge(rehearsal: rehearsal, machine: machine)
        var acknowledged = Judge.Acknowledged()
        var trace = ""
        for number in 1...(isTwice ? 2 : 1) {
            machine.disk.inject(fault)
            let boot = try machine.boot()
            machine.disk.inject(nil)
            judge.work(behind: boot, &acknowledged)
            machine.unmount()
            if let wrong = judge.judgeFaulty(boot, isSecond: number == 2) { return "\(wrong)\n\(trace)" }
            trace += "boot \(number) with the fault: \(boot.text)\n\(boot.log)\n"
            acknowledged.add(boot, judge)
        }
        return try judge.settle(acknowledged, mayRest: isTwice, isConfirmed: isConfirmed).map { "\($0)\n\(trace)" }
    }
}
#endif
