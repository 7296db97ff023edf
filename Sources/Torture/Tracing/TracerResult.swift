#if Lab
import Glibc
import Linux

/// What came of a program under a tracer.
public struct TracerResult: Sendable {
    /// What ended the run.
    public enum Cause: Sendable, Equatable {
        /// What it was to wait for has come.
        case finished
        /// The first process ended, and all others were given their time to.
        case ended
        /// The limit: everything was killed.
        case timedOut
        /// `Tracer.stop`.
        case stopped
    }

    public internal(set) var cause = Cause.ended
    /// The selected calls that were about to be executed, in order.
    public internal(set) var events: [SyscallEvent] = []
    /// The call that the fault was put in, the first of them for a lasting one; nil when it was never reached.
    public internal(set) var delivered: SyscallEvent?
    /// How many calls the fault was put in.
    public internal(set) var deliveries = 0
    /// All processes, the first one first, with how they ended.
    public internal(set) var processes: [TracerProcess] = []
    /// Those that were still there when the first had ended and the grace was over: orphans that go on. They were
    /// killed then.
    public internal(set) var orphans: [TracerProcess] = []
    /// Those that were there when the first had ended, and ended by themselves within the grace: a worker that saw that
    /// it is an orphan, or a program that did all its work unwatched.
    public var outlived: [TracerProcess] {
        processes.filter { $0.outlivedFirst && $0.end != nil && $0.end != .killed(signal: SIGKILL) }
    }
    /// Those that SIGKILL could not end within ten seconds: they hang in the kernel, and are not traced any more.
    public internal(set) var unkillable: [TracerProcess] = []
    public internal(set) var duration = Duration.zero

    /// How the first process ended; by the tracer's own SIGKILL unless the cause is `ended`.
    public var end: ChildProcess.End? { processes.first?.end }
    public var timedOut: Bool { cause == .timedOut }
}
#endif
