#if Lab
import CTorture
import Glibc
import Linux

/// One run of a tracer, on its thread: takes the tracees' stops one by one until none is left.
///
///     running ──finish(_:)──► killing ──► no tracee left, or unkillable
///        │ first process ended    ▲
///        ▼                        │ grace over: those left are orphans
///     draining ───────────────────┘
///        └──► no tracee left
struct TracerLoop {
    private enum State: Equatable {
        case running
        case draining(until: ContinuousClock.Instant)
        case killing(until: ContinuousClock.Instant)
    }

    /// What is due when a call that is being executed comes back.
    private struct Return {
        var mayFinish = false
        var result: Int64?
    }

    private let first: pid_t
    private let selection: SyscallSelection
    private let fault: SyscallFault?
    private let finish: TracerFinish
    private let grace: Duration
    private let start = ContinuousClock.now
    private let deadline: ContinuousClock.Instant
    private var state = State.running
    private var result = TracerResult()
    /// Where in `result.processes` each living thread's process is.
    private var threads: [pid_t: Int] = [:]
    private var returns: [pid_t: Return] = [:]
    /// How many processes the target has fitted, and which of them, by its place in `result.processes`, is meant.
    private var fitting = 0
    private var meant: Int?
    private var ordinals: [String: Int] = [:]
    /// The finish's file is in place.
    private var hasAppeared = false
    /// The errno of a program that never came to be.
    private(set) var failedStart: Int32?

    /// How long a process may take to go after SIGKILL.
    private static let killLimit = Duration.seconds(10)

    init(
        _ first: pid_t, _ selection: SyscallSelection, fault: SyscallFault?, until finish: TracerFinish,
        limit: Duration, grace: Duration
    ) {
        self.first = first
        self.selection = selection
        self.fault = fault
        self.finish = finish
        self.grace = grace
        deadline = start + limit
        result.processes.append(TracerProcess(id: first, isFirst: true))
        threads[first] = 0
    }

    mutating func run(isStopped: () -> Bool) -> TracerResult {
        while true {
            let stop = tracer_wait()
            if stop.kind == TRACER_NONE_LEFT { break }
            if stop.kind != TRACER_TICK { take(stop) }
            if !look(isStopped: isStopped, isIdle: stop.kind == TRACER_TICK) { break }
        }
        result.duration = ContinuousClock.now - start
        return result
    }

    // ---- Time ----

    /// False when there is nothing more to wait for.
    private mutating func look(isStopped: () -> Bool, isIdle: Bool) -> Bool {
        let now = ContinuousClock.now
        if case .killing(let until) = state {
            if now < until { return true }
            result.unkillable = alive
            return false
        }
        if now >= deadline {
            finish(.timedOut)
        } else if isStopped() {
            finish(.stopped)
        } else if case .draining(let until) = state, now >= until {
            for index in result.processes.indices where result.processes[index].end == nil {
                result.processes[index].outlivedFirst = true
            }
            result.orphans = alive
            finish(.ended)
        } else if isIdle, state == .running, case .when(let condition) = finish {
            // What it calls is not to be interrupted by our ticks.
            tracer_ticks_hold(1)
            let holds = condition()
            tracer_ticks_hold(0)
            if holds { finish(.finished) }
        }
        return true
    }

    private mutating func finish(_ cause: TracerResult.Cause) {
        result.cause = cause
        state = .killing(until: ContinuousClock.now + TracerLoop.killLimit)
        for process in alive { kill(process.id, SIGKILL) }
    }

    private var alive: [TracerProcess] { result.processes.filter { $0.end == nil } }

    // ---- Stops ----

    private mutating func take(_ stop: tracer_stop) {
        let pid = stop.pid
        switch stop.kind {
        case TRACER_EXITED: return ended(pid, .exited(stop.value))
        case TRACER_KILLED: return ended(pid, .killed(signal: stop.value))
        case TRACER_FORKED: know(stop.value)
        case TRACER_EXECUTED: executed(pid, by: stop.value)
        default: know(pid)
        }
        if case .killing = state {
            // It may have been born since the others were killed.
            kill(pid, SIGKILL)
            return
        }
        switch stop.kind {
        case TRACER_CALL: call(pid)
        case TRACER_RETURNED: returned(pid)
        case TRACER_GROUP_STOP: _ = tracer_listen(pid)
        case TRACER_SIGNAL: _ = tracer_resume(pid, stop.value)
        default: _ = tracer_resume(pid, 0)
        }
    }

    /// Its birth and its parent's word of it come in any order.
    private mutating func know(_ pid: pid_t) {
        guard threads[pid] == nil, let status = TracerProcess.status(pid) else { return }
        if status.process != pid {
            threads[pid] = threads[status.process]
            return
        }
        threads[pid] = result.processes.count
        result.processes.append(TracerProcess(id: pid, isChildOfFirst: status.parent == first))
        choose(pid)
    }

    private mutating func executed(_ pid: pid_t, by thread: pid_t) {
        know(pid)
        guard let index = threads[pid] else { return }
        // Its other threads are gone, and the one that did it has this number now.
        for (other, process) in threads where process == index && other != pid { threads[other] = nil }
        if thread != pid { returns[pid] = returns.removeValue(forKey: thread) }
        result.processes[index].arguments = TracerProcess.arguments(pid)
        choose(pid)
    }

    /// The n-th process that the target fits is the one meant; what no longer fits keeps its number.
    private mutating func choose(_ pid: pid_t) {
        guard let index = threads[pid], meant != index else { return }
        guard selection.target.matches(result.processes[index]) else { return }
        if fitting == selection.process { meant = index }
        fitting += 1
    }

    private mutating func ended(_ pid: pid_t, _ end: ChildProcess.End) {
        returns[pid] = nil
        guard let index = threads.removeValue(forKey: pid), result.processes[index].id == pid else { return }
        result.processes[index].end = end
        if case .draining = state { result.processes[index].outlivedFirst = true }
        guard pid == first else { return }
        if !result.processes[index].hasExecuted, case .exited(let code) = end { failedStart = code }
        if state == .running { state = .draining(until: ContinuousClock.now + grace) }
    }

    // ---- Calls ----

    private mutating func call(_ pid: pid_t) {
        guard let index = threads[pid], let call = TracerCall(pid) else {
            _ = tracer_resume(pid, 0)
            return
        }
        if hasSettled(pid, call) { return finish(.finished) }
        var due = Return(mayFinish: call.puts(finish.path))
        if isDue(call, of: index), let fault {
            result.deliveries += 1
            switch fault.action {
            case .kill:
                // A call whose process is about to die is skipped: __seccomp_filter in kernel/seccomp.c looks at
                // fatal_signal_pending.
                kill(result.processes[index].id, SIGKILL)
                return
            case .succeed(_, let value): _ = tracer_skip(pid, value)
            case .error(let code, _, let executed):
                if executed || Syscall.isExecutedThoughItFails(call.name) {
                    due.result = -Int64(code)
                } else {
                    _ = tracer_skip(pid, -Int64(code))
                }
            }
        }
        if due.mayFinish || due.result != nil {
            returns[pid] = due
            _ = tracer_resume_to_return(pid)
        } else {
            _ = tracer_resume(pid, 0)
        }
    }

    private mutating func returned(_ pid: pid_t) {
        if let due = returns.removeValue(forKey: pid) {
            var value: Int64 = 0
            if due.mayFinish, tracer_get_result(pid, &value) == 0, value == 0 { hasAppeared = true }
            if let result = due.result { _ = tracer_set_result(pid, result) }
            if hasAppeared, case .appears = finish { return finish(.finished) }
        }
        _ = tracer_resume(pid, 0)
    }

    /// Notes a selected call, and says whether the fault goes into it.
    private mutating func isDue(_ call: TracerCall, of index: Int) -> Bool {
        let process = result.processes[index]
        let isMeant = index == meant || selection.target == .any
        let isBroken = result.delivered != nil && fault?.lasting == .fromThenOn
        guard isMeant || isBroken, selection.target.matches(process) else { return false }
        guard selection.names?.contains(call.name) ?? true else { return false }
        let paths = call.paths
        guard selection.includes(paths) else { return false }
        if !isMeant { return true }
        let ordinal = ordinals[call.name, default: 0]
        ordinals[call.name] = ordinal + 1
        let event = SyscallEvent(
            number: result.events.count, ordinal: ordinal, name: call.name, process: process.label, paths: paths,
            arguments: call.arguments)
        result.events.append(event)
        guard event.number == fault?.number else { return isBroken }
        result.delivered = event
        return true
    }

    /// A worker that has ended and is not yet waited for is still to be dealt with: its supervisor will not sleep in
    /// this poll.
    private func hasSettled(_ pid: pid_t, _ call: TracerCall) -> Bool {
        guard hasAppeared, pid == first, case .settled = finish else { return false }
        return TracerFinish.waits.contains(call.name) && alive.count == 1 && !TracerProcess.hasChildren(pid)
    }
}
#endif
