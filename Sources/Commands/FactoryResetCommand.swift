internal import BootSequence
internal import DataPartition
internal import Linux

/// `firstlightctl factory-reset`: puts the request where the next boot finds it, whatever happens to the power, and reboots.
///
/// The daemon does it, for root and the group; where there is none, in a rescue shell say, it is done here, as root.
struct FactoryResetCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        // The defaults say what to do without one at boot; of what to erase nothing is guessed.
        if !FileSystem.exists(options.configuration) { throw .failed("\(options.configuration): there is no such file. Nothing was erased, and nothing will be") }
        let configuration = Target.configuration(options)
        let client = ControlClient(configuration)
        if client.isThere {
            _ = try client.ask(.factoryReset(reason: options.reason ?? "firstlightctl", reboot: options.reboot), timeout: 600_000)
            tell(configuration)
            return ExitCode.wanted
        }
        return try requestHere(configuration)
    }

    /// Without a daemon.
    private func requestHere(_ configuration: Configuration) throws(CommandError) -> Int32 {
        var settings = configuration.data
        // What is to be erased is there, or it is not.
        settings.wait = min(settings.wait, 2_000)
        var partition = DataPartition(settings, reporter: .silent)
        do throws(DataPartitionError) {
            try partition.requestReset(reason: options.reason ?? "firstlightctl")
        } catch {
            throw .failed("\(error.text). Nothing was erased, and nothing will be")
        }
        let what = what(configuration)
        tell(configuration)
        if !options.reboot { return ExitCode.wanted }
        let end: ChildProcess.End
        do throws(LinuxError) {
            end = try ChildProcess.start("/bin/sh", ["-c", configuration.rebootCommand]).wait()
        } catch {
            throw .failed("\(error.text); \(what)")
        }
        if end != .exited(0) { throw .failed("[button] reboot-command = \(configuration.rebootCommand): \(end.text); \(what)") }
        return ExitCode.wanted
    }

    private func what(_ configuration: Configuration) -> String {
        let place = configuration.data.device == .none ? configuration.data.mount : configuration.data.device.text
        return "the next boot resets \(place) to factory state"
    }

    private func tell(_ configuration: Configuration) {
        if options.json {
            standardOutput(JSON.object([("requested", .bool(true)), ("reboot", .bool(options.reboot))]).text + "\n")
        } else {
            standardOutput("\(what(configuration))\(options.reboot ? "; rebooting now" : "")\n")
        }
    }
}
