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
    /// When it last gave a sign of life, in Clock.milliseconds.
    private(set) var lastMovement: Int64
    /// Why it was killed, and when; nil while it was not.
    private(set) var killed: (reason: String, at: Int64)?

    /// A line longer than this is not one of ours.
    private static let lineLimit = 1 << 18

    /// CPU and I/O figures of /proc, added up: any change is movement.
    private struct Movement: Equatable {
        var cpu: Int64
        var io: Int64
    }

    /// - Parameter time: how long a repository's migrations may take, in milliseconds.
    init(_ job: BootMachine.Job, configuration: String, time: Int64, now: Int64) throws(LinuxError) {
        var ends: [Int32] = [-1, -1]
        if linux_pipe(&ends) != 0 { throw .last("pipe", "worker") }
        pipe = FileDescriptor(owning: ends[0], name: "worker")
        let theirs = FileDescriptor(owning: ends[1], name: "worker")
        _ = linux_set_nonblocking(pipe.raw)
        self.job = job
        lastMovement = now
        child = try ChildProcess.start(
            "/proc/self/exe", ["--config", configuration, "--supervisor", "\(getpid())", "--worker"] + Worker.arguments(for: job, time: time),
            descriptor3: theirs.raw, group: true)
    }

    /// For poll.
    var descriptor: Int32 { pipe.raw }

    /// Takes the lines that have come; the log lines go to `log`.
    func read(now: Int64, log: Log) {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let n = (try? chunk.withUnsafeMutableBufferPointer { (chunk) throws(LinuxError) in
                try pipe.read(into: UnsafeMutableRawBufferPointer(chunk))
            }) ?? 0
            if n == 0 { break }
            buffer += chunk[0..<n]
        }
        while let end = buffer.firstIndex(of: 0x0A) {
            let line = String(decoding: buffer[..<end], as: UTF8.self)
            buffer.removeFirst(end + 1)
            lastMovement = now
            switch WorkerMessage(line: line) {
            case .progress(let phase, let step, let percent): (self.phase, self.step, self.percent) = (phase, step, percent)
            case .child(let process): program = process
            case .log(let level, let text): log.write(level, text)
            case .result(let event): result = event
            case nil: log.warning("worker: not understood: \(line)")
            }
        }
        if buffer.count > WorkerProcess.lineLimit { buffer = [] }
    }

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
