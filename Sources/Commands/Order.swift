internal import AutoMigrator
internal import BootSequence
internal import CLinux
internal import Linux

/// What migrate, rollback and restore have in common: one repository that nobody else has open, told as it goes and reported at the end.
enum Order {
    static func run(
        _ options: Options, _ work: (inout RepositoryBoot, _ path: String) throws(CommandError) -> RepositoryReport
    ) throws(CommandError) -> Int32 {
        var repository = try Target.one(options)
        let directory = Text.directory(of: repository.path)
        guard FileSystem.exists(directory) else {
            throw .failed("\(directory): there is no such directory; make it first. Nothing was done")
        }
        try Target.refuseIfOpen(repository)
        // As at boot: /tmp may be a small tmpfs (RULES.md S15).
        setenv("SQLITE_TMPDIR", directory, 0)
        let line = ProgressLine()
        repository.hooks.progress = { line.show($0) }
        repository.deadline = options.timeout
        var boot = RepositoryBoot(repository, reporter: Reporter(log: line.log(options.json ? .warning : .info)))
        let report = try work(&boot, repository.path)
        line.clear()
        standardOutput(options.json ? json(report).text + "\n" : StatusPage.repository(report.json))
        boot.acknowledge()
        return ExitCode.of(report)
    }

    /// status.json has the warnings of all repositories in one place; here there is no such place.
    private static func json(_ report: RepositoryReport) -> JSON {
        guard case .object(let members) = report.json else { return report.json }
        return .object(members + [("warnings", .array(report.warnings.map { .string($0) }))])
    }
}
