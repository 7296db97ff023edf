#if Lab
import CSQLite
import Foundation

/// What one run left, held against what was there before. What plain SQLite makes of the same files is asked only where it matters.
final class HostileEvidence {
    private let oracle: HostileOracle
    private let answer: HostileTool.Answer
    private let before: HostileTree
    private let after: HostileTree
    private let folder: String
    private let path = HostileTemplate.database
    private let template: HostileTemplate

    init(_ oracle: HostileOracle, _ answer: HostileTool.Answer, after: HostileTree, folder: String) {
        self.oracle = oracle
        self.answer = answer
        self.after = after
        self.folder = folder
        before = oracle.before
        template = oracle.template
    }

    /// The first thing that is not as the contract has it.
    func wrong() throws -> String? {
        try lostBytes() ?? untruth() ?? badSnapshot() ?? uselessness()
    }

    // ---- What there is to compare with ----

    private static let suffixes = ["", "-journal", "-wal", "-shm"]

    /// The damaged files, opened and closed by plain SQLite: what it recovers, and what it reads.
    ///
    /// A sidecar that is no file is as good as none to whoever gets it out of the way.
    private lazy var plain: (tree: HostileTree, contents: HostileContents) = {
        var tree = before
        for suffix in Self.suffixes where !suffix.isEmpty && tree.data(path + suffix) == nil { tree[path + suffix] = nil }
        return look(tree, "plain")
    }()
    /// The database as it is now, with what is beside it.
    private lazy var now: (tree: HostileTree, contents: HostileContents) = look(after, "now")

    private func look(_ tree: HostileTree, _ name: String) -> (tree: HostileTree, contents: HostileContents) {
        let tables = tables
        var files = HostileTree()
        for suffix in Self.suffixes { files[name + suffix] = tree[path + suffix] }
        // A link is followed, a FIFO would wait for ever, and a directory is as good as nothing.
        if case .link = files[name] { files[name] = tree["app/elsewhere.db"] }
        if files[name] == .fifo { files[name] = nil }
        let root = "\(folder)/look"
        do {
            try files.write(to: root)
            let contents = HostileContents("\(root)/\(name)", tables)
            return (try HostileTree(root), contents)
        } catch {
            return (files, HostileContents("/nowhere", []))
        }
    }

    /// By the names that the appliance gives them; those of a corpus's database by its own schema, read when it is there.
    private lazy var tables: [HostileContents.Table]? = {
        guard case .corpus = oracle.one.fault else { return template.tables }
        var files = HostileTree()
        files["shape"] = before[path]
        let root = "\(folder)/look"
        guard (try? files.write(to: root)) != nil else { return [] }
        return HostileContents.tables(HostileConnection("\(root)/shape"))
    }()

    private var damage: Damage? { if case .database(let damage, _) = oracle.one.fault { damage } else { nil } }
    private var sidecar: Sidecar { if case .database(_, let sidecar) = oracle.one.fault { sidecar } else { .none } }

    private var isUnchanged: Bool { Self.suffixes.allSatisfy { before[path + $0] == after[path + $0] } }

    /// The versions that the image has.
    private var wanted: [Int64] {
        HostileAppliance.versions + (oracle.one.scene.image == .pending ? [HostileAppliance.pending] : [])
    }

    // ---- 2: every byte is still there ----

    private func lostBytes() -> String? {
        let quarantines = after.entries.keys.filter { $0.hasPrefix("\(HostileTemplate.state)/quarantine/") && after[$0] == .directory }
        func isQuarantined(_ suffix: String, in folder: String) -> Bool {
            isSame(before[path + suffix], after["\(folder)/app.db\(suffix)"])
        }
        if let data = before.data("app/elsewhere.db"), after.data("app/elsewhere.db") != data, answer.outcome != "migrated" {
            return "bytes: the file that the database's link leads to was changed"
        }
        // A copy sealed before the steps is as good as the file itself.
        let copies = after.entries.filter { $0.key.hasPrefix("\(HostileTemplate.state)/snapshots/") }.map(\.value)
        for suffix in Self.suffixes {
            guard let original = before[path + suffix], original != .file(Data()), !isSame(original, after[path + suffix]) else { continue }
            // A -shm is an index of the WAL, and a journal without its header holds nothing: SQLite makes them anew.
            if suffix == "-shm" || isSpent(suffix) { continue }
            if let place = quarantines.first(where: { isQuarantined(suffix, in: $0) }) {
                if let wrong = separated(suffix, in: place) { return wrong }
                continue
            }
            if isRecovered(suffix, quarantines, copies) || suffix.isEmpty && copies.contains(original) { continue }
            return "bytes: app.db\(suffix) is neither in place nor in quarantine, nor what SQLite's recovery leaves"
        }
        return nil
    }

    /// The last bytes of a file that ends between two sectors are no page, and SQLite fills them up when it rolls back.
    private func isSame(_ one: HostileTree.Entry?, _ other: HostileTree.Entry?) -> Bool {
        if one == other { return true }
        guard case .file(let one) = one, case .file(let other) = other, one.count % 512 != 0, other.count > one.count else { return false }
        let whole = one.count / 512 * 512
        return one.prefix(whole) == other.prefix(whole)
    }

    private func isSpent(_ suffix: String) -> Bool { suffix == "-journal" && before.data(path + suffix)?.first == 0 }

    /// Beside a file in quarantine lie those that were beside it, unless SQLite had used them up before.
    private func separated(_ suffix: String, in place: String) -> String? {
        guard suffix.isEmpty else { return nil }
        for other in ["-journal", "-wal"] {
            guard let sidecar = before.data(path + other), !sidecar.isEmpty, !isSpent(other) else { continue }
            if after["\(place)/app.db\(other)"] == .file(sidecar) { continue }
            if plain.tree["plain\(other)"] == nil, plain.tree.data("plain") == before.data(path) { continue }
            return "bytes: app.db is in quarantine without its \(other), which SQLite had not used up"
        }
        return nil
    }

    /// Whether plain SQLite changes this file, too, and to what is in place or in quarantine now; or a migration that is told did.
    private func isRecovered(_ suffix: String, _ quarantines: [String], _ copies: [HostileTree.Entry]) -> Bool {
        let recovered = plain.tree["plain\(suffix)"]
        let places = [path + suffix] + quarantines.map { "\($0)/app.db\(suffix)" }
        if !suffix.isEmpty {
            // A sidecar may go only where SQLite has no use for it any more, and then what it made of the database is judged.
            return recovered == nil || recovered == .file(Data()) || places.contains { after[$0] == recovered }
        }
        if places.contains(where: { after[$0] != nil && after[$0] == recovered }) || recovered.map(copies.contains) == true { return true }
        let ran = answer.outcome == "migrated" || answer.outcome == "downgraded" || answer.outcome == "restored" && answer.pending == 0
        return ran && answer.lost == nil && now.contents.difference(from: plain.contents) == nil
    }

    // ---- 3 and 4: what is told is true ----

    private func untruth() -> String? {
        switch answer.outcome {
        case nil: return isUnchanged ? nil : "an error, and files were changed"
        case "current": return current()
        case "migrated": return peace() ?? migrated()
        case "restored": return peace() ?? needlessness() ?? restored()
        case "rebuilt": return peace() ?? needlessness() ?? rebuilt()
        case "failed": return needlessness() ?? failed()
        default:
            // A flipped bit in the history can name a version that no image has.
            let strange = plain.contents.versions?.contains { !wanted.contains($0) } ?? false
            return strange ? nil : "\(answer.outcome ?? "") of a database without any strange version"
        }
    }

    private func current() -> String? {
        if let wrong = versions(plain.contents) { return wrong }
        if sidecar.isHot, let finding = structural(plain.contents) { return "current after an unclean shutdown, with damage: \(finding)" }
        if isUnchanged { return nil }
        return now.contents.difference(from: plain.contents).map { "current: \($0)" }
    }

    private func migrated() -> String? {
        if let wrong = versions(now.contents) { return wrong }
        if answer.lost != nil { return "migrated, and something is lost" }
        // A database that is gone for good and was never ours is made anew.
        if isNobodys { return nil }
        guard let difference = rowsDiffer() else { return nil }
        return "migrated: \(difference)"
    }

    private func restored() -> String? {
        if let number = restoredSnapshot {
            guard let rows = template.snapshots.first(where: { $0.key.contains("/\(number)-") })?.value else {
                return oracle.one.isOfCorpus ? nil : "restored from snapshot \(number), which is none of its snapshots"
            }
            if oracle.one.isOfCorpus { return nil }
            return now.contents.difference(from: rows).map { "restored from snapshot \(number): \($0)" }
        }
        if answer.lost != nil { return nil }
        return rowsDiffer().map { "restored with nothing lost: \($0)" }
    }

    /// The number of the snapshot that what is lost is counted from.
    private var restoredSnapshot: String? { answer.lost?.firstMatch(of: /snapshot ([0-9]+)/).map { String($0.1) } }

    private func rebuilt() -> String? {
        if answer.lost == nil { return "rebuilt, and nothing is said to be lost" }
        return versions(now.contents)
    }

    private func failed() -> String? {
        guard oracle.one.scene.state == .known, before.data(path) != nil else { return nil }
        // What this SQLite does not understand is left to one that does (RULES.md S5); only damage has to be answered by a rung.
        if case .peaceful = damage { return nil }
        // A schema that cannot be parsed may be one that only a newer SQLite can.
        if plain.contents.trouble.hasPrefix("malformed database schema") { return nil }
        let code = plain.contents.historyCode & 0xFF
        if code != 0 && code != SQLITE_CORRUPT && code != SQLITE_NOTADB { return nil }
        return "failed: no database where there was one before"
    }

    /// Nothing is given up while plain SQLite, asked about the same files, calls them sound and at a schema of ours.
    private func needlessness() -> String? {
        guard let data = before.data(path), data.count >= 512, answer.lost != nil || answer.outcome != "restored" else { return nil }
        guard plain.contents.isSound, let versions = plain.contents.versions, HostileAppliance.versions.allSatisfy(versions.contains)
        else { return nil }
        return "\(answer.outcome ?? ""), although plain SQLite reads the same files and calls them sound"
    }

    /// What an application or a newer SQLite wrote is no damage.
    private func peace() -> String? {
        guard case .peaceful(let oddity) = damage else { return nil }
        if answer.lost != nil || answer.quarantine != nil { return "\(oddity.rawValue) is no damage, and the database was taken away" }
        return nil
    }

    private func versions(_ contents: HostileContents) -> String? {
        guard let versions = contents.versions else {
            return "\(answer.outcome ?? ""), and its history cannot be read: \(contents.trouble)"
        }
        if wanted.allSatisfy(versions.contains) { return nil }
        return "\(answer.outcome ?? ""), and its history is \(versions)"
    }

    /// The first table that is neither what plain SQLite reads in the damaged files nor what it was before the damage. What plain SQLite
    /// cannot read may stay unreadable in the file it is in, and nowhere else.
    private func rowsDiffer() -> String? {
        if answer.quarantine != nil, plain.contents.findsNotes != nil, now.contents.findsNotes == false {
            return "the full-text index in the new file does not find every note"
        }
        let wholes = [template.contents[sidecar], sidecar.carriesRows ? nil : template.contents[.none]].compactMap { $0 }
        for (name, theirs) in plain.contents.rows.sorted(by: { $0.key < $1.key }) {
            if theirs == nil && answer.quarantine == nil { continue }
            guard let ours = now.contents.rows[name] ?? nil else { return "\(name) cannot be read: \(now.contents.trouble)" }
            if ([theirs] + wholes.map { $0.rows[name] ?? nil }).contains(where: { HostileContents.sameRows($0, ours) }) { continue }
            return "\(name) has other rows (\(ours.count) bytes of them, not \(theirs?.count ?? 0))"
        }
        return nil
    }

    /// No file, and no sign that there ever was one.
    private var isNobodys: Bool {
        guard oracle.one.scene.state == .new else { return false }
        return before.data(path).map { $0.count < 512 } ?? true
    }

    private func structural(_ contents: HostileContents) -> String? {
        contents.findings?.first { row in
            !["NULL value in", "CHECK constraint failed", "non-unique entry", "row ", "wrong # of entries"].contains { row.contains($0) }
        }
    }

    // ---- 5: a bad snapshot is never put in place ----

    private func badSnapshot() -> String? {
        guard answer.outcome == "restored", restoredSnapshot != nil else { return nil }
        if oracle.one.isOfCorpus {
            return structural(now.contents).map { "a snapshot of a damaged database is in place: \($0)" }
        }
        guard let number = restoredSnapshot,
            let used = template.tree.entries.keys.first(where: { $0.contains("/snapshots/\(number)-") })
        else { return nil }
        return before[used] == template.tree[used] ? nil : "snapshot \(number), whose bytes were damaged, is in place"
    }

    // ---- 3: the application can use it ----

    private func uselessness() throws -> String? {
        guard let outcome = answer.outcome, !["ahead", "skipped", "failed"].contains(outcome) else { return nil }
        let replaced = outcome == "rebuilt" || outcome == "restored" && answer.quarantine != nil
        if replaced, let finding = now.contents.findings.map({ $0.first }) ?? now.contents.trouble {
            return "\(outcome): integrity_check says \(finding)"
        }
        // Damage that nobody had a reason to look for is where it was, and the application meets it.
        if !replaced && !plain.contents.isSound { return nil }
        guard let trouble = try use(after) else { return nil }
        // A file in a format that only a newer SQLite writes was of no more use before.
        if !replaced, try use(before) != nil { return nil }
        return "\(outcome): the application's write or read fails: \(trouble)"
    }

    /// Why an ordinary open, a write and a read fail; nil when they do not.
    private func use(_ tree: HostileTree) throws -> String? {
        var files = HostileTree()
        for suffix in Self.suffixes { files["use" + suffix] = tree[path + suffix] }
        if case .link = files["use"] { files["use"] = tree["app/elsewhere.db"] }
        try files.write(to: "\(folder)/look")
        let application = HostileConnection("\(folder)/look/use")
        let used = application.execute("CREATE TABLE probe (x); INSERT INTO probe VALUES (1)")
            && application.column("SELECT x FROM probe") == ["1"] && application.execute("DROP TABLE probe")
        return used ? nil : application.message
    }
}

extension HostileCase {
    fileprivate var isOfCorpus: Bool {
        switch fault {
        case .corpus, .corpusSnapshots: true
        case .database, .snapshots: false
        }
    }
}
#endif
