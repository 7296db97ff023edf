internal import Linux
internal import SQLite

/// What a row of SQLite's structural check speaks of.
struct DamageFinding {
    let text: String

    /// Pages that nothing points to: room that is lost, and nothing else.
    var isHarmless: Bool { Text.contains(text, "never used") }

    /// A page that two owners claim, or that counts as free and may not be: what is written to the one is lost to the other, though no check
    /// and no statement meets an error.
    var isCrossed: Bool { Text.contains(text, "2nd reference to page") || Text.contains(text, "reelist") }

    /// Whether it may be about pages that rows of tables are on. Every row of every table has been read by then, so that a page which
    /// cannot be read at all is none of theirs.
    ///
    /// - Parameter isClean: the main file holds all there is, so that a page's kind can be read from it.
    func concernsRows(of database: borrowing Database, isClean: Bool) -> Bool {
        let harmless = [
            "Freelist: ", "freelist", "Main freelist: ", "never used", "missing from index", "entries in index", "Bad ptr map", "Pointer map",
            "ptrmap",
        ]
        if harmless.contains(where: { Text.contains(text, $0) }) { return false }
        // Since SQLite 3.42: "Tree 5 page 8 cell 3: …", by the root of the tree.
        if let root = number(after: "Tree ") {
            let type = try? database.text("SELECT type FROM sqlite_schema WHERE rootpage = \(root)")
            return type != "index"
        }
        // Before: "On tree page 8 cell 3: …", "Page 8: …".
        guard isClean, let page = number(after: "On tree page ") ?? number(after: "On page ") ?? number(after: "Page "), page > 1
        else { return true }
        // fileformat2.html 1.6: 2 and 10 begin a page of an index's tree, 5 and 13 one of a table's. A table WITHOUT ROWID has an index's.
        switch DamageFinding.kind(of: page, in: database) {
        case 2, 10: return DamageFinding.hasTablesWithoutRowid(database)
        case 5, 13, nil: return true
        default: return false
        }
    }

    private func number(after word: String) -> Int64? {
        guard let rest = Text.dropPrefix(text, word) else { return nil }
        return Text.number(String(decoding: rest.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
    }

    private static func kind(of page: Int64, in database: borrowing Database) -> UInt8? {
        guard let size = try? database.integer("PRAGMA page_size") else { return nil }
        let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { byte.deallocate() }
        do throws(SQLiteError) { try database.readFile(into: byte, at: (page - 1) * size) } catch { return nil }
        return byte[0]
    }

    private static func hasTablesWithoutRowid(_ database: borrowing Database) -> Bool {
        let count = try? database.integer(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%WITHOUT%ROWID%'")
        return count != 0
    }
}
