internal import AutoMigrator
internal import Linux

/// A command line that makes no sense; the usage follows it, and exit 2.
struct UsageError: Error {
    let text: String
}

/// The command line: a command, then options named like the configuration's keys.
struct Options {
    let command: String
    /// What is no option: database names of the configuration.
    private(set) var names: [String] = []
    private(set) var json = false
    private(set) var configuration = "/etc/firstlight.conf"
    private(set) var database: String?
    private(set) var migrations: String?
    private(set) var verify: Verify?
    private(set) var snapshots: Int?
    private(set) var onFailure: [Repository.Rung]?
    private(set) var require: [Outcome]?
    /// In milliseconds; nil waits without a limit.
    private(set) var timeout: Int64?

    static let usage = """
        usage: firstlightctl status [--json]
               firstlightctl wait [--require OUTCOME[,OUTCOME…]] [--timeout TIME]
               firstlightctl plan [--json] [NAME… | --database FILE --migrations DIR]
               firstlightctl migrate [--json] [NAME | --database FILE --migrations DIR]
                 [--verify full|quick|none] [--snapshots N] [--on-failure restore,rebuild|keep|stop]
          NAME is a [database NAME] of the configuration (--config FILE); TIME is 500ms, 30s, 5min.
          exit: 0 at the wanted schema, 1 no database, 2 usage, 3 usable but not at the wanted schema,
                4 at the wanted schema with data lost, 5 in RAM

        """

    init(_ arguments: [String]) throws(UsageError) {
        guard let first = arguments.first else { throw UsageError(text: "a command is missing") }
        command = first == "--help" || first == "-h" ? "help" : first
        var index = 1
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            guard Text.hasPrefix(argument, "--") else {
                names.append(argument)
                continue
            }
            if argument == "--json" {
                json = true
                continue
            }
            guard index < arguments.count else { throw UsageError(text: "\(argument): unknown, or its value is missing") }
            try set(argument, arguments[index])
            index += 1
        }
        if (database == nil) != (migrations == nil) {
            throw UsageError(text: "--database FILE and --migrations DIR belong together")
        }
        if database != nil && !names.isEmpty { throw UsageError(text: "\(names[0]): either a NAME or --database") }
    }

    private mutating func set(_ option: String, _ value: String) throws(UsageError) {
        func parsed<T>(_ result: T?, _ expected: String) throws(UsageError) -> T {
            guard let result else { throw UsageError(text: "\(option) \(value): it must be \(expected)") }
            return result
        }
        switch option {
        case "--config": configuration = value
        case "--database": database = value
        case "--migrations": migrations = value
        case "--verify": verify = try parsed(Verify(text: value), "full, quick or none")
        case "--snapshots":
            snapshots = Int(try parsed(Text.number(value).flatMap { (1...100).contains($0) ? $0 : nil }, "1 to 100"))
        case "--on-failure":
            var rungs: [Repository.Rung] = []
            for word in Text.split(value, 0x2C) {
                rungs.append(try parsed(Repository.Rung(text: word), "a list of restore, rebuild, keep, stop"))
            }
            onFailure = rungs
        case "--timeout": timeout = try parsed(Text.milliseconds(value), "a time such as 30s or 5min")
        case "--require":
            var outcomes: [Outcome] = []
            for word in Text.split(value, 0x2C) { outcomes.append(try parsed(Outcome(text: word), "a list of outcomes")) }
            require = outcomes
        default: throw UsageError(text: "\(option): unknown option")
        }
    }
}
