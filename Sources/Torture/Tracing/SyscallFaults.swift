#if Lab
import Foundation
import Linux

/// Faults at the border to the kernel: a process that is gone before any of its system calls, or one that any of them lets down.
struct SyscallFaults {
    let rehearsal: Rehearsal
    let machine: Machine
    /// Every so many faults one is tried.
    let stride: Int

    /// The processes of a boot; each is looked at by itself, since what a call does to one is nothing to the others.
    private static let targets: [(name: String, target: TracerTarget)] = [
        ("repository", .worker("repository")), ("data", .worker("data")), ("supervisor", .supervisor),
    ]

    /// SIGKILL before every system call. Between two calls of which the first only looked nothing has changed, and one kill is both.
    func kills(_ tally: inout Tally) throws {
        var last: SyscallEvent?
        try sweep(&tally, paths: nil) { event in
            defer { last = event }
            guard let last, last.process == event.process else { return [.kill] }
            return Syscall.onlyLooks(last.name) ? [] : [.kill]
        }
    }

    /// Every error that makes sense for a call on one of our files, once and from then on.
    func errors(_ tally: inout Tally) throws {
        try sweep(&tally, paths: [machine.mount, machine.loop.path, machine.run]) { [run = machine.run] event in
            // Where nothing can be told any more, READY cannot be, either.
            event.faults.filter { fault in
                guard case .error(_, .fromThenOn, _) = fault else { return true }
                return !event.paths.contains { $0.hasPrefix(run) }
            }
        }
    }

    private func sweep(
        _ tally: inout Tally, paths: [String]?, faults: (SyscallEvent) -> [SyscallFault.Action]
    ) throws {
        var number = 0
        for (name, target) in Self.targets {
            let selection = SyscallSelection(target, paths: paths)
            machine.contents = rehearsal.disk
            try rehearsal.scenario.order?(machine)
            let (_, seen) = try machine.traced(selection)
            machine.unmount()
            for event in seen.events {
                for action in faults(event) {
                    number += 1
                    guard tally.isMine(number, stride: stride) else { continue }
                    let fault = SyscallFault(event.number, action)
                    let problem = try attempt(
                        selection, fault, isSupervisor: name == "supervisor", isTwice: tally.isTwice, isConfirmed: tally.isConfirmed)
                    try tally.note("\(event.text): \(fault.text)", problem)
                }
            }
        }
    }

    private func attempt(
        _ selection: SyscallSelection, _ fault: SyscallFault, isSupervisor: Bool, isTwice: Bool, isConfirmed: Bool
    ) throws -> String? {
        machine.contents = rehearsal.disk
        try rehearsal.scenario.order?(machine)
        let judge = Judge(rehearsal: rehearsal, machine: machine)
        var acknowledged = Judge.Acknowledged()
        var trace = ""
        for number in 1...(isTwice ? 2 : 1) {
            let (boot, result) = try machine.traced(selection, fault)
            judge.work(behind: boot, &acknowledged)
            machine.unmount()
            trace += "boot \(number) with the fault: \(boot.text)\n\(boot.log)\n"
            if !result.unkillable.isEmpty { return "a process hangs in the kernel\n\(trace)" }
            if isSupervisor && result.cause == .ended {
                // A supervisor that is gone tells nothing; what it had begun must not go on without it.
                if !result.orphans.isEmpty { return "orphans go on: \(result.orphans.map { $0.label })\n\(trace)" }
                guard fault.action == .kill else { return "the supervisor ended\n\(trace)" }
                continue
            }
            if let wrong = judge.judgeFaulty(boot, isSecond: number == 2) { return "\(wrong)\n\(trace)" }
            acknowledged.add(boot, judge)
        }
        return try judge.settle(acknowledged, mayRest: isTwice, isConfirmed: isConfirmed).map { "\($0)\n\(trace)" }
    }
}
#endif
