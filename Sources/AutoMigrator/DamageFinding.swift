internal import Linux
internal import SQLite

/// What a row of SQLite's structural check speaks of.
struct DamageFinding {
    let text: String

    /// Pages that nothing points to: room that is lost, and nothing else.
    var isHarmless: Bool { Text.contains(text, "never used") }

    /// A page that two owners claim, of which one may be the list of free pages: what is written to the one is lost to the other, though no
    /// statement meets an error. So it is with a pointer map that is wrong: an auto-vacuum moves pages by it, to where it says.
    var isCrossed: Bool { Text.contains(text, "2nd reference to page") || Text.contains(text, "Bad ptr map") }

    /// Whether it may be about pages that rows of tables are on. Every row of every table has been read by then, so that a page which
    /// cannot be read at all is none of theirs.
    ///
    /// - Parameter isClean: the main file holds all there is, so that a page's kind can be read from it.
    /// - Throws: trouble of the machine; what cannot be read for another reason may be about rows.
    func concernsRows(of database: borrowing Database, isClean: Bool) throws(SQLiteError) -> Bool {
        // A pointer map that disagrees with a tree is not among them: two trees whose roots have changed places look like that.
        let harmless = ["Freelist: ", "freelist", "Main freelist: ", "missing from index", "entries in index", "Pointer map", "ptrmap"]
        if harmless.contains(where: { Text.contains(text, $0) }) { return false }
        // "Page 21 is never used": where it still looks like rows, they are rows that nothing leads to any more.
        if isHarmless {
            guard isClean, let page = number(after: "Page ") else { return false }
            let kind = try DamageFinding.unlessMachine { () throws(SQLiteError) in try DamageFinding.kind(of: page, in: database) }
            return kind == 13
        }
        // Since SQLite 3.42: "Tree 5 page 8 cell 3: …", by the root of the tree.
        if let root = number(after: "Tree ") {
            return try DamageFinding.unlessMachine { () throws(SQLiteError) in
                try database.text("SELECT type FROM sqlite_schema WHERE rootpage = \(root)")
            } != "index"
        }
        // Before: "On tree page 8 cell 3: …", "Page 8: …".
        guard isClean, let page = number(after: "On tree page ") ?? number(after: "On page ") ?? number(after: "Page "), page > 1
        else { return true }
        // fileformat2.html 1.6: 2 and 10 begin a page of an index's tree, 5 and 13 one of a table's. A table WITHOUT ROWID has an index's.
        switch try DamageFinding.unlessMachine({ () throws(SQLiteError) in try DamageFinding.kind(of: page, in: database) }) {
        case 2, 10: return try DamageFinding.hasTablesWithoutRowid(database)
        case 5, 13, nil: return true
        default: return false
        }
    }

    private func number(after word: String) -> Int64? {
        guard let rest = Text.dropPrefix(text, word) else { return nil }
        return Text.number(String(decoding: rest.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
    }

    /// Nil where the file itself does not let it be known.
    private static func unlessMachine<T>(_ look: () throws(SQLiteError) -> T?) throws(SQLiteError) -> T? {
        do throws(SQLiteError) {
            return try look()
        } catch {
            if error.kind.isMachine { throw error }
            return nil
        }
    }

    private static func kind(of page: Int64, in database: borrowing Database) throws(SQLiteError) -> UInt8? {
        // A page behind the file's end is no trouble of the machine's.
        guard let size = try database.integer("PRAGMA page_size"), page * size <= (try database.fileSize()) else { return nil }
        let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { byte.deallocate() }
        try database.readFile(into: byte, at: (page - 1) * size)
        return byte[0]
    }

    private static func hasTablesWithoutRowid(_ database: borrowing Database) throws(SQLiteError) -> Bool {
        try unlessMachine { () throws(SQLiteError) in
            try database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%WITHOUT%ROWID%'")
        } != 0
    }
}
