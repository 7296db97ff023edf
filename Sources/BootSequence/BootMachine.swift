public import AutoMigrator
public import DataPartition
public import FrontPanel
public import Linux

/// The boot, decided purely: events in, actions out. It opens nothing, asks no clock and starts no process.
///
///     starting ──started, button up──────────────────────────► data
///        │ started, button down                                  ▲
///        ▼                                                       │ windowClosed
///     window ────────────────────────────────────────────────────┤
///        │ reset (held, let go)                                  │ wiped, or failed; lost: once again
///        ▼                                                       │
///     wiping ────────────────────────────────────────────────────┘
///
///     data ──mounted──────────────► repository 0 ──report──► repository 1 … ──► ready ──► upkeep 0, 1 …, and again when due
///        │ lost: once again             │ lost: once again, without migrating
///        │ unusable, lost again, late   │ lost again by a crash: once more, without opening the database
///        ▼                              │
///     volatile ──mounted in RAM─────► repository 0 …      lost again: failed
///        │ lost, failed
///        ▼
///     ready, every repository `failed`
///
///     any state ──limit──► kill the worker, ready with what there is
///     ready ──degraded──► ready, with an outcome that says so
///     any state ──order──► done behind READY, one after the other
///
///     starting ──started again in the same boot──► where the life before was (BootMemory)
///
/// READY is reached from every state: each stage ends by itself, by its stall limit or by the limit of the boot.
public struct BootMachine: Sendable {
    enum State: Sendable, Equatable {
        case starting, window, wiping, data, volatile, ready
        case repository(Int)
    }

    private(set) var state = State.starting
    /// Names and paths of the configured databases, in order.
    let databases: [(name: String, path: String)]
    public internal(set) var data: DataReport?
    public internal(set) var repositories: [RepositoryReport] = []
    public internal(set) var warnings: [String] = []
    /// How often the present repository has lost a worker in this boot.
    private var losses = 0
    /// Whether the factory reset has lost a worker in this boot.
    private var wipeWasLost = false
    /// Whether the partition's stage has lost a worker in this boot.
    private var dataWasLost = false
    /// Repositories that may have something begun and not done.
    var unfinished: Set<Int> = []
    /// What the one worker behind READY does; nil while there is none.
    var task: Task?
    /// What has been asked for and not begun.
    var orders: [Order] = []
    /// Where the round through the repositories goes on, and whether it takes snapshots; nil when it is over.
    var round: (index: Int, withSnapshots: Bool)?
    /// The partition has failed behind READY.
    public internal(set) var isDegraded = false
    /// What a partition that was given up had been through, for the report.
    private var earlierActions: [DataAction] = []

    /// What an earlier life of the supervisor in this boot had come to; nil in the first one.
    private let memory: BootMemory?

    /// - Parameter memory: where a supervisor that was started again takes up.
    public init(databases: [(name: String, path: String)], memory: BootMemory? = nil) {
        self.databases = databases
        self.memory = memory
        guard let memory else { return }
        warnings = memory.warnings
        if let loss, !warnings.contains(loss) { warnings.append(loss) }
        isDegraded = memory.isDegraded
        // Whoever held the button was told that it will be done.
        orders = memory.orders
        for (index, database) in databases.enumerated() where memory.unfinished.contains(database.name) { unfinished.insert(index) }
    }

    /// For the supervisor's next life in this boot.
    public func remember(boot: String) -> BootMemory {
        // Lost twice in a row, it has still to go on from where the first life was.
        if state == .starting, let memory { return memory }
        var memory = BootMemory(boot: boot, state: state == .ready ? .ready : state == .wiping ? .wiping : .booting)
        memory.data = data
        memory.repositories = repositories
        memory.unfinished = unfinished.map { databases[$0].name }
        memory.warnings = warnings
        memory.isDegraded = isDegraded
        if case .order(let order)? = task { memory.orders.append(order) }
        memory.orders += orders
        return memory
    }

    /// What is to be said of the life before, where nobody asked it to end.
    public var loss: String? {
        guard let memory, !memory.wasStopped else { return nil }
        return "firstlightd was lost \(memory.state.isReady ? "behind READY" : "before READY") and started again; it goes on from there"
    }

    /// Not the first life of the supervisor in this boot.
    public var isContinued: Bool { memory != nil }
    public var isReady: Bool { state == .ready }
    /// Waiting for the finger on the button, with nothing to do meanwhile.
    public var isInWindow: Bool { state == .window }

    /// What the LED shows in this state; a worker's own phase refines it.
    public func pattern(phase: Reporter.Phase) -> LightPattern {
        switch state {
        case .starting, .window: .starting
        case .wiping: .wiping
        case .ready: BootMachine.pattern(outcome: outcome)
        case .data, .volatile, .repository:
            switch phase {
            case .working: .working
            case .recovering: .recovering
            case .wiping: .wiping
            }
        }
    }

    /// The blink code of an outcome.
    public static func pattern(outcome: Outcome) -> LightPattern {
        switch outcome {
        case .current, .migrated, .ahead, .downgraded, .skipped: .solid
        case .restored: .blinks(2)
        case .rebuilt: .blinks(3)
        case .volatile: .blinks(4)
        case .failed: .blinks(5)
        }
    }

    /// The worst of the repositories'. Without any database the partition alone decides. Of one that takes nothing any more the same is true as of RAM:
    /// nothing more is kept.
    public var outcome: Outcome {
        let fallback: Outcome = data == nil ? .failed : data?.volatile == true ? .volatile : .current
        let outcome = repositories.map { $0.outcome }.max() ?? fallback
        return isDegraded ? max(outcome, .volatile) : outcome
    }

    public mutating func handle(_ event: Event) -> [Action] {
        switch (state, event) {
        case (_, .order(let order)):
            return take(order)
        case (.ready, _):
            return handleBehindReady(event)

        case (.starting, .started) where memory != nil:
            return takeUp()
        case (.starting, .started(buttonDown: true)):
            state = .window
            return []
        case (.starting, .started(buttonDown: false)), (.window, .windowClosed):
            return enterData()
        case (.window, .reset):
            state = .wiping
            return [.start(.wipe)]

        case (.wiping, .wiped):
            return enterData()
        case (.wiping, .lost(let reason, _)) where !wipeWasLost:
            // It may not have come as far as announcing it, and whoever held the button takes a solid LED for done.
            wipeWasLost = true
            warnings.append("factory reset: \(reason); once more")
            return [.start(.wipe)]
        case (.wiping, .unusable(let reason, _)), (.wiping, .lost(let reason, _)):
            // What was begun is announced in the partition's tail; bringing it up finishes it or says why not.
            warnings.append("factory reset: \(reason)")
            return [.failed] + enterData()

        case (.data, .mounted(let report)), (.volatile, .mounted(let report)):
            data = report
            // The worker that was lost had mounted it already, perhaps, and with it went what it had seen.
            if dataWasLost { data?.unclean = true }
            data?.actions = earlierActions + report.actions
            warnings += report.warnings
            // By files, which is done behind the mount.
            let failed = report.actions.filter { $0.rung == .wipe && ($0.result == "failed" || $0.result == "refused") }
            warnings += failed.map { "factory reset: \($0.detail)" }
            if !failed.isEmpty { return [.failed] + enterRepository(0) }
            return enterRepository(0)
        case (.data, .unusable(let reason, let actions)):
            earlierActions = actions
            return enterVolatile(reason)
        case (.data, .lost(let reason, _)):
            // Killed for want of memory, say: what it left half done the next one finds, as after a power cut.
            if dataWasLost { return enterVolatile("checking and mounting the partition: \(reason)") }
            dataWasLost = true
            warnings.append("checking and mounting the partition: \(reason); once more")
            return [.start(.data)]
        case (.wiping, .late):
            return [.killWorker, .failed] + enterVolatile("the factory reset took too long; the next boot goes on with it")
        case (.data, .late):
            return [.killWorker] + enterVolatile("checking and mounting the partition took too long")
        case (_, .late):
            return []
        case (.wiping, .stuck(let reason)):
            return [.failed] + enterVolatile("the factory reset hangs in the kernel: \(reason)")
        case (.data, .stuck(let reason)):
            return enterVolatile("the partition's worker hangs in the kernel: \(reason)")
        case (.volatile, .unusable(let reason, _)), (.volatile, .lost(let reason, _)), (.volatile, .stuck(let reason)):
            return giveUp("no data partition, and not even RAM in its place: \(reason)")

        case (.repository(let index), .report(let report)):
            return finish(index, report)
        case (.repository(let index), .lost(let reason, let crash)):
            losses += 1
            // The second one has only looked at the database. If that was enough to crash it, the application would crash, too; a worker that was
            // killed says nothing about the database.
            if losses == 1 || losses == 2 && crash {
                return [.start(job(index, afterLoss: Loss(reason: reason, distrusted: losses == 2)))]
            }
            return finish(index, failure(index, "its worker was lost \(losses) times: \(reason)"))
        case (.repository(let index), .stuck(let reason)):
            // The partition hangs; each of the others would hang on it, too.
            return giveUp("\(databases[index].path): the worker hangs in the kernel: \(reason)")

        case (_, .limit):
            return [.killWorker] + giveUp("the boot reached its limit")

        default:
            // An event of a stage that is over: its worker was given up.
            return []
        }
    }

    private mutating func enterData() -> [Action] {
        state = .data
        return [.start(.data)]
    }

    /// Where the life before was: the reset window is over since then, and what was done is not done again.
    private mutating func takeUp() -> [Action] {
        if memory?.state == .wiping {
            state = .wiping
            return [.start(.wipe)]
        }
        if let known = memory?.data {
            data = known
            return enterRepository(0)
        }
        // READY without a partition: what the init system started on that is at work.
        if memory?.state == .ready { return enterRepository(0) }
        // Nobody unmounted what it may have mounted, and with it went what it had seen.
        dataWasLost = true
        return enterData()
    }

    private mutating func enterVolatile(_ reason: String) -> [Action] {
        state = .volatile
        warnings.append("the data partition is in RAM: \(reason)")
        return [.start(.volatile(reason: reason))]
    }

    private mutating func enterRepository(_ index: Int) -> [Action] {
        losses = 0
        if index == databases.count {
            state = .ready
            return [.ready(outcome)]
        }
        if let known = memory?.repositories.first(where: { $0.name == databases[index].name && $0.path == databases[index].path }) {
            repositories.append(known)
            return enterRepository(index + 1)
        }
        if memory?.state == .ready {
            // It has no directory yet, and an application is at work beside it.
            repositories.append(failure(index, "configured while the appliance runs; the next boot brings it up"))
            return enterRepository(index + 1)
        }
        state = .repository(index)
        return [.start(job(index, afterLoss: nil))]
    }

    private func job(_ index: Int, afterLoss: Loss?) -> Job {
        .repository(index: index, data?.repaired == true ? .repaired : data?.unclean == true ? .unclean : .clean, afterLoss: afterLoss)
    }

    private mutating func finish(_ index: Int, _ report: RepositoryReport) -> [Action] {
        var report = report
        // Its worker may not even have been able to say so on the disk.
        if report.outcome == .failed { unfinished.insert(index) }
        // Whatever was done in RAM is gone with the power; a failure is worse and stays one.
        if data?.volatile == true && report.outcome < .volatile {
            report.outcome = .volatile
            if report.reason == nil { report.reason = data?.problem }
        }
        repositories.append(report)
        warnings += report.warnings.map { "\(report.name): \($0)" }
        return enterRepository(index + 1)
    }

    private func failure(_ index: Int, _ reason: String) -> RepositoryReport {
        var report = RepositoryReport(name: databases[index].name, path: databases[index].path, outcome: .failed)
        report.reason = reason
        return report
    }

    /// READY at once; what has no report yet failed for this reason.
    private mutating func giveUp(_ reason: String) -> [Action] {
        warnings.append(reason)
        for index in repositories.count..<databases.count {
            unfinished.insert(index)
            repositories.append(failure(index, reason))
        }
        state = .ready
        return [.ready(outcome)]
    }
}
