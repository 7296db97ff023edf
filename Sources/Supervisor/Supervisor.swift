internal import AutoMigrator
internal import BootSequence
internal import CLinux
internal import DataPartition
internal import FrontPanel
internal import Linux
internal import SQLite

/// Owns the LED, the button, the watchdog, the control socket and the worker of the moment: one poll loop around the pure boot machine. It never
/// blocks, and does not even stat the data partition.
final class Supervisor {
    private let path: String
    let configuration: Configuration
    let mistakes: [Configuration.Mistake]
    let log: Log
    let files: StatusFiles
    /// The kernel's name for this boot; empty where it does not say.
    let bootID: String
    let manager: ServiceManager
    var machine: BootMachine
    var light = StatusLight()
    let output: LightOutput
    /// The second line, lit by `restored` and worse.
    let errorOutput: LightOutput
    let input: ButtonInput
    var button: ResetButton
    var buttonWasThere = false
    /// Its state as status.json has it.
    var toldButton = ""
    var worker: WorkerProcess?
    /// Workers that hang in the kernel, to be reaped when they come back.
    private var abandoned: [WorkerProcess] = []
    var panelTroubles: [String] = []
    let start: Int64
    private var isLate = false
    /// What RAM in the partition's place and databases in it may take, in milliseconds.
    private var reserve: Int64 { min(5_000, configuration.limit / 4) }
    /// Commands of the configuration that run.
    var hooks: [Hook] = []
    var hookTroubles: [String] = []
    /// READY's hook has run to its end, in this life or an earlier one. One that was lost with the daemon runs again: an updater would take a slot
    /// that is not marked for a bad one.
    var isHooked = false
    /// An earlier life in this boot was READY.
    let wasReady: Bool
    /// A reset that somebody asked for while the appliance runs is on its way: the LED says so, and the button is of no account.
    var isResetting = false
    /// It is on record, and the board about to reboot for it.
    var isOnRecord = false
    /// When the board began to go down, in Clock.milliseconds; nil while it does not.
    var rebootBegan: Int64?
    /// When a reboot that could not be had is tried again, in Clock.milliseconds.
    var nextReboot: Int64?
    /// From READY on, where there is a partition to look at, and when that is next, in Clock.milliseconds.
    var watch: PartitionWatch?
    var nextLook: Int64?
    /// The partition's count of errors when it was mounted, as an earlier life saw it.
    let errorsAtStart: Int64?
    /// When the snapshots are looked after next, in Clock.milliseconds; nil before READY.
    var nextUpkeep: Int64?
    var control: ControlSocket?
    /// What the control socket's clients have ordered in this turn of the loop.
    var arrived: [BootMachine.Order] = []
    private var watchdog: Watchdog?
    /// That no other daemon works on the same.
    private var lock: FileDescriptor?
    private let isSecond: Bool

    /// Behind READY the application starts, which is not to wait for the flash; then once in an hour, in milliseconds.
    static let upkeepDelay: Int64 = 60_000
    static let upkeepInterval: Int64 = 3_600_000
    /// How often the kernel is asked for the partition's errors, in milliseconds: noticed within 10 s is what is promised.
    static let watchInterval: Int64 = 5_000
    /// How often /proc is asked whether a silent worker moves, in milliseconds.
    private static let lookInterval: Int64 = 1_000
    /// How long a board may take to go down for a reboot before the watchdog is left to end it, in milliseconds.
    private static let rebootLimit: Int64 = 300_000
    /// How long a killed worker may take to go, in milliseconds.
    private static let killGrace: Int64 = 2_000

    /// Lights the LED as its first act after reading the configuration that says where it is.
    init(configuration path: String) {
        var reader = ConfigurationReader()
        reader.read(path)
        let configuration = reader.configuration
        log = KernelLog().log
        files = StatusFiles(directory: configuration.statusDirectory, log: log)
        files.makeDirectory()
        var isSecond = false
        do throws(LinuxError) {
            lock = try files.lock()
        } catch {
            // Its LEDs and its button are another's, too. Without a directory there is nothing to be locked: it has been complained of.
            isSecond = error.code == EBUSY
        }
        self.isSecond = isSecond
        var troubles: [String] = []
        func open(_ key: String, _ line: LineSpec, lit: Bool) -> LightOutput {
            do throws(FrontPanelError) {
                return try LightOutput.open(
                    isSecond ? .none : line, activeLow: configuration.lightActiveLow, openDrain: configuration.lightOpenDrain, lit: lit, key: key)
            } catch {
                troubles.append(error.text)
                return .none
            }
        }
        output = open("line", configuration.lightLine, lit: true)
        errorOutput = open("error", configuration.errorLine, lit: false)
        do throws(FrontPanelError) {
            input = try ButtonInput.open(
                isSecond ? .none : configuration.buttonLine, activeLow: configuration.buttonActiveLow, bias: configuration.buttonBias)
        } catch {
            input = .none
            troubles.append(error.text)
        }
        self.path = path
        self.configuration = configuration
        mistakes = reader.mistakes
        panelTroubles = troubles
        manager = ServiceManager()
        button = ResetButton(hold: configuration.hold)
        bootID = Text.trim((try? FileSystem.readText("/proc/sys/kernel/random/boot_id")) ?? "")
        var memory = bootID.utf8.isEmpty ? nil : files.memory(boot: bootID)
        // Somebody has stopped the daemon and unmounted it: all of it begins anew.
        if let data = memory?.data, !PartitionWatch.isMounted(data) { memory = nil }
        isHooked = memory?.isHooked ?? false
        wasReady = memory?.state == .ready
        errorsAtStart = memory?.errors
        machine = BootMachine(databases: configuration.databases.map { ($0.repository.name, $0.repository.path) }, memory: memory)
        start = Clock.milliseconds
        light.show(.starting, in: .status, at: start)
    }

    /// Runs until SIGTERM or SIGINT.
    func run() -> Int32 {
        linux_close_all_on_exec(3)
        let signals = FileDescriptor(owning: linux_signalfd([SIGCHLD, SIGTERM, SIGINT, 0]), name: "signalfd")
        let timer = FileDescriptor(owning: linux_timerfd(), name: "timerfd")
        protectFromMemoryPressure()
        if isSecond {
            log.error("another firstlightd works with \(files.directory) already; this one does nothing")
            return 1
        }
        files.clear()
        openWatchdog()
        openControl()
        log.notice("firstlightd \(firstlightVersion), SQLite \(Database.version)\(machine.isContinued ? ", started again" : "")")
        for mistake in mistakes { log.warning(mistake.text) }
        for trouble in panelTroubles { log.warning(trouble) }
        if let loss = machine.loss { log.warning(loss) }
        publish()
        begin()

        while true {
            let now = Clock.milliseconds
            supervise(now: now)
            arm(timer, now: now)
            let waited = [signals.raw, timer.raw, input.descriptor, worker?.descriptor ?? -1] + (control?.descriptors ?? [])
            var events = waited.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&events, nfds_t(events.count), -1)
            if events[1].revents != 0 {
                var expirations: UInt64 = 0
                _ = read(timer.raw, &expirations, 8)
            }
            while let signal = nextSignal(signals) {
                if signal == SIGCHLD { continue }
                log.notice("signal \(signal): stopping")
                stop()
                return 0
            }
        }
    }

    /// The level is read: a button that is down already never gives an edge. In a later life it asks for no reset window: an application is at work.
    private func begin() {
        buttonWasThere = input.descriptor >= 0
        if machine.isResetOrdered { acceptReset(now: start) }
        let down = input.isDown
        if machine.isContinued {
            if down { take(button.edge(pressed: true, at: start), now: start) }
        } else {
            take(button.start(down: down, at: start), now: start)
        }
        handle(.started(buttonDown: down))
    }

    private func nextSignal(_ signals: borrowing FileDescriptor) -> Int32? {
        let signal = linux_read_signal(signals.raw)
        return signal == 0 ? nil : signal
    }

    private func stop() {
        manager.stopping()
        // Where the board goes down for a reboot, a shutdown that hangs is the watchdog's to end.
        if let watchdog, rebootBegan == nil {
            watchdog.stop()
            if !watchdog.canStop { log.warning("[watchdog] device: cannot be stopped; it resets the board unless somebody pets it in time") }
        }
        worker?.kill("the daemon was stopped", now: Clock.milliseconds)
        remember(stopped: true)
    }

    // ---- One turn of the loop ----

    private func supervise(now: Int64) {
        noticeLostButton()
        for edge in input.edges(now: now) { take(button.edge(pressed: edge.pressed, at: edge.at), now: now) }
        take(button.time(now), now: now)
        if button.text != toldButton { publish() }

        abandoned.removeAll { $0.poll() != nil }
        if let worker { watch(worker, now: now) }
        if !isLate && now - start >= configuration.limit - reserve {
            isLate = true
            if !machine.isReady { handle(.late) }
        }
        if !machine.isReady && now - start >= configuration.limit { handle(.limit) }
        control?.turn(now: now) { request in self.answer(request, now: now) }
        // Only now that whoever ordered it is known to wait for it.
        let orders = arrived
        arrived = []
        for order in orders { handle(.order(order)) }
        lookAtPartition(now: now)
        reapHooks(now: now)
        if let due = nextReboot, now >= due {
            nextReboot = nil
            reboot(now: now)
        }
        if let due = nextUpkeep, now >= due {
            // A power cut until it is handed over would undo what the application has written meanwhile.
            nextUpkeep = now + (machine.isUnfinished ? Supervisor.upkeepDelay : Supervisor.upkeepInterval)
            handle(.upkeepDue(snapshot: true))
        }
        let lit = light.update(at: now).lit
        output.show(light.shown, lit: lit)
        signOfLife(now: now)
    }

    private func watch(_ worker: WorkerProcess, now: Int64) {
        let end = worker.poll()
        let (phase, step) = (worker.phase, worker.step)
        worker.read(now: now, log: log, all: end != nil)
        if let end {
            self.worker = nil
            endErasure(of: worker)
            if let result = worker.result, end == .exited(0) { return handle(result) }
            let reason = worker.killed?.reason ?? "its worker ended with \(end.text)"
            log.error("\(describe(worker.job)): \(reason)")
            return handle(.lost(reason: reason, crash: worker.killed == nil && end.isCrash))
        }
        if worker.phase != phase {
            // Erasing takes no gesture, also where an earlier boot's order is carried out.
            if worker.phase == .wiping { button.suspend() } else { endErasure(of: worker) }
            showStatus(now: now)
        }
        if worker.step != step { manager.tell(statusLine) }
        worker.look(now: now)
        if let killed = worker.killed {
            if now - killed.at < Supervisor.killGrace { return }
            log.error("\(describe(worker.job)): cannot be killed, it hangs in the kernel")
            abandoned.append(worker)
            self.worker = nil
            endErasure(of: worker)
            handle(.stuck(reason: killed.reason))
        } else if now - worker.lastMovement >= configuration.stall {
            let reason = "no movement for \(configuration.stall / 1000) s"
            log.error("\(describe(worker.job)): \(reason); its worker is killed")
            worker.kill(reason, now: now)
        } else if worker.isAstray {
            log.error("\(describe(worker.job)): it does not keep to the protocol; its worker is killed")
            worker.kill("its worker went astray", now: now)
        } else if machine.isReady && now - worker.started >= configuration.limit {
            // What moves for ever would keep every order waiting.
            log.error("\(describe(worker.job)): longer than the limit of a boot; its worker is killed")
            worker.kill("it took too long", now: now)
        }
    }

    /// The button counts again, unless the board is about to reboot for a reset.
    private func endErasure(of worker: WorkerProcess) {
        if worker.job == .wipe || worker.phase == .wiping || worker.job == .data, !isResetting { button.resume() }
    }

    func handle(_ event: BootMachine.Event) {
        for action in machine.handle(event) { act(action) }
        showStatus(now: Clock.milliseconds)
        manager.tell(statusLine)
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
            endErasure(of: worker)
        case .ready(let outcome):
            enterReady(outcome, now: now)
        case .degraded:
            log.error("the data partition has failed: \(machine.data?.problem ?? "")")
            publish()
            run(Supervisor.degradedName, configuration.onDegraded, now: now)
        case .failed:
            showFailure(now: now)
        case .done(let order, let title, let trouble):
            finish(order, title: title, trouble: trouble, now: now)
        }
    }

    /// Wakes the loop for the next thing that happens by itself.
    private func arm(_ timer: borrowing FileDescriptor, now: Int64) {
        var next = [
            light.update(at: now, edges: !output.isDrivenByKernel).next, button.next, nextUpkeep, nextLook, nextReboot, control?.next, watchdog?.next, manager.next(isReady: machine.isReady),
        ].compactMap { $0 }
        if worker != nil || !abandoned.isEmpty { next.append(now + Supervisor.lookInterval) }
        if let killed = worker?.killed { next.append(killed.at + Supervisor.killGrace) }
        if !machine.isReady { next.append(start + configuration.limit - (isLate ? 0 : reserve)) }
        next += hooks.map { $0.due }
        let due = next.min().map { max($0, now + 1) * 1_000_000 } ?? 0
        _ = linux_timerfd_set(timer.raw, due)
    }

    // ---- Watchdogs ----

    private func openWatchdog() {
        guard let device = configuration.watchdog else { return }
        do throws(LinuxError) {
            let watchdog = try Watchdog(device, timeout: configuration.watchdogTimeout, now: start)
            self.watchdog = watchdog
            log.notice("[watchdog] device: \(device) resets the board \(watchdog.timeout) s after the last sign of life")
        } catch {
            // procd and systemd may have it open already: then it is theirs (RULES.md B4).
            panelTroubles.append("[watchdog] device: \(error.text)\(error.code == EBUSY ? ", somebody else pets it" : ""); the boot goes on without it")
        }
    }

    /// The watchdogs are told that all is well: unless a stage is past its limit and the grace for ending it, which would mean that this loop does not
    /// do its work.
    private func signOfLife(now: Int64) {
        if isPastItsLimits(now: now) { return }
        let isOverdue = rebootBegan.map { now - $0 > Supervisor.rebootLimit } ?? false
        if let watchdog, now >= watchdog.next, !isOverdue { watchdog.pet(now: now) }
        manager.keepAlive(now: now)
        if !machine.isReady { manager.extend(now: now) }
    }

    private func isPastItsLimits(now: Int64) -> Bool {
        let grace = 2 * Supervisor.killGrace
        if !machine.isReady && now - start > configuration.limit + grace { return true }
        guard let worker else { return false }
        return now > (worker.killed?.at ?? worker.lastMovement + configuration.stall) + grace
    }

    /// The one process that must outlive a shortage of memory; its workers take the protection off themselves.
    private func protectFromMemoryPressure() {
        guard let file = try? FileDescriptor.open("/proc/self/oom_score_adj", .readWrite) else { return }
        try? file.write("-900")
    }
}
