internal import Linux

/// A step's down SQL as `firstlight_migrations.down` has it: the text, behind a marker line where it wants other than the defaults.
/// dbmate's own marker, so that whoever reads the table by hand can run it.
enum StoredDown {
    private static let marker = "-- migrate:down"

    /// Nil for code, and where there is no down: an older image could not run it.
    static func text(of migration: Migration) -> String? {
        guard case .sql(let script)? = migration.down else { return nil }
        var words = ""
        if !migration.downOptions.transaction { words += " transaction:false" }
        if migration.downOptions.foreignKeys { words += " foreign-keys:on" }
        return words.utf8.isEmpty ? script.sql : "\(marker)\(words)\n\(script.sql)"
    }

    static func read(_ text: String) -> (Migration.Options, Migration.Action) {
        var options = Migration.Options()
        let first = Text.cut(text, at: 0x0A)
        guard let (line, sql) = first, let words = Text.dropPrefix(line, marker) else {
            return (options, .sql(Migration.Script(sql: text)))
        }
        for word in Text.words(words) {
            if word == "transaction:false" { options.transaction = false }
            if word == "foreign-keys:on" { options.foreignKeys = true }
        }
        return (options, .sql(Migration.Script(sql: sql, firstLine: 2)))
    }
}
