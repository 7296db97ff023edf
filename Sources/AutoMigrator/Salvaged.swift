internal import Linux

/// What reading a damaged database table by table gave, counted.
struct Salvaged {
    struct Table {
        let name: String
        /// Rows that are in the new database.
        var rows: Int64 = 0
        /// Rows that were read, and that the new schema's constraints refuse.
        var refused: Int64 = 0
        /// Entries of the fullest index that could be read to its end; nil where none could.
        var indexed: Int64?
        /// Whether every page of the table was read.
        var isComplete = false

        /// Whether nothing speaks for rows that are gone.
        var isWhole: Bool { isComplete && refused == 0 && indexed ?? 0 <= rows }

        /// `readings (19950 rows kept, 50 lost)`
        var text: String {
            if let indexed, indexed > rows { return "\(name) (\(rows) rows kept, \(indexed - rows) lost)" }
            if isComplete { return "\(name) (\(rows) rows kept, \(refused) refused by its constraints)" }
            return "\(name) (\(rows) rows kept, those on unreadable pages lost)"
        }
    }

    var tables: [Table] = []
    /// What the structural check says about pages that rows are on: no row is missing for it, but none can be trusted.
    var suspicion: String?
    /// Objects of the schema that could not be made again.
    var missing: [String] = []

    /// Indexes that only the application can make again. No row is missing for it.
    var unindexed: [String] = []
    /// Tables and columns that were there, and that the new schema has no place for.
    var homeless: [String] = []

    /// Whether every row of every table was read, and nothing speaks against any.
    var isWhole: Bool { !tables.contains { !$0.isWhole } && missing.isEmpty && homeless.isEmpty }

    /// Whether every row was read, and nothing but a few that the table's own constraints refuse stays behind: a NULL in a NOT NULL column is an
    /// application's doing and no damage (RULES.md S5), and a snapshot would give up more.
    var isAlmostWhole: Bool {
        let refused = tables.reduce(Int64(0)) { $0 + $1.refused }
        return missing.isEmpty && homeless.isEmpty && refused * 100 <= rows
            && !tables.contains { !$0.isComplete || ($0.indexed ?? 0) > $0.rows + $0.refused }
    }

    var rows: Int64 { tables.reduce(0) { $0 + $1.rows } }

    /// What is gone, for a person; nil when nothing is.
    var lost: String? {
        var parts = tables.filter { !$0.isWhole }.map { $0.text }
        parts += missing.map { "\($0) (not made again)" }
        parts += homeless.map { "\($0) (no place in this image's schema)" }
        if let suspicion { parts.append("no row on a damaged page can be trusted: \(suspicion)") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
