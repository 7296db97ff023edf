internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl check`: what a build server wants to know of a set of migrations, one line a finding.
struct CheckCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let scratch = Environment.value("TMPDIR").flatMap { $0.utf8.isEmpty ? nil : $0 } ?? "/tmp"
        var code = ExitCode.wanted
        var all: [JSON] = []
        for database in try Target.all(options, options.names) {
            var check = SetCheck(database.repository, requireDowns: options.requireDowns)
            let findings = try migrator("\(database.repository.migrations) was not judged to the end") {
                () throws(MigrationError) in try check.run(below: scratch)
            }
            let errors = findings.reduce(0) { $0 + ($1.isError ? 1 : 0) }
            if errors > 0 { code = ExitCode.none }
            if options.json {
                all.append(json(database.repository, check.steps, findings))
                continue
            }
            for finding in findings { standardOutput(finding.text + "\n") }
            let counts = [count(check.steps, "step"), count(errors, "error"), count(findings.count - errors, "warning")]
            standardOutput("\(database.repository.migrations): \(counts.joined(separator: ", "))\n")
        }
        if options.json { standardOutput(JSON.array(all).text + "\n") }
        return code
    }

    private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

    private func json(_ repository: Repository, _ steps: Int, _ findings: [SetCheck.Finding]) -> JSON {
        .object([
            ("migrations", .string(repository.migrations)),
            ("database", repository.path.utf8.isEmpty ? .null : .string(repository.path)),
            ("steps", .number(Int64(steps))),
            (
                "findings",
                .array(
                    findings.map {
                        .object([
                            ("level", .string($0.isError ? "error" : "warning")), ("file", .string($0.file)),
                            ("line", .number($0.line)), ("text", .string($0.reason)),
                        ])
                    })
            ),
        ])
    }
}
