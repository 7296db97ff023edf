internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl wait`: returns when the boot's outcome is known.
struct WaitCommand {
    private let options: Options
    /// Between two looks, in milliseconds: short beside a boot, long beside a look.
    private static let interval: Int64 = 50

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let path = StatusFile(options).path
        let ready = "\(Text.directory(of: path))/ready"
        let start = Clock.milliseconds
        while !FileSystem.exists(ready) {
            if let timeout = options.timeout, Clock.milliseconds - start >= timeout {
                throw .failed("not ready after \(timeout) ms; \(path) says how far it is")
            }
            Clock.sleep(milliseconds: WaitCommand.interval)
        }
        let (text, status) = try StatusFile(options).read()
        if options.json { standardOutput(text) }
        let code = StatusCommand.code(status)
        guard let require = options.require else { return code }
        let outcome = status["outcome"]?.stringValue ?? "none"
        if require.contains(where: { $0.text == outcome }) { return ExitCode.wanted }
        standardErrorLine("firstlightctl: the outcome is \(outcome)")
        return code == ExitCode.wanted ? ExitCode.otherSchema : code
    }
}
