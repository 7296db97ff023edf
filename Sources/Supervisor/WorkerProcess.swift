internal import BootSequence
internal import CLinux
internal import Linux

/// A worker as its supervisor sees it: a process, the pipe it talks down, and whether it still moves.
final class WorkerProcess {
    let job: BootMachine.Job
    private let child: ChildProcess
    private let pipe: FileDescriptor
    private var buffer: [UInt8] = []
    /// A program the worker runs, whose movement is the worker's too.
    private var program: Int32?
    private var movement = Movement(cpu: 0, io: 0)

    private(set) var phase = Reporter.Phase.working
    /// What it is at, in words, and how much of a hundred of its stage is done where that is known.
    private(set) var step = ""
    private(set) var percent: Int64?
    /// The last line, once it has come.
    private(set) var result: BootMachine.Event?
    /// When it was started, in Clock.milliseconds.
    let started: Int64
    /// When it last gave a sign of life, in Clock.milliseconds.
    private(set) var lastMovement: Int64
    /// Why it was killed, and when; nil while it was not.
    private(set) var killed: (reason: String, at: Int64)?

    private var isClosed = false
    private var misunderstood = 0

    /// Chunks of 4 KiB that are read at a time.
    private static let turnLimit = 4
    /// More than a pipe holds: a program that outlives its worker may write on.
    private static let lastLimit = 64
    private static let misunderstoodLimit = 20
    /// A line longer than this is not one of ours.
    private static let lineLimit = 1 << 18

    /// CPU and I/O figures of /proc, added up: any change is movement.
    private struct Movement: Equatable {
        var cpu: Int64
        var io: Int64
    }

    /// - Parameter time: how long a repository's migrations may take, in milliseconds.
    convenience init(_ job: BootMachine.Job, configuration: String, time: Int64, now: Int64) throws(LinuxError) {
        try self.init(
            job, program: "/proc/self/exe",
            arguments: ["--config", configuration, "--supervisor", "\(getpid())", "--worker"] + Worker.arguments(for: job, time: time), now: now)
    }

    init(_ job: BootMachine.Job, program: String, arguments: [String], now: Int64) throws(LinuxError) {
        var ends: [Int32] = [-1, -1]
        if linux_pipe(&ends) != 0 { throw .last("pipe", "worker") }
        pipe = FileDescriptor(owning: ends[0], name: "worker")
        let theirs = FileDescriptor(owning: ends[1], name: "worker")
        _ = linux_set_nonblocking(pipe.raw)
        self.job = job
        started = now
        lastMovement = now
        child = try ChildProcess.start(program, arguments, descriptor3: theirs.raw, group: true)
    }

    /// For poll; -1 once the worker has closed its end, which would be readable for ever.
    var descriptor: Int32 { isClosed ? -1 : pipe.raw }

    /// Takes lines that have come; the log lines go to `log`. Not more at a time than leave the LED its time: a worker that went astray may write without
    /// end.
    /// - Parameter all: the worker is gone, and this is the last time.
    func read(now: Int64, log: Log, all: Bool) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        var turns = 0
        repeat {
            let count = (try? chunk.withUnsafeMutableBufferPointer { (chunk) throws(LinuxError) in
                try pipe.read(into: UnsafeMutableRawBufferPointer(chunk))
            })
            guard let count else { break }
            if count == 0 { isClosed = true }
            buffer += chunk[0..<count]
            take(now: now, log: log)
            turns += 1
        } while !isClosed && turns < (all ? WorkerProcess.lastLimit : WorkerProcess.turnLimit)
        if buffer.count > WorkerProcess.lineLimit { buffer = [] }
    }

    private func take(now: Int64, log: Log) {
        var start = 0
        while let end = buffer[start...].firstIndex(of: 0x0A) {
            let line = String(decoding: buffer[start..<end], as: UTF8.self)
            start = end + 1
            lastMovement = now
            switch WorkerMessage(line: line) {
            case .progress(let phase, let step, let percent): (self.phase, self.step, self.percent) = (phase, step, percent)
            case .child(let process): program = process
            case .log(let level, let text): log.write(level, text)
            case .result(let event): result = event
            case nil:
                misunderstood += 1
                if misunderstood <= WorkerProcess.misunderstoodLimit { log.warning("worker: not understood: \(Text.short(line, longest: 200))") }
            }
        }
        if start > 0 { buffer.removeFirst(start) }
    }

    /// It writes what is no message, again and again.
    var isAstray: Bool { misunderstood > WorkerProcess.misunderstoodLimit }

    /// Looks at /proc for movement that no line told of: a long statement, an e2fsck.
    func look(now: Int64) {
        var seen = Movement(cpu: 0, io: 0)
        for process in [child.id] + (program.map { [$0] } ?? []) {
            seen.cpu += WorkerProcess.cpu(process)
            seen.io += WorkerProcess.io(process)
        }
        if seen != movement {
            movement = seen
            lastMovement = now
        }
    }

    func kill(_ reason: String, now: Int64) {
        if killed == nil { killed = (reason, now) }
        child.killGroup()
    }

    /// How it ended; nil while it runs. Its lines must be read once more after this.
    func poll() -> ChildProcess.End? {
        // A process that cannot be waited for is not ours any more: as good as gone.
        do throws(LinuxError) { return try child.poll() } catch { return .killed(signal: 0) }
    }

    /// utime + stime, in ticks: fields 14 and 15 of /proc/PID/stat, counted behind the name's closing parenthesis.
    private static func cpu(_ process: Int32) -> Int64 {
        guard let text = try? FileSystem.readText("/proc/\(process)/stat"),
            let name = Array(text.utf8).lastIndex(of: 0x29)
        else { return 0 }
        let fields = Text.words(String(decoding: text.utf8.dropFirst(name + 1), as: UTF8.self))
        guard fields.count > 12 else { return 0 }
        return (Text.number(fields[11]) ?? 0) + (Text.number(fields[12]) ?? 0)
    }

    /// Bytes that went through read and write calls.
    private static func io(_ process: Int32) -> Int64 {
        guard let text = try? FileSystem.readText("/proc/\(process)/io") else { return 0 }
        return Text.lines(text).reduce(0) { sum, line in
            sum &+ (Text.cut(line, at: 0x3A).flatMap { Text.number(Text.trim($0.after)) } ?? 0)
        }
    }
}
