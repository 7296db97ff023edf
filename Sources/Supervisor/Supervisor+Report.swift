internal import AutoMigrator
internal import BootSequence
internal import DataPartition
internal import FrontPanel
internal import Linux
internal import SQLite

/// What others see: status.json and its neighbours, the service manager's status line, the control socket.
extension Supervisor {
    func publish() {
        // First what the next life needs: whoever sees `ready` may kill this one.
        remember(stopped: false)
        files.write(report)
        toldButton = button.text
    }

    /// For the next life in this boot.
    func remember(stopped: Bool) {
        if bootID.utf8.isEmpty { return }
        var memory = machine.remember(boot: bootID)
        memory.isHooked = isHooked
        memory.errors = watch?.errorsAtStart ?? errorsAtStart
        memory.wasStopped = stopped
        files.remember(memory)
    }

    func openControl() {
        // An appliance that has no group of that name, which is the default's, has nobody in it.
        let found = Group.find(configuration.group)
        if found == nil && configuration.group != Configuration().group {
            panelTroubles.append("[status] group = \(configuration.group): no such group in /etc/group; only root may use the control socket")
        }
        let group = found ?? 0
        do throws(LinuxError) {
            control = try ControlSocket("\(files.directory)/control", group: group)
        } catch {
            panelTroubles.append("[status] directory: \(error.text); the boot goes on without a control socket")
        }
    }

    var report: BootReport {
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

    /// One line for `systemctl status`.
    var statusLine: String {
        if machine.isReady { return "ready: \(machine.outcome.text)" }
        guard let worker else { return machine.isInWindow ? "the button is held" : "starting" }
        let percent = worker.percent.map { " (\($0) %)" } ?? ""
        return worker.step.utf8.isEmpty ? describe(worker.job) : "\(worker.step)\(percent)"
    }

    func describe(_ job: BootMachine.Job) -> String {
        switch job {
        case .wipe, .requestReset: "factory reset"
        case .data, .acknowledgeRepair, .history: "data partition"
        case .volatile: "tmpfs"
        case .repository(let index, _, _), .upkeep(let index, _), .snapshot(let index): "database \(configuration.databases[index].repository.name)"
        }
    }
}
