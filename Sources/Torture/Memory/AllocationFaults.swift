#if Lab
import AutoMigrator
import CAllocator
import Foundation
import Linux

/// SQLite is refused memory: at its n-th request once, or from then on, for every n that a boot makes.
///
/// In this process: what crashes it is a failure that the parent of a lane sees. The oracle:
///
/// - the report is one of an untroubled boot, or says `failed`, `restored` (a step's failure, the schema from before serves) or `ahead`
///   (the same of a down);
/// - the database is exactly the one from before or the one of an untroubled boot, down to the stored downs, and the outcome says which;
/// - no memory is no damage: nothing is lost, nothing goes to quarantine, nothing is rebuilt, no plan is held;
/// - every sealed snapshot is the whole of what its seal says;
/// - the next boot, with memory, ends as an untroubled one.
public struct AllocationFaults {
    private let folder: String

    /// - Parameter folder: where the files are made; in RAM, and this lane's alone.
    public init(folder: String) throws {
        guard allocator_is_installed() != 0 else { throw HostileError("SQLite was used before the counting allocator was there") }
        try FileSystem.makeDirectories(folder)
        self.folder = folder
    }

    /// How many requests an untroubled boot makes: faults are numbered from 0 to one below.
    public func count(_ scenario: AllocationScenario) throws -> Int { try untroubled(scenario).count }

    /// Refuses each of the requests in `range`, one a boot.
    ///
    /// - Parameters:
    ///   - stride: tries every so manieth of them.
    ///   - forEver: all requests after it are refused, too.
    /// - Returns: what is wrong, a line each that begins with the fault's name, `upgrade/once/17`.
    public func run(
        _ scenario: AllocationScenario, _ range: Range<Int>, stride: Int = 1, forEver: Bool
    ) throws -> [String] {
        let usual = try untroubled(scenario)
        let boot = try AllocationBoot(folder, scenario.migrations)
        var failures: [String] = []
        for number in Swift.stride(from: range.lowerBound, to: range.upperBound, by: stride) {
            try usual.files.write(to: data)
            allocator_arm(number, forEver ? 1 : 0)
            let report = boot.run(scenario)
            allocator_disarm()
            let name = "\(scenario.rawValue)/\(forEver ? "for-ever" : "once")/\(number)"
            if let wrong = try judge(scenario, usual, report) ?? nextBoot(scenario, usual, boot) {
                failures.append("\(name): \(wrong) [\(report.outcome.text): \(report.reason ?? "")]")
            }
        }
        return failures
    }

    // ---- What there is to compare with ----

    private var data: String { "\(folder)/data" }

    /// A boot with all the memory it wants.
    private struct Untroubled {
        let files: HostileTree
        let count: Int
        let report: RepositoryReport
        let before: HostileContents
        let after: HostileContents
        let tables: [HostileContents.Table]
    }

    private func untroubled(_ scenario: AllocationScenario) throws -> Untroubled {
        let files = try scenario.files(folder)
        let boot = try AllocationBoot(folder, scenario.migrations)
        try files.write(to: data)
        allocator_arm(-1, 0)
        let report = boot.run(scenario)
        let count = allocator_count()
        allocator_disarm()
        if report.outcome != scenario.outcome { throw HostileError("\(scenario.rawValue): \(report.outcome.text): \(report.reason ?? "")") }
        let after = try HostileTree(data)
        let tables = try tables(files) ?? tables(after) ?? []
        return try Untroubled(
            files: files, count: count, report: report, before: contents(files, tables), after: contents(after, tables), tables: tables)
    }

    /// Those that the database has, with our own; nil where it is none.
    private func tables(_ files: HostileTree) throws -> [HostileContents.Table]? {
        try place(files)
        let tables = HostileContents.tables(HostileConnection(look))
        let own = HostileContents.Table(name: "firstlight_migrations", columns: ["version", "name", "checksum", "compatible", "down"])
        return tables.isEmpty ? nil : tables + [own]
    }

    private var look: String { "\(folder)/look/app.db" }

    private func place(_ files: HostileTree, _ path: String = HostileTemplate.database) throws {
        var alone = HostileTree()
        for suffix in ["", "-journal", "-wal"] { alone["app.db" + suffix] = files[path + suffix] }
        try alone.write(to: "\(folder)/look")
    }

    private func contents(
        _ files: HostileTree, _ tables: [HostileContents.Table], _ path: String = HostileTemplate.database
    ) throws -> HostileContents {
        try place(files, path)
        return HostileContents(look, tables)
    }

    // ---- What must hold ----

    private func judge(_ scenario: AllocationScenario, _ usual: Untroubled, _ report: RepositoryReport) throws -> String? {
        let files = try HostileTree(data)
        let now = try contents(files, usual.tables)
        // A sound copy with its steps still pending lies between the two; the next boot takes them.
        if scenario == .salvage, report.outcome == .restored, report.pending > 0, report.quarantine != nil { return nil }
        let isNew = now == usual.after
        if !isNew && now != usual.before {
            return "the database is neither the old nor the new one: \(now.difference(from: usual.after) ?? now.trouble)"
        }
        if report.outcome == .rebuilt { return "taken for damage, and rebuilt" }
        if scenario != .restore {
            if report.lost != nil { return "lost: \(report.lost ?? "")" }
            let isUsual = report.outcome == scenario.outcome && scenario == .salvage
            if !isUsual, files.entries.keys.contains(where: { $0.contains("/quarantine/0") }) { return "files went to quarantine" }
        }
        if report.outcome == scenario.outcome, report.pending == usual.report.pending, report.lost == usual.report.lost {
            if !isNew { return "the outcome is the usual one, and the database the old one" }
        } else if report.outcome == .failed || report.outcome == .restored || scenario == .downgrade && report.outcome == .ahead {
            if report.reason == nil { return "no reason" }
            // Done all the same, with an error afterwards, is done.
            if isNew && now != usual.before { return "\(report.outcome.text), and the database is the new one" }
        } else {
            return "an outcome that this boot cannot have"
        }
        return try snapshots(files, usual)
    }

    /// A snapshot is whole or not there: it has the schema of its seal, and all rows of that moment.
    private func snapshots(_ files: HostileTree, _ usual: Untroubled) throws -> String? {
        for path in files.entries.keys.sorted() where path.contains("/snapshots/") && path.hasSuffix(".db") && usual.files[path] == nil {
            let snapshot = try contents(files, usual.tables, path)
            if snapshot != usual.before && snapshot != usual.after {
                return "\(path) is sealed and is no copy of the database: \(snapshot.difference(from: usual.after) ?? snapshot.trouble)"
            }
        }
        return nil
    }

    private func nextBoot(_ scenario: AllocationScenario, _ usual: Untroubled, _ boot: AllocationBoot) throws -> String? {
        let report = boot.run(scenario)
        let done = report.outcome == .current && scenario != .failingStep
        guard done || report.outcome == scenario.outcome else { return "the next boot: \(report.outcome.text): \(report.reason ?? "")" }
        if scenario == .failingStep, report.reason?.contains("nowhere") != true { return "the next boot: \(report.reason ?? "")" }
        let now = try contents(HostileTree(data), usual.tables)
        return now == usual.after ? nil : "the next boot leaves another database: \(now.difference(from: usual.after) ?? now.trouble)"
    }
}
#endif
