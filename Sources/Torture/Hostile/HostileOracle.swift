#if Lab
import Foundation
import Linux

/// Holds what the tool says and what it leaves against the contract (README.md), for one case. It knows plain SQLite and the files as they
/// were, and nothing of how the migrator decides:
///
/// 1. The process ends by itself, in time, with a known outcome and the exit code of that outcome.
/// 2. Every byte is still there: in place; or in quarantine, sidecars beside the database; or what SQLite's own recovery made of it.
/// 3. An outcome with a schema is one: an ordinary open, a write and a read succeed.
/// 4. Rows are what is told: with nothing lost, those that plain SQLite reads in the damaged files, or those from before the damage;
///    with a snapshot, that snapshot's. Nothing is given up while plain SQLite calls the files sound.
/// 5. A snapshot whose bytes are not what they were, or that is damage well sealed, never takes the database's place.
/// 6. A second run changes nothing.
struct HostileOracle {
    let one: HostileCase
    let template: HostileTemplate
    let tool: HostileTool
    let folder: String
    let before: HostileTree
    /// The image's migrations.
    let set: String

    private let database = HostileTemplate.database

    /// - Returns: what is wrong, if anything, and the files after the runs.
    func judge() throws -> (String?, HostileTree) {
        let data = "\(folder)/data"
        try before.write(to: data)
        let answer = try migrate(data)
        let after = try HostileTree(data)
        if let wrong = ending(answer) { return ("\(wrong) [\(answer.text.suffix(600))]", after) }
        let evidence = HostileEvidence(self, answer, after: after, folder: folder)
        let wrong = try evidence.wrong() ?? settles(data, answer, after)
        return (wrong.map { "\($0) [\(answer.text.suffix(600))]" }, after)
    }

    private func migrate(_ data: String) throws -> HostileTool.Answer {
        try tool.run(["migrate", "--json", "--database", "\(data)/\(database)", "--migrations", set])
    }

    // ---- 1 ----

    private func ending(_ answer: HostileTool.Answer) -> String? {
        if answer.hung { return "hang: it had to be killed after \(tool.limit) ms" }
        guard case .exited(let code) = answer.end else { return "crash: it ended by \(answer.end.text)" }
        if let error = answer.fields["error"] as? String {
            if code != 1 && code != 2 { return "exit \(code) with the error \"\(error)\"" }
            // Only what is no file of its own is nobody's database.
            return before.data(database) == nil ? nil : "no outcome for a file: \(error)"
        }
        guard let outcome = answer.outcome else { return "neither an outcome nor an error, exit \(code)" }
        guard let expected = exitCode(outcome, answer) else { return "an outcome that does not exist: \(outcome)" }
        if code != expected { return "exit \(code) with the outcome \(outcome), which is \(expected)" }
        if !["current", "migrated"].contains(outcome) && answer.reason == nil { return "\(outcome) without a reason" }
        return nil
    }

    /// firstlightctl help: 0 at the wanted schema, 1 none, 3 usable at another, 4 wanted with data lost.
    private func exitCode(_ outcome: String, _ answer: HostileTool.Answer) -> Int32? {
        switch outcome {
        case "current", "migrated": 0
        case "downgraded": answer.lost == nil ? 0 : 4
        case "ahead", "skipped": 3
        case "restored": answer.schema != answer.wanted ? 3 : answer.lost == nil ? 0 : 4
        case "rebuilt": 4
        case "failed": 1
        default: nil
        }
    }

    // ---- 6 ----

    /// The attempts' file counts boots.
    private func isCounted(_ path: String) -> Bool { path == "\(HostileTemplate.state)/attempts" }

    private func settles(_ data: String, _ first: HostileTool.Answer, _ after: HostileTree) throws -> String? {
        let second = try migrate(data)
        if let wrong = ending(second) { return "second run: \(wrong) [\(second.text.suffix(600))]" }
        let outcome = second.outcome ?? "error"
        // Only a plan that failed may be tried again: a person asks firstlightctl for it each time.
        let same = outcome == first.outcome ?? "error" && second.lost == nil
        if outcome != "current" && !(same && ["restored", "failed", "ahead", "skipped", "error"].contains(outcome)) {
            return "second run: \(outcome) after \(first.outcome ?? "error"): \(second.reason ?? "no reason")"
        }
        let now = try HostileTree(data)
        let retried = outcome == "restored"
        let difference = now.difference(from: after) { path in
            isCounted(path) || retried && path.hasPrefix(HostileTemplate.state)
        }
        return difference.map { "second run, \(outcome): \($0)" }
    }
}
#endif
