#if Lab
import CTorture
import Foundation
import Glibc
import Synchronization

/// Runs a program under ptrace(2), with all that comes of it, and puts one fault into one of its system calls.
///
/// Everything the program does goes on as it would by itself: signals, signalfd, death signals, stopped processes. Only
/// the selected calls stop it: a seccomp filter, which its children inherit.
///
/// ptrace belongs to a thread. Each run makes its own, so that `run` may be called from anywhere and by several lanes
/// at once, and never waits for anybody else's children. Nothing of a run outlives it (but see
/// `TracerResult.unkillable`), even where the bench itself is killed.
public final class Tracer: Sendable {
    private let path: String
    private let arguments: [String]
    private let environment: [String: String]
    private let output: String
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - path: absolute; PATH is not searched.
    ///   - environment: the whole of it.
    ///   - output: a file that standard output and error are added to.
    public init(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:], output: String = "/dev/null"
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.output = output
    }

    /// One run to its end: when this returns, nothing of the program is left.
    /// - Parameters:
    ///   - selection: the calls that are counted, and listed in the result. The fewer names, the faster.
    ///   - fault: nil to look only.
    ///   - finish: when it has done what it was started for. Not waited for once the first process has ended.
    ///   - limit: how long all of it may take; everything is killed then.
    ///   - grace: how long the others may go on after the first process's end before they count as orphans.
    /// - Throws: when the program could not be started, or a name is no system call.
    public func run(
        _ selection: SyscallSelection, fault: SyscallFault? = nil, until finish: TracerFinish = .end,
        limit: Duration = .seconds(60), grace: Duration = .seconds(2)
    ) throws(TracerError) -> TracerResult {
        let outcome = Mutex<Result<TracerResult, TracerError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread { [self] in
            let result = Result { () throws(TracerError) in
                try trace(selection, fault: fault, until: finish, limit: limit, grace: grace)
            }
            outcome.withLock { $0 = result }
            done.signal()
        }
        thread.start()
        done.wait()
        return try outcome.withLock { $0! }.get()
    }

    /// Ends the runs under way, and every later one at once.
    public func stop() { isStopped.store(true, ordering: .relaxed) }

    private func trace(
        _ selection: SyscallSelection, fault: SyscallFault?, until finish: TracerFinish, limit: Duration,
        grace: Duration
    ) throws(TracerError) -> TracerResult {
        let calls = try numbers(selection, finish)
        let trouble = tracer_ticks_begin(Tracer.tick)
        if trouble != 0 { throw TracerError("timer_create", path, code: trouble) }
        defer { tracer_ticks_end() }
        let first = try start(calls)
        var loop = TracerLoop(first, selection, fault: fault, until: finish, limit: limit, grace: grace)
        let result = loop.run { isStopped.load(ordering: .relaxed) }
        if let code = loop.failedStart { throw TracerError("execute", path, code: code) }
        return result
    }

    /// How often stop, limit and `TracerFinish.when` are looked at while nothing happens, in milliseconds.
    private static let tick: Int32 = 20

    /// What the filter stops at; nil for everything.
    private func numbers(_ selection: SyscallSelection, _ finish: TracerFinish) throws(TracerError) -> [Int32]? {
        // A call that names no file touches none of ours.
        guard let names = selection.names ?? (selection.paths == nil ? nil : Syscall.onFiles) else { return nil }
        var numbers: [Int32] = []
        for name in names.union(finish.calls) {
            if let number = try Syscall.number(name) { numbers.append(number) }
        }
        return numbers
    }

    private func start(_ calls: [Int32]?) throws(TracerError) -> pid_t {
        let file = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if file < 0 { throw TracerError("open", output, code: errno) }
        defer { close(file) }
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = path.withCString { path in
            argv.withUnsafeMutableBufferPointer { argv in
                envp.withUnsafeMutableBufferPointer { envp in
                    (calls ?? []).withUnsafeBufferPointer { numbers in
                        var program = tracer_program(
                            path: path, argv: argv.baseAddress, envp: envp.baseAddress, output: file,
                            calls: numbers.baseAddress, call_count: calls.map { Int32($0.count) } ?? -1)
                        return tracer_start(&program, &pid)
                    }
                }
            }
        }
        if code != 0 { throw TracerError("trace", path, code: code) }
        return pid
    }
}
#endif
