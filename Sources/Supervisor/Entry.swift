internal import AutoMigrator
internal import BootSequence
internal import Linux

/// firstlightd's main: the supervisor, or with `--worker` one stage of the boot in a process of its own.
@c(firstlightd_entry)
public func firstlightd_entry(argc: Int32, argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    var arguments: [String] = []
    for i in 1..<max(Int(argc), 1) { arguments.append(argv[i].map { String(cString: $0) } ?? "") }

    var configuration = "/etc/firstlight.conf"
    var worker: [String]?
    var supervisor: Int64?
    var index = 0
    while index < arguments.count {
        switch arguments[index] {
        case "--config" where index + 1 < arguments.count:
            index += 1
            configuration = arguments[index]
        case "--supervisor" where index + 1 < arguments.count:
            index += 1
            supervisor = Text.number(arguments[index])
        case "--worker" where index + 1 < arguments.count:
            worker = Array(arguments[(index + 1)...])
            index = arguments.count
        case "--version":
            standardOutput("firstlightd \(firstlightVersion)\n")
            return 0
        case "--help":
            standardOutput(usage)
            return 0
        default:
            standardErrorLine("firstlightd: unexpected argument \"\(arguments[index])\"\n\(usage)")
            return 2
        }
        index += 1
    }
    if let worker { return Worker(configuration: configuration, supervisor: supervisor).run(worker) }
    return Supervisor(configuration: configuration).run()
}

private let usage = """
    usage: firstlightd [--config FILE] [--version] [--help]
    Brings up the data partition and its databases, shows on a LED how that went, and stays.
      --config FILE   read FILE and FILE.d/*.conf instead of /etc/firstlight.conf

    """
