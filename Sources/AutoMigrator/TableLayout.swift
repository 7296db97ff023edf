internal import Linux
internal import SQLite

/// A table as a copy of its rows sees it: its columns, and the name that its rowid goes by.
struct TableLayout {
    let name: String
    /// Those that can be written: generated ones compute themselves.
    let columns: [String]
    /// In the order of the primary key; empty without one.
    let key: [String]
    /// The first of SQLite's three names for it that no column has taken (lang_createtable.html, ROWIDs); nil for WITHOUT ROWID.
    let rowid: String?

    /// Nil when there is no such table, or what there is has no columns to read.
    /// - Throws: where the schema itself is damaged.
    init?(_ name: String, in database: borrowing Database) throws(SQLiteError) {
        let rows = try database.prepare("SELECT name, hidden, pk FROM pragma_table_xinfo(?1) ORDER BY cid")
        try rows.bind(name, at: 1)
        var all: [String] = []
        var columns: [String] = []
        var key: [(place: Int64, name: String)] = []
        while try rows.step() {
            let column = rows.text(0) ?? ""
            all.append(Text.lowercase(column))
            if rows.integer(1) == 0 { columns.append(column) }
            if let place = rows.integer(2), place > 0 { key.append((place, column)) }
        }
        if columns.isEmpty { return nil }
        Text.sort(&key) { $0.place < $1.place }
        self.name = name
        self.columns = columns
        self.key = key.map { $0.name }
        let free = ["_rowid_", "rowid", "oid"].first { !all.contains($0) }
        if let free, (try? database.prepare("SELECT \(free) FROM \(TableLayout.quoted(name))").isEmpty) != nil {
            rowid = free
        } else {
            rowid = nil
        }
    }

    /// As SQL writes a name that may be anything.
    static func quoted(_ name: String) -> String {
        var text: [UInt8] = [0x22]
        for byte in name.utf8 { text += byte == 0x22 ? [0x22, 0x22] : [byte] }
        return String(decoding: text + [0x22], as: UTF8.self)
    }
}
