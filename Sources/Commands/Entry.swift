internal import Linux

/// firstlightctl's main.
@c(firstlightctl_entry)
public func firstlightctl_entry(argc: Int32, argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    var arguments: [String] = []
    for i in 1..<max(Int(argc), 1) { arguments.append(argv[i].map { String(cString: $0) } ?? "") }
    do throws(UsageError) {
        let options = try Options(arguments)
        switch options.command {
        case "status": return StatusCommand(options).run()
        case "wait": return WaitCommand(options).run()
        case "plan": return PlanCommand(options).run()
        case "migrate": return MigrateCommand(options).run()
        case "help":
            standardOutput(Options.usage)
            return ExitCode.wanted
        default: throw UsageError(text: "unknown command \"\(options.command)\"")
        }
    } catch {
        standardErrorLine("firstlightctl: \(error.text)")
        standardErrorLine(Options.usage)
        return ExitCode.usage
    }
}
