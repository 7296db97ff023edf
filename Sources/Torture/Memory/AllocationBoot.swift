#if Lab
import AutoMigrator
import Foundation
import Linux

/// One boot in this process, of the database below `folder`.
struct AllocationBoot {
    private let repository: Repository

    /// Writes the image's migrations.
    init(_ folder: String, _ migrations: [String: String]) throws {
        let set = "\(folder)/set"
        try FileSystem.removeTree(set)
        try FileSystem.makeDirectories(set)
        for (name, text) in migrations { try text.write(toFile: "\(set)/\(name)", atomically: false, encoding: .utf8) }
        repository = Repository(name: "app", path: "\(folder)/data/\(HostileTemplate.database)", migrations: set)
    }

    func boot() -> RepositoryBoot { RepositoryBoot(repository, reporter: .silent) }

    func run(_ scenario: AllocationScenario? = nil) -> RepositoryReport {
        var boot = boot()
        return boot.run(unclean: scenario == .salvage)
    }

    func expect(_ outcome: Outcome) throws {
        let report = run()
        if report.outcome != outcome { throw HostileError("\(report.outcome.text), not \(outcome.text): \(report.reason ?? "")") }
    }
}
#endif
