internal import Linux
internal import SQLite

/// How thoroughly a database is looked at after its migrations.
public enum Verify: Sendable, Equatable {
    /// `integrity_check`: O(N log N); finds what quick_check misses (RULES.md S10).
    case full
    /// `quick_check`: O(N), no indexes.
    case quick
    /// Neither that nor `foreign_key_check`.
    case none

    /// From the word in the configuration; nil for any other.
    public init?(text: String) {
        switch text {
        case "full": self = .full
        case "quick": self = .quick
        case "none": self = .none
        default: return nil
        }
    }
}

/// What SQLite's own checks say about a database.
struct Check {
    /// Rows about structure only: an application's own broken constraints are its own affair (RULES.md S5).
    var structure: [String] = []
    /// Rows of `foreign_key_check`, counted by `child → parent`.
    var orphans: [String: Int64] = [:]
    /// What could not be checked: a missing collation or module, a foreign key onto columns that are not unique. Nothing of
    /// that speaks against the file (RULES.md S5).
    var notes: [String] = []

    /// The most rows of a structural check that are kept; one is enough to know.
    private static let limit = 100

    init() {}

    /// Both checks, as `verify` asks for.
    init(_ database: borrowing Database, verify: Verify) throws(SQLiteError) {
        if verify == .none { return }
        do throws(SQLiteError) {
            structure = try Check.structure(database, verify: verify)
        } catch {
            notes.append(try Check.note(error, "its structure"))
        }
        do throws(SQLiteError) {
            let rows = try database.prepare(
                "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2")
            while try rows.step() {
                orphans["\(rows.text(0) ?? "?") → \(rows.text(1) ?? "?")"] = rows.integer(2) ?? 0
            }
        } catch {
            notes.append(try Check.note(error, "its foreign keys"))
        }
    }

    /// An error of the schema's own is noted; any other is thrown on.
    private static func note(_ error: SQLiteError, _ what: String) throws(SQLiteError) -> String {
        if error.kind != .sql { throw error }
        return "\(what) cannot be checked: \(error.message)"
    }

    static func structure(_ database: borrowing Database, verify: Verify) throws(SQLiteError) -> [String] {
        let pragma = verify == .full ? "integrity_check" : "quick_check"
        try database.execute("PRAGMA ignore_check_constraints=ON")
        defer { try? database.execute("PRAGMA ignore_check_constraints=OFF") }
        let rows = try database.prepare("PRAGMA \(pragma)(\(limit))")
        var found: [String] = []
        while try rows.step() {
            for line in Text.lines(rows.text(0) ?? "") where isStructural(line) {
                try throwIfMachine(line, database)
                found.append(line)
            }
        }
        return found
    }

    /// `Page 11: unable to get the page. error code=8458` is a page that could not be read, and says nothing about what is on it.
    private static func throwIfMachine(_ row: String, _ database: borrowing Database) throws(SQLiteError) {
        for words in ["error code=", "error code "] {
            guard let at = Text.find(row, words) else { continue }
            let digits = row.utf8.dropFirst(at + words.utf8.count).prefix { $0 >= 0x30 && $0 <= 0x39 }
            let code = Int32(clamping: Text.number(String(decoding: digits, as: UTF8.self)) ?? 0)
            let error = SQLiteError(operation: "check", database: database.path, code: code, message: row)
            if error.kind.isMachine { throw error }
        }
    }

    /// Errors come as rows (RULES.md S10); these are about values and constraints, not about pages.
    private static func isStructural(_ row: String) -> Bool {
        if row == "ok" || row.utf8.isEmpty || Text.hasPrefix(row, "***") { return false }
        let values = [
            "NULL value in ", "NUMERIC value in ", "TEXT value in ", "CHECK constraint failed in ",
            "non-unique entry in index ", "unsupported file format", "unable to validate", "no such ",
            "unknown tokenizer", "malformed inverted index",
        ]
        if values.contains(where: { Text.hasPrefix(row, $0) }) { return false }
        return !(Text.hasPrefix(row, "non-") && Text.contains(row, " value in "))
    }

    /// The finding that speaks most against writing to it; nil where none speaks against it at all.
    var worst: String? {
        structure.first { DamageFinding(text: $0).isCrossed } ?? structure.first { !DamageFinding(text: $0).isHarmless }
    }

    private static func withoutNumbers(_ finding: String) -> String {
        String(decoding: finding.utf8.filter { $0 < 0x30 || $0 > 0x39 }, as: UTF8.self)
    }

    /// What this one found that `before` had not: the only findings that speak against a migration.
    func news(since before: Check) -> String? {
        // A step may have moved pages: what is said of another page is said again.
        var known = before.structure.map { Check.withoutNumbers($0) }
        for finding in structure {
            guard let place = known.firstIndex(of: Check.withoutNumbers(finding)) else { return finding }
            known.remove(at: place)
        }
        for (pair, count) in orphans where count > before.orphans[pair] ?? 0 {
            let known = before.orphans[pair] ?? 0
            return "foreign key \(pair): \(count - known) rows without their parent that were not there before"
        }
        return nil
    }
}
