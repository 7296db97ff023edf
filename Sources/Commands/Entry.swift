internal import AutoMigrator
internal import BootSequence
internal import Linux
internal import SQLite

/// firstlightctl's main.
@c(firstlightctl_entry)
public func firstlightctl_entry(argc: Int32, argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    var arguments: [String] = []
    for i in 1..<max(Int(argc), 1) { arguments.append(argv[i].map { String(cString: $0) } ?? "") }
    do throws(CommandError) {
        return try run(Options(arguments))
    } catch {
        if arguments.contains("--json") {
            standardOutput(JSON.object([("error", .string(error.text))]).text + "\n")
        } else {
            standardErrorLine("firstlightctl: \(error.text)")
            if case .usage = error { standardErrorLine(Usage.short) }
        }
        return error.code
    }
}

private func run(_ options: Options) throws(CommandError) -> Int32 {
    switch options.command {
    case .status: return try StatusCommand(options).run()
    case .wait: return try WaitCommand(options).run()
    case .report: return try ReportCommand(options).run()
    case .plan: return try PlanCommand(options).run()
    case .migrate: return try MigrateCommand(options).run()
    case .rollback: return try RollbackCommand(options).run()
    case .check: return try CheckCommand(options).run()
    case .snapshot: return try SnapshotCommand(options).run()
    case .restore: return try RestoreCommand(options).run()
    case .new: return try NewCommand(options).run()
    case .factoryReset: return try FactoryResetCommand(options).run()
    case .light: return try LightCommand(options).run()
    case .identify: return try IdentifyCommand(options).run()
    case .help: standardOutput(Usage.text)
    case .version:
        if options.json {
            let fields = JSON.object([("version", .string(firstlightVersion)), ("sqlite", .string(Database.version))])
            standardOutput(fields.text + "\n")
        } else {
            standardOutput("firstlightctl \(firstlightVersion), SQLite \(Database.version)\n")
        }
    }
    return ExitCode.wanted
}
