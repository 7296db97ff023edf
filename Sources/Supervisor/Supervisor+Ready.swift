internal import AutoMigrator
internal import BootSequence
internal import DataPartition
internal import FrontPanel
internal import Linux

/// READY, and what is done while the appliance runs.
extension Supervisor {
    func enterReady(_ outcome: Outcome, now: Int64) {
        for report in machine.repositories {
            let reason = report.reason.map { ": \($0)" } ?? ""
            let level: LogLevel = report.outcome < .restored ? .notice : .error
            log.write(level, "\(report.name): \(report.outcome.text)\(reason)")
        }
        log.notice("ready: \(outcome.text), \(Clock.sinceBootMilliseconds) ms after power-on")
        if let data = machine.data, !data.volatile, let device = data.device {
            watch = PartitionWatch(device: device, errorsAtStart: errorsAtStart)
            if watch != nil && !machine.isDegraded { nextLook = now + Supervisor.watchInterval }
        }
        // Only now that it is written where others read it.
        publish()
        manager.tell(statusLine)
        manager.ready()
        if !isHooked {
            if outcome < .restored { run(Supervisor.readyName, configuration.onReady, now: now) } else { run(Supervisor.degradedName, configuration.onDegraded, now: now) }
        }
        nextUpkeep = now + Supervisor.upkeepDelay
        if !wasReady, let entry = report.historyEntry(clock: Clock.secondsSince1970) { handle(.order(.history(entry: entry.text))) }
        handle(.upkeepDue(snapshot: false))
    }

    func lookAtPartition(now: Int64) {
        guard let due = nextLook, now >= due, let watch else { return }
        nextLook = now + Supervisor.watchInterval
        guard let trouble = watch.trouble() else { return }
        // Once: it comes back with the next boot, if at all.
        nextLook = nil
        handle(.degraded(reason: trouble))
    }

    // ---- Commands of the configuration ----

    func run(_ name: String, _ command: String, now: Int64) {
        if command.utf8.isEmpty { return }
        do throws(LinuxError) {
            hooks.append(try Hook(name, command, environment: report.environment, now: now))
            log.notice("\(name): \(command)")
        } catch {
            complain("\(name): \(error.text)")
            if name == Supervisor.rebootName { rebootFailed(now: now) }
        }
    }

    func reapHooks(now: Int64) {
        var running: [Hook] = []
        var ended: [(hook: Hook, complaint: String?)] = []
        for hook in hooks {
            if let end = hook.poll(now: now) { ended.append((hook, hook.complaint(end))) } else { running.append(hook) }
        }
        hooks = running
        if !isHooked && ended.contains(where: { $0.hook.name == Supervisor.readyName || $0.hook.name == Supervisor.degradedName }) {
            isHooked = true
            remember(stopped: false)
        }
        for (hook, complaint) in ended {
            if let complaint {
                complain(complaint)
                if hook.name == Supervisor.rebootName { rebootFailed(now: now) }
            } else {
                log.info("\(hook.name): done")
                if hook.name == Supervisor.rebootName { rebootBegan = now }
            }
        }
    }

    private func complain(_ text: String) {
        log.warning(text)
        if !hookTroubles.contains(text) { hookTroubles.append(text) }
        publish()
    }

    // ---- Orders ----

    static let readyName = "[hooks] on-ready"
    static let degradedName = "[hooks] on-degraded"
    /// In milliseconds.
    private static let rebootInterval: Int64 = 60_000
    static let rebootName = "[button] reboot-command"

    /// What a client of the control socket asks for.
    func answer(_ request: ControlRequest, now: Int64) -> ControlSocket.Reply {
        switch request {
        case .status:
            return .now(report.json)
        case .identify:
            light.show(.identify, in: .identify, at: now)
            return .now(.object([("done", .string("identify")), ("seen", .bool(output.text != "none"))]))
        case .light(let text):
            return .now(showApplication(text, now: now))
        case .snapshot(let name):
            guard let index = configuration.databases.firstIndex(where: { $0.repository.name == name }) else {
                return .now(ControlSocket.error("there is no [database \(name)]"))
            }
            return ordered(.snapshot(index: index))
        case .factoryReset(let reason, let reboot):
            log.warning("factory reset: asked for through the control socket: \(reason)")
            return ordered(.factoryReset(reason: reason, reboot: reboot))
        }
    }

    /// It is answered when it is done, which may be at once: so it begins only behind this turn.
    private func ordered(_ order: BootMachine.Order) -> ControlSocket.Reply {
        arrived.append(order)
        return .later(order)
    }

    /// What was ordered is done.
    func finish(_ order: BootMachine.Order, title: String?, trouble: String?, now: Int64) {
        if let trouble { log.error(trouble) }
        switch order {
        case .snapshot:
            control?.answer(order, trouble.map { ControlSocket.error($0) } ?? .object([("done", .string("snapshot")), ("snapshot", .string(title))]))
        case .factoryReset(_, let reboot):
            control?.answer(order, trouble.map { ControlSocket.error($0) } ?? .object([("done", .string("factory-reset")), ("reboot", .bool(reboot))]))
            if trouble != nil {
                // Whoever asked through the socket has read why.
                if isResetting && !isOnRecord { showFailure(now: now) }
                return
            }
            log.warning("factory reset: on record; the next boot erases\(reboot ? ", and begins now" : "")")
            if reboot {
                isOnRecord = true
                acceptReset(now: now)
                self.reboot(now: now)
            }
        case .history:
            if let trouble { complain(trouble) }
        case .reboot:
            reboot(now: now)
        }
    }

    func reboot(now: Int64) { run(Supervisor.rebootName, configuration.rebootCommand, now: now) }

    /// A reset that is on record is done by the next boot, whenever that is: the LED goes on saying so, and the reboot is tried again.
    private func rebootFailed(now: Int64) {
        if isOnRecord { nextReboot = now + Supervisor.rebootInterval } else { showFailure(now: now) }
    }
}
