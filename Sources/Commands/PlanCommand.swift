internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl plan`: what a boot would do, writing nothing.
struct PlanCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() -> Int32 {
        let databases = Target.repositories(options)
        if databases.isEmpty { return ExitCode.usage }
        var code = ExitCode.wanted
        var all: [JSON] = []
        for database in databases {
            let repository = database.repository
            do throws(MigrationError) {
                let plan = try RepositoryBoot(repository, reporter: .silent).plan()
                if !plan.pending.isEmpty || !plan.unknown.isEmpty { code = max(code, ExitCode.otherSchema) }
                if options.json { all.append(json(repository, plan)) } else { tell(repository, plan) }
            } catch {
                code = ExitCode.none
                standardErrorLine("firstlightctl: \(repository.path): \(error.text)")
            }
        }
        if options.json { standardOutput(JSON.array(all).text + "\n") }
        return code
    }

    private func tell(_ repository: Repository, _ plan: Plan) {
        func version(_ version: Int64?) -> String { version.map { "\($0)" } ?? "none" }
        standardOutput("\(repository.path): schema \(version(plan.schema)), wanted \(version(plan.wanted))\n")
        for step in plan.pending {
            standardOutput("  pending  \(step.title)\(step.options.transaction ? "" : "  (alone, under a snapshot)")\n")
        }
        for step in plan.unknown {
            standardOutput("  unknown  \(step.version)\(step.name.map { "_\($0)" } ?? "")  (this image is older)\n")
        }
        for warning in plan.warnings { standardOutput("  warning  \(warning)\n") }
        if plan.pending.isEmpty && plan.unknown.isEmpty { standardOutput("  nothing to do\n") }
    }

    private func json(_ repository: Repository, _ plan: Plan) -> JSON {
        .object([
            ("name", .string(repository.name)),
            ("path", .string(repository.path)),
            ("schema", .number(plan.schema)),
            ("wanted", .number(plan.wanted)),
            ("pending", .array(plan.pending.map { .object([("version", .number($0.version)), ("name", .string($0.name))]) })),
            ("unknown", .array(plan.unknown.map { .object([("version", .number($0.version)), ("name", .string($0.name))]) })),
            ("changed", .array(plan.changed.map { .number($0.version) })),
            ("warnings", .array(plan.warnings.map { .string($0) })),
        ])
    }
}
