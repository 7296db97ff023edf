internal import AutoMigrator
internal import BootSequence
internal import Linux

/// The command line: a command, then options named like the configuration's keys.
struct Options {
    enum Command: Equatable {
        case status, wait, report, plan, migrate, rollback, check, snapshot, restore, new, factoryReset, light, identify, help, version

        init?(text: String) {
            switch text {
            case "status": self = .status
            case "wait": self = .wait
            case "report": self = .report
            case "plan": self = .plan
            case "migrate": self = .migrate
            case "rollback": self = .rollback
            case "check": self = .check
            case "snapshot": self = .snapshot
            case "restore": self = .restore
            case "new": self = .new
            case "factory-reset": self = .factoryReset
            case "light": self = .light
            case "identify": self = .identify
            case "help", "--help", "-h": self = .help
            case "version", "--version": self = .version
            default: return nil
            }
        }

        /// The options it takes beside `--json`.
        var options: [String] {
            switch self {
            case .status, .light, .identify: ["--config"]
            case .wait: ["--config", "--require", "--timeout"]
            case .report: ["--config", "--output"]
            case .plan: Command.database + ["--to", "--step"]
            case .migrate, .rollback: Command.database + ["--to", "--step", "--timeout"]
            case .check: Command.database + ["--require-downs"]
            case .snapshot: Command.database
            case .restore: Command.database + ["--snapshot", "--list"]
            case .new: ["--config", "--migrations"]
            case .factoryReset: ["--config", "--reason", "--reboot"]
            case .help, .version: []
            }
        }

        private static let database = [
            "--config", "--database", "--migrations", "--verify", "--snapshots", "--quarantine", "--keep-tables", "--on-failure", "--on-newer",
            "--adopt", "--strict-order", "--extensions",
        ]
    }

    let command: Command
    /// What is no option.
    private(set) var names: [String] = []
    private(set) var json = false
    private(set) var configuration = "/etc/firstlight.conf"
    private(set) var database: String?
    private(set) var migrations: String?
    /// Keys of a `[database]` section, each with a value that is one.
    private(set) var settings: [(key: String, value: String)] = []
    private(set) var require: [Outcome]?
    /// In milliseconds; nil waits without a limit.
    private(set) var timeout: Int64?
    private(set) var goal: Goal?
    /// Of the snapshot to restore; 0 is the pinned one, nil the newest.
    private(set) var snapshot: Int64?
    private(set) var list = false
    private(set) var requireDowns = false
    /// Who asks for a factory reset.
    private(set) var reason: String?
    private(set) var reboot = true
    /// The file that a report goes to; nil for standard output.
    private(set) var output: String?

    init(_ arguments: [String]) throws(CommandError) {
        guard let first = arguments.first else { throw .usage("a command is missing") }
        guard let named = Command(text: first) else { throw .usage("unknown command \"\(first)\"") }
        let command = arguments.contains("--help") || arguments.contains("-h") ? Command.help : named
        self.command = command
        json = arguments.contains("--json")
        if command == .help { return }
        var index = 1
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument == "--json" { continue }
            guard Text.hasPrefix(argument, "-") else {
                names.append(argument)
                continue
            }
            let (option, inside) = Text.cut(argument, at: 0x3D).map { ($0.before, $0.after) } ?? (argument, nil)
            guard command.options.contains(option) else { throw .usage("\(option): unknown option of \(first)") }
            if option == "--list" {
                guard inside == nil else { throw .usage("--list takes no value") }
                list = true
                continue
            }
            let next = index < arguments.count && !Text.hasPrefix(arguments[index], "--") ? arguments[index] : nil
            guard let value = inside ?? next, !value.utf8.isEmpty else { throw .usage("\(option): its value is missing") }
            if inside == nil { index += 1 }
            try set(option, value)
        }
        try checkTarget()
    }

    private mutating func set(_ option: String, _ value: String) throws(CommandError) {
        func parsed<T>(_ result: T?, _ expected: String) throws(CommandError) -> T {
            guard let result else { throw .usage("\(option) \(value): it must be \(expected)") }
            return result
        }
        switch option {
        case "--config": configuration = value
        case "--database": database = value
        case "--migrations": migrations = value
        case "--timeout":
            timeout = try parsed(Text.milliseconds(value), "a time such as 30s or 5min")
        case "--require":
            var outcomes: [Outcome] = []
            for word in Text.split(value, 0x2C) { outcomes.append(try parsed(Outcome(text: word), "a list of outcomes")) }
            require = outcomes
        case "--to", "--step":
            guard goal == nil else { throw .usage("\(option) \(value): --to and --step exclude each other, and come once") }
            if option == "--to" {
                goal = .version(try parsed(Text.number(value), "a version"))
            } else {
                goal = .steps(Int(try parsed(Text.number(value).flatMap { (1...100_000).contains($0) ? $0 : nil }, "1 to 100000")))
            }
        case "--snapshot":
            let number = value == "pinned" ? 0 : Text.number(value).flatMap { $0 > 0 ? $0 : nil }
            snapshot = try parsed(number, "a snapshot's number (restore --list) or pinned")
        case "--reason": reason = value
        case "--output": output = value
        case "--reboot": reboot = try parsed(value == "yes" ? true : value == "no" ? false : nil, "yes or no")
        case "--require-downs": requireDowns = try parsed(value == "yes" ? true : value == "no" ? false : nil, "yes or no")
        default:
            let key = String(decoding: option.utf8.dropFirst(2), as: UTF8.self)
            // Tried on a repository that nobody has: the real ones are not known yet.
            var repository = Repository(name: "", path: "", migrations: "")
            if case .wrong(let expected) = repository.set(key, value) {
                throw .usage("\(option) \(value): it must be \(expected)")
            }
            settings.append((key, value))
        }
    }

    private func checkTarget() throws(CommandError) {
        switch command {
        case .light:
            if names.count != 1 { throw .usage("one pattern is wanted: on, off, release, or ON/OFF[,ON/OFF]... in milliseconds") }
            return
        case .status, .wait, .report, .factoryReset, .identify, .version:
            if let name = names.first { throw .usage("\"\(name)\": nothing was expected here") }
            if command == .report, json, output == nil { throw .usage("--json: a report is plain text; --output FILE is missing") }
        case .plan, .migrate:
            if (database == nil) != (migrations == nil) { throw .usage("--database FILE and --migrations DIR belong together") }
        case .rollback, .snapshot, .restore:
            if migrations != nil && database == nil { throw .usage("--migrations DIR: --database FILE is missing") }
        case .check:
            if migrations == nil && database != nil { throw .usage("--database FILE: --migrations DIR is missing") }
        case .new:
            if names.isEmpty { throw .usage("the new migration's TITLE is missing") }
            if migrations != nil && names.count > 1 { throw .usage("\"\(names[1])\": one TITLE; put blanks between quotes") }
            return
        case .help: return
        }
        if let name = names.first, database != nil || migrations != nil {
            throw .usage("\"\(name)\": either a NAME of the configuration or files")
        }
    }
}
