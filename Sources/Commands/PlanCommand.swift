internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl plan`: what a boot would do, writing nothing.
struct PlanCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        var code = ExitCode.wanted
        var all: [JSON] = []
        for database in try Target.all(options, options.names) {
            let repository = database.repository
            do throws(MigrationError) {
                let plan = try RepositoryBoot(repository, reporter: .silent).plan(to: options.goal ?? .end)
                if code == ExitCode.wanted, !plan.pending.isEmpty || !plan.unknown.isEmpty { code = ExitCode.otherSchema }
                if options.json { all.append(json(repository, plan)) } else { tell(repository, plan) }
            } catch {
                code = ExitCode.none
                let place = Text.contains(error.text, repository.path) ? "" : "\(repository.path): "
                let text = "\(place)\(error.text); a boot would leave the database as it is"
                if options.json {
                    all.append(
                        .object([
                            ("name", .string(repository.name)), ("path", .string(repository.path)), ("error", .string(text)),
                        ]))
                } else {
                    standardErrorLine("firstlightctl: \(text)")
                }
            }
        }
        if options.json { standardOutput(JSON.array(all).text + "\n") }
        return code
    }

    private func tell(_ repository: Repository, _ plan: Plan) {
        func version(_ version: Int64?) -> String { version.map { "\($0)" } ?? "none" }
        standardOutput("\(repository.path): schema \(version(plan.schema)), wanted \(version(plan.wanted))\n")
        if !FileSystem.exists(repository.path) { standardOutput("  there is no database yet; migrate makes it\n") }
        let late = Set(plan.outOfOrder.map { $0.version })
        for step in plan.pending {
            var note = step.options.transaction ? "" : "  (alone, under a snapshot)"
            if late.contains(step.version) { note += "  (out of order)" }
            standardOutput("  pending  \(step.title)\(note)\n")
        }
        for step in plan.unknown {
            let note = step.compatible ? "compatible" : "this image is older"
            standardOutput("  unknown  \(step.version)\(step.name.map { "_\($0)" } ?? "")  (\(note))\n")
        }
        for step in plan.changed {
            standardOutput("  changed  \(step.title)  (after it was applied; the database keeps what ran then)\n")
        }
        if repository.strictOrder, !late.isEmpty {
            standardOutput("  refused  out of order, and the order is strict: nothing of it would run\n")
        }
        if let held = plan.held {
            let when = held.boots.map { "tried again \($0) boots from now" } ?? "rests until the migrations change"
            standardOutput("  held     \(held.reason); \(when), or by migrate\n")
        }
        if plan.pending.isEmpty && plan.unknown.isEmpty { standardOutput("  nothing to do\n") }
    }

    private func json(_ repository: Repository, _ plan: Plan) -> JSON {
        func step(_ version: Int64, _ name: String?, _ key: String, _ value: Bool) -> JSON {
            .object([("version", .number(version)), ("name", .string(name)), (key, .bool(value))])
        }
        let held = plan.held.map { JSON.object([("reason", .string($0.reason)), ("boots", .number($0.boots))]) }
        return .object([
            ("name", .string(repository.name)),
            ("path", .string(repository.path)),
            ("schema", .number(plan.schema)),
            ("wanted", .number(plan.wanted)),
            ("pending", .array(plan.pending.map { step($0.version, $0.name, "alone", !$0.options.transaction) })),
            ("unknown", .array(plan.unknown.map { step($0.version, $0.name, "compatible", $0.compatible) })),
            ("changed", .array(plan.changed.map { .number($0.version) })),
            ("out_of_order", .array(plan.outOfOrder.map { .number($0.version) })),
            ("held", held ?? .null),
            ("warnings", .array(plan.warnings.map { .string($0) })),
        ])
    }
}
