internal import BootSequence
internal import DataPartition
internal import Linux

/// `firstlightctl factory-reset`: puts the request where the next boot finds it, whatever happens to the power, and reboots.
///
/// It needs no daemon: in a rescue shell it does the same.
struct FactoryResetCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        // The defaults say what to do without one at boot; of what to erase nothing is guessed.
        if !FileSystem.exists(options.configuration) { throw .failed("\(options.configuration): there is no such file. Nothing was erased, and nothing will be") }
        let configuration = Target.configuration(options)
        var settings = configuration.data
        // What is to be erased is there, or it is not.
        settings.wait = min(settings.wait, 2_000)
        var partition = DataPartition(settings, reporter: .silent)
        do throws(DataPartitionError) {
            try partition.requestReset(reason: options.reason ?? "firstlightctl")
        } catch {
            throw .failed("\(error.text). Nothing was erased, and nothing will be")
        }
        let what = "the next boot resets \(settings.device == .none ? settings.mount : settings.device.text) to factory state"
        if options.json {
            standardOutput(JSON.object([("requested", .bool(true)), ("reboot", .bool(options.reboot))]).text + "\n")
        } else {
            standardOutput("\(what)\(options.reboot ? "; rebooting now" : "")\n")
        }
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
}
