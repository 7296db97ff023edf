internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl migrate`: what the daemon does at boot, for one database, on any Linux.
struct MigrateCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() -> Int32 {
        let databases = Target.repositories(options)
        guard let database = databases.first else { return ExitCode.usage }
        guard databases.count == 1 else {
            standardErrorLine("firstlightctl: which one? \(databases.map { $0.repository.name }.joined(separator: ", "))")
            return ExitCode.usage
        }
        if let user = database.user, let owner = owner(of: Text.directory(of: database.repository.path)), owner != userID() {
            // Files made as somebody else would lock the application out of its own database.
            standardErrorLine(
                "firstlightctl: \(database.repository.path) belongs to user \(owner); run this as \(user) (su, setpriv)")
            return ExitCode.usage
        }
        let log =
            options.json ? Log { level, text in if level.rawValue <= LogLevel.warning.rawValue { standardErrorLine(text) } }
            : Log.standardError(prefix: "")
        var boot = RepositoryBoot(database.repository, reporter: Reporter(log: log))
        let report = boot.run(unclean: false)
        if options.json {
            standardOutput(report.json.text + "\n")
        } else {
            standardOutput(StatusPage.repository(report.json))
        }
        return ExitCode.of(report)
    }

    private func owner(of path: String) -> UInt32? { (try? FileSystem.status(path))??.user }
}
