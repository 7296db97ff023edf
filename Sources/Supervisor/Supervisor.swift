internal import AutoMigrator
internal import BootSequence
internal import CLinux
internal import DataPartition
internal import FrontPanel
internal import Linux
internal import SQLite

/// Owns the LED, the button and the worker of the moment: one poll loop around the pure boot machine. It never blocks, and does not even
/// stat the data partition.
final class Supervisor {
    private let path: String
    private let configuration: Configuration
    private let mistakes: [Configuration.Mistake]
    private let log: Log
    private let files: StatusFiles
    private var machine: BootMachine
    private var light = StatusLight()
    private let output: LightOutput
    private let input: ButtonInput
    private var button: ResetButton
    private var worker: WorkerProcess?
    /// Workers that hang in the kernel, to be reaped when they come back.
    private var abandoned: [WorkerProcess] = []
    private var panelTroubles: [String] = []
    private let start: Int64
    private var isLate = false
    /// What RAM in the partition's place and databases in it may take, in milliseconds.
    private var reserve: Int64 { min(5_000, configuration.limit / 4) }
    /// Commands of the configuration that run.
    private var hooks: [Hook] = []
    private var hookTroubles: [String] = []
    /// From READY on, where there is a partition to look at, and when that is next, in Clock.milliseconds.
    private var watch: PartitionWatch?
    private var nextLook: Int64?
    /// When the snapshots are looked after next, in Clock.milliseconds; nil before READY.
    private var nextUpkeep: Int64?

    /// Behind READY the application starts, which is not to wait for the flash; then once in an hour, in milliseconds.
    private static let upkeepDelay: Int64 = 60_000
    private static let upkeepInterval: Int64 = 3_600_000
    /// How often the kernel is asked for the partition's errors, in milliseconds: noticed within 10 s is what is promised.
    private static let watchInterval: Int64 = 5_000
    /// How often /proc is asked whether a silent worker moves, in milliseconds.
    private static let lookInterval: Int64 = 1_000
    /// How long a killed worker may take to go, in milliseconds.
    private static let killGrace: Int64 = 2_000

    /// Lights the LED as its first act after reading the configuration that says where it is.
    init(configuration path: String) {
        var reader = ConfigurationReader()
        reader.read(path)
        let configuration = reader.configuration
        var troubles: [String] = []
        do throws(FrontPanelError) {
            output = try LightOutput.open(
                configuration.lightLine, activeLow: configuration.lightActiveLow,
                openDrain: configuration.lightOpenDrain, lit: true)
        } catch {
            output = .none
            troubles.append(error.text)
        }
        do throws(FrontPanelError) {
            input = try ButtonInput.open(
                configuration.buttonLine, activeLow: configuration.buttonActiveLow, bias: configuration.buttonBias)
        } catch {
            input = .none
            troubles.append(error.text)
        }
        self.path = path
        self.configuration = configuration
        mistakes = reader.mistakes
        panelTroubles = troubles
        log = KernelLog().log
        files = StatusFiles(directory: configuration.statusDirectory, log: log)
        button = ResetButton(hold: configuration.hold)
        machine = BootMachine(databases: configuration.databases.map { ($0.repository.name, $0.repository.path) })
        start = Clock.milliseconds
        light.show(.starting, in: .status, at: start)
    }

    /// Runs until SIGTERM or SIGINT.
    func run() -> Int32 {
        let signals = FileDescriptor(owning: linux_signalfd([SIGCHLD, SIGTERM, SIGINT, 0]), name: "signalfd")
        let timer = FileDescriptor(owning: linux_timerfd(), name: "timerfd")
        protectFromMemoryPressure()
        files.prepare()
        log.notice("firstlightd \(firstlightVersion), SQLite \(Database.version)")
        for mistake in mistakes { log.warning(mistake.text) }
        for trouble in panelTroubles { log.warning(trouble) }
        publish()

        // The level is read: a button that is down already never gives an edge.
        let down = input.isDown
        take(button.start(down: down, at: start), now: start)
        handle(.started(buttonDown: down))

        while true {
            let now = Clock.milliseconds
            supervise(now: now)
            arm(timer, now: now)
            var events = [
                pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: timer.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: input.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: worker?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&events, nfds_t(events.count), -1)
            if events[1].revents != 0 {
                var expirations: UInt64 = 0
                _ = read(timer.raw, &expirations, 8)
            }
            while let signal = nextSignal(signals) {
                if signal == SIGCHLD { continue }
                log.notice("signal \(signal): stopping")
                worker?.kill("the daemon was stopped", now: now)
                return 0
            }
        }
    }

    private func nextSignal(_ signals: borrowing FileDescriptor) -> Int32? {
        let signal = linux_read_signal(signals.raw)
        return signal == 0 ? nil : signal
    }

    // ---- One turn of the loop ----

    private func supervise(now: Int64) {
        for edge in input.edges(now: now) {
            // After the reset window the button is read so that its state can be told, and asks for nothing.
            let gestures = button.edge(pressed: edge.pressed, at: edge.at)
            if machine.isInWindow { take(gestures, now: now) }
        }
        let gestures = button.time(now)
        if machine.isInWindow { take(gestures, now: now) }

        abandoned.removeAll { $0.poll() != nil }
        if let worker { watch(worker, now: now) }
        if !isLate && now - start >= configuration.limit - reserve {
            isLate = true
            if !machine.isReady { handle(.late) }
        }
        if !machine.isReady && now - start >= configuration.limit { handle(.limit) }
        lookAtPartition(now: now)
        reapHooks(now: now)
        if let due = nextUpkeep, now >= due {
            // A power cut until it is handed over would undo what the application has written meanwhile.
            nextUpkeep = now + (machine.isUnfinished ? Supervisor.upkeepDelay : Supervisor.upkeepInterval)
            handle(.upkeepDue(snapshot: true))
        }
        let lit = light.update(at: now).lit
        output.show(light.shown, lit: lit)
    }

    private func watch(_ worker: WorkerProcess, now: Int64) {
        let end = worker.poll()
        let phase = worker.phase
        worker.read(now: now, log: log)
        if let end {
            self.worker = nil
            if worker.job == .wipe { button.resume() }
            if let result = worker.result, end == .exited(0) { return handle(result) }
            let reason = worker.killed?.reason ?? "its worker ended with \(end.text)"
            log.error("\(describe(worker.job)): \(reason)")
            return handle(.lost(reason: reason, crash: worker.killed == nil && end.isCrash))
        }
        if worker.phase != phase { showStatus(now: now) }
        worker.look(now: now)
        if let killed = worker.killed {
            if now - killed.at < Supervisor.killGrace { return }
            log.error("\(describe(worker.job)): cannot be killed, it hangs in the kernel")
            abandoned.append(worker)
            self.worker = nil
            handle(.stuck(reason: killed.reason))
        } else if now - worker.lastMovement >= configuration.stall {
            let reason = "no movement for \(configuration.stall / 1000) s"
            log.error("\(describe(worker.job)): \(reason); its worker is killed")
            worker.kill(reason, now: now)
        }
    }

    private func handle(_ event: BootMachine.Event) {
        for action in machine.handle(event) { act(action) }
        showStatus(now: Clock.milliseconds)
        publish()
    }

    private func act(_ action: BootMachine.Action) {
        let now = Clock.milliseconds
        switch action {
        case .start(let job):
            if job == .wipe { button.suspend() }
            do throws(LinuxError) {
                // A tenth of what is left is for undoing a run that takes too long, and for those that come after.
                let left = max(start + configuration.limit - now, 0)
                worker = try WorkerProcess(job, configuration: path, time: left - max(left / 10, 1000), now: now)
            } catch {
                log.error("\(describe(job)): \(error.text)")
                handle(.lost(reason: error.text, crash: false))
            }
        case .killWorker:
            guard let worker else { return }
            worker.kill("the boot reached its limit", now: now)
            abandoned.append(worker)
            self.worker = nil
        case .ready(let outcome):
            for report in machine.repositories {
                let reason = report.reason.map { ": \($0)" } ?? ""
                let level: LogLevel = report.outcome < .restored ? .notice : .error
                log.write(level, "\(report.name): \(report.outcome.text)\(reason)")
            }
            log.notice("ready: \(outcome.text), \(Clock.sinceBootMilliseconds) ms after power-on")
            // Only now that it is written where others read it.
            publish()
            if let data = machine.data, !data.volatile, let device = data.device { watch = PartitionWatch(device: device) }
            if watch != nil { nextLook = now + Supervisor.watchInterval }
            if outcome < .restored { run("on-ready", configuration.onReady, now: now) } else { run("on-degraded", configuration.onDegraded, now: now) }
            nextUpkeep = now + Supervisor.upkeepDelay
            handle(.upkeepDue(snapshot: false))
        case .degraded:
            log.error("the data partition has failed: \(machine.data?.problem ?? "")")
            publish()
            run("on-degraded", configuration.onDegraded, now: now)
        }
    }

    // ---- Behind READY ----

    private func lookAtPartition(now: Int64) {
        guard let due = nextLook, now >= due, let watch else { return }
        nextLook = now + Supervisor.watchInterval
        guard let trouble = watch.trouble() else { return }
        // Once: it comes back with the next boot, if at all.
        nextLook = nil
        handle(.degraded(reason: trouble))
    }

    private func run(_ name: String, _ command: String, now: Int64) {
        if command.utf8.isEmpty { return }
        do throws(LinuxError) {
            hooks.append(try Hook(name, command, environment: report.environment, now: now))
            log.notice("[hooks] \(name): \(command)")
        } catch {
            complain("[hooks] \(name): \(error.text)")
        }
    }

    private func reapHooks(now: Int64) {
        var running: [Hook] = []
        for hook in hooks {
            guard let end = hook.poll(now: now) else {
                running.append(hook)
                continue
            }
            if let complaint = hook.complaint(end) { complain(complaint) } else { log.info("[hooks] \(hook.name): done") }
        }
        hooks = running
    }

    private func complain(_ text: String) {
        log.warning(text)
        hookTroubles.append(text)
        publish()
    }

    // ---- The front panel ----

    private func take(_ gestures: [ResetButton.Gesture], now: Int64) {
        for gesture in gestures {
            switch gesture {
            case .held: light.show(.held, in: .gesture, at: now)
            case .letGo: light.show(.letGo, in: .gesture, at: now)
            case .cancelled: light.show(nil, in: .gesture, at: now)
            case .resetAtStart:
                light.show(nil, in: .gesture, at: now)
                log.warning("factory reset: the button was held at power-on; the data partition is erased now")
                handle(.reset)
            case .windowClosed:
                light.show(nil, in: .gesture, at: now)
                handle(.windowClosed)
            case .stuck:
                log.warning("[button] line: down for \(ResetButton.stuckTime / 1000) s; taken for stuck and ignored")
            case .reset, .pressed: break
            }
        }
    }

    private func showStatus(now: Int64) {
        light.show(statusPattern, in: .status, at: now)
    }

    private var statusPattern: LightPattern { machine.pattern(phase: worker?.phase ?? .working) }

    /// Wakes the loop for the next thing that happens by itself.
    private func arm(_ timer: borrowing FileDescriptor, now: Int64) {
        var next = [light.update(at: now, edges: !output.isDrivenByKernel).next, button.next].compactMap { $0 }
        if worker != nil || !abandoned.isEmpty { next.append(now + Supervisor.lookInterval) }
        if let killed = worker?.killed { next.append(killed.at + Supervisor.killGrace) }
        if !machine.isReady { next.append(start + configuration.limit - (isLate ? 0 : reserve)) }
        if let nextUpkeep { next.append(nextUpkeep) }
        if let nextLook { next.append(nextLook) }
        next += hooks.map { $0.due }
        let due = next.min().map { max($0, now + 1) * 1_000_000 } ?? 0
        _ = linux_timerfd_set(timer.raw, due)
    }

    // ---- What others see ----

    private func publish() { files.write(report) }

    private var report: BootReport {
        var report = BootReport(sqlite: Database.version)
        report.state = machine.isReady ? .ready : worker == nil ? .starting : .working
        report.outcome = machine.isReady ? machine.outcome : nil
        report.sinceBootMilliseconds = Clock.sinceBootMilliseconds
        report.data = machine.data
        report.repositories = machine.repositories
        report.lightBackend = output.text
        report.lightPattern = statusPattern.text
        report.buttonBackend = input.text
        report.buttonState = input.descriptor < 0 ? "none" : button.text
        report.warnings = mistakes.map { $0.text } + panelTroubles + machine.warnings + hookTroubles
        return report
    }

    private func describe(_ job: BootMachine.Job) -> String {
        switch job {
        case .wipe: "factory reset"
        case .data, .acknowledgeRepair: "data partition"
        case .volatile: "tmpfs"
        case .repository(let index, _, _), .upkeep(let index, _): "database \(configuration.databases[index].repository.name)"
        }
    }

    /// The one process that must outlive a shortage of memory; its workers take the protection off themselves.
    private func protectFromMemoryPressure() {
        guard let file = try? FileDescriptor.open("/proc/self/oom_score_adj", .readWrite) else { return }
        try? file.write("-900")
    }
}
