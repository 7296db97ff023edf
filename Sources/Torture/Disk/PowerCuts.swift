#if Lab
import Foundation

/// Power cuts at block level: every state that the disk can be in, and the boot that finds it.
struct PowerCuts {
    let rehearsal: Rehearsal
    let machine: Machine
    /// Every so many states one is tried.
    let stride: Int
    let seed: UInt64

    /// Random choices of blocks in each epoch.
    private static let subsets = 20
    /// Of so many recoveries one is cut itself, in so many places.
    private static let again = 25
    private static let placesAgain = 6

    func run(_ tally: inout Tally) throws {
        machine.contents = rehearsal.disk
        try tally.note("no fault", Judge(rehearsal: rehearsal, machine: machine).settle(Judge.Acknowledged()))
        let states = CrashStates(log: rehearsal.log)
        let all = states.all(subsets: Self.subsets, seed: seed)
        var disk = rehearsal.disk
        var done = 0
        let ordered = all.enumerated().sorted { ($0.element.whole, $0.offset) < ($1.element.whole, $1.offset) }
        for (number, (_, state)) in ordered.enumerated() where tally.isMine(number, stride: stride) {
            disk.withUnsafeMutableBytes { states.apply(CrashStates.State(name: "", whole: state.whole), to: $0, from: done) }
            done = state.whole
            machine.contents = disk
            states.apply(CrashStates.State(name: "", whole: 0, pieces: state.pieces), to: machine.disk.bytes)
            machine.loop.forget()
            let acknowledged = Judge.Acknowledged(
                told: state.isAfter(rehearsal.ready), done: state.isAfter(rehearsal.ready), row: state.isAfter(rehearsal.commit))
            if number % (Self.again * stride) == 0 {
                try cutAgain(state, acknowledged, &tally)
            } else {
                try tally.note(state.name, Judge(rehearsal: rehearsal, machine: machine).settle(acknowledged, isConfirmed: tally.isConfirmed))
            }
        }
    }

    /// The power goes again while the appliance recovers.
    private func cutAgain(_ state: CrashStates.State, _ acknowledged: Judge.Acknowledged, _ tally: inout Tally) throws {
        let before = machine.contents
        machine.disk.record(true)
        _ = try machine.boot()
        let log = machine.disk.log
        machine.disk.record(false)
        machine.unmount()
        let states = CrashStates(log: log)
        var generator = SeededGenerator(seed: UInt64(state.whole))
        for second in states.all(subsets: 4, seed: seed).shuffled(using: &generator).prefix(Self.placesAgain) {
            machine.contents = before
            states.apply(second, to: machine.disk.bytes)
            machine.loop.forget()
            try tally.note(
                "\(state.name), then \(second.name)",
                Judge(rehearsal: rehearsal, machine: machine).settle(acknowledged, mayRest: true))
        }
    }
}
#endif
