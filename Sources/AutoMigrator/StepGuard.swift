internal import Linux
internal import SQLite

/// What a migration's SQL must not do, judged by SQLite's authorizer before a statement runs.
///
/// Denied, never ignored: SQLITE_IGNORE inside VACUUM crashes SQLite (RULES.md S26).
final class StepGuard {
    /// Why the last statement was refused.
    private(set) var refusal: String?
    /// Whether a statement switched something on the connection that would outlive the step.
    private(set) var switched = false
    /// A `transaction:false` step, which may hold its own transactions and VACUUM.
    private let alone: Bool

    init(alone: Bool) { self.alone = alone }

    /// Harmless in any transaction: they read, write only the file's header, or, as `foreign_keys`, do nothing there, and many scripts
    /// say it (pragma.html). FTS5 needs `data_version`, R*Tree `page_size`.
    private static let harmless: [String] = [
        "application_id", "analysis_limit", "auto_vacuum", "collation_list", "compile_options", "data_version", "database_list",
        "defer_foreign_keys", "encoding", "foreign_key_check", "foreign_key_list", "foreign_keys", "freelist_count", "function_list",
        "index_info", "index_list", "index_xinfo", "integrity_check", "legacy_alter_table", "max_page_count",
        "module_list", "optimize", "page_count", "pragma_list", "quick_check", "recursive_triggers",
        "schema_version", "table_info", "table_list", "table_xinfo", "user_version",
    ]
    /// Readable everywhere; a new value only in a step that runs alone.
    private static let persistent: [String] = [
        "incremental_vacuum", "journal_mode", "page_size", "wal_autocheckpoint",
        "wal_checkpoint",
    ]

    func allows(_ action: Database.Action) -> Bool {
        refusal = reason(against: action)
        return refusal == nil
    }

    private func reason(against action: Database.Action) -> String? {
        switch action.kind {
        case .transaction:
            return alone ? nil : "\(action.first ?? "COMMIT") in a migration that already runs in a transaction; use transaction:false"
        case .savepoint:
            return alone ? nil : "SAVEPOINT in a migration that already runs in a transaction; use transaction:false"
        case .attach:
            // VACUUM attaches the empty name; VACUUM INTO a file, a migration another database.
            return alone && action.first == "" ? nil : "ATTACH: a migration works on its own database only"
        case .detach:
            return "DETACH: a migration works on its own database only"
        case .pragma:
            let name = Text.lowercase(action.first ?? "")
            if action.second != nil, name == "legacy_alter_table" || name == "recursive_triggers" || name == "defer_foreign_keys" {
                switched = true
            }
            if StepGuard.harmless.contains(name) {
                return name == "schema_version" && action.second != nil
                    ? "PRAGMA schema_version with a value can corrupt the database" : nil
            }
            if StepGuard.persistent.contains(name) {
                guard let value = action.second else { return nil }
                if !alone { return "PRAGMA \(name)=\(value) has no effect or no place in a transaction; use transaction:false" }
                let mode = Text.lowercase(value)
                if name == "journal_mode" && (mode == "off" || mode == "memory") {
                    return "PRAGMA journal_mode=\(value) gives up the database at the first power cut"
                }
                return nil
            }
            return "PRAGMA \(name) is not allowed in a migration"
        }
    }
}
