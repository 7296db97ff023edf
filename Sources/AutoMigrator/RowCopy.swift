internal import Linux
internal import SQLite

/// Copies the rows of one table out of a damaged database, as many as its pages still give, past those that cannot be read.
///
/// The table's own tree is read and no index (RULES.md S25). Where a page is damaged the rows before it are read forwards and the rows
/// behind it backwards; what is left between is halved again and again, so that rows between two damaged pages are found, too.
struct RowCopy {
    let table: TableLayout
    /// Those that both databases have, in this order.
    let columns: [String]

    /// Rows that were copied.
    private(set) var rows: Int64 = 0
    /// Rows that were read and that the fresh table's constraints refuse.
    private(set) var refused: Int64 = 0
    /// Whether every row that the table's tree has was read.
    private(set) var isComplete = true

    /// How often what is left is halved: a gap of a million rowids is looked into at a thousand places.
    private static let probes = 1024

    init(_ table: TableLayout, into fresh: TableLayout) {
        self.table = table
        let there = fresh.columns.map { Text.lowercase($0) }
        columns = table.columns.filter { there.contains(Text.lowercase($0)) }
    }

    /// - Parameter replacing: a row gives way to one of the same key that comes later; else the later one is refused.
    /// - Throws: what is not damage: a full disk, a read error, the deadline.
    mutating func run(
        from damaged: borrowing Database, into fresh: borrowing Database, replacing: Bool
    ) throws(SQLiteError) {
        let names = (table.rowid.map { [$0] } ?? []) + columns.map { TableLayout.quoted($0) }
        let list = names.joined(separator: ", ")
        let marks = (1...names.count).map { "?\($0)" }.joined(separator: ", ")
        let name = TableLayout.quoted(table.name)
        let insert = try fresh.prepare("INSERT \(replacing ? "OR REPLACE " : "")INTO \(name) (\(list)) VALUES (\(marks))")
        if let rowid = table.rowid {
            try copy(damaged, insert, "SELECT \(list) FROM \(name) NOT INDEXED WHERE \(rowid) BETWEEN ?1 AND ?2 ORDER BY \(rowid)")
            // One of two rows with the same unique value has given way to the other.
            if replacing { try settle(fresh, name) }
        } else {
            let select = "SELECT \(list) FROM \(name) NOT INDEXED"
            if try copySorted(damaged, insert, select) { return }
            isComplete = false
            let backwards = table.key.map { TableLayout.quoted($0) + " DESC" }.joined(separator: ", ")
            if !table.key.isEmpty { _ = try copySorted(damaged, insert, "\(select) ORDER BY \(backwards)") }
            // A row may have been met from both ends.
            rows = min(rows, try fresh.integer("SELECT count(*) FROM \(name)") ?? 0)
        }
    }

    private mutating func settle(_ fresh: borrowing Database, _ name: String) throws(SQLiteError) {
        let there = try fresh.integer("SELECT count(*) FROM \(name)") ?? 0
        if there < rows {
            refused += rows - there
            rows = there
        }
    }

    // ---- By rowid ----

    private mutating func copy(
        _ damaged: borrowing Database, _ insert: borrowing Statement, _ select: String
    ) throws(SQLiteError) {
        // First in, first out: the whole of the table is looked at roughly before any part of it closely.
        var ranges: [ClosedRange<Int64>] = [Int64.min...Int64.max]
        var next = 0
        while next < ranges.count {
            var (low, high) = (ranges[next].lowerBound, ranges[next].upperBound)
            next += 1
            let up = try scan(damaged, insert, select, low, high, downwards: false)
            if up.ended { continue }
            isComplete = false
            if let last = up.last {
                if last >= high { continue }
                low = last + 1
            }
            let down = try scan(damaged, insert, select + " DESC", low, high, downwards: true)
            // A rowid out of its order ends a range, too: only where nothing was met there is nothing left.
            if down.ended, down.last == nil { continue }
            if let last = down.last {
                if last <= low { continue }
                high = last - 1
            }
            if low >= high || ranges.count >= 2 * RowCopy.probes { continue }
            let middle = low / 2 + high / 2
            ranges.append(low...middle)
            if middle < high { ranges.append((middle + 1)...high) }
        }
    }

    /// Copies the rows from one end of a range until it ends or a page cannot be read.
    private mutating func scan(
        _ damaged: borrowing Database, _ insert: borrowing Statement, _ select: String, _ low: Int64, _ high: Int64,
        downwards: Bool
    ) throws(SQLiteError) -> (last: Int64?, ended: Bool) {
        let rows: Statement
        do throws(SQLiteError) {
            rows = try damaged.prepare(select)
        } catch {
            try RowCopy.isDamage(error)
            return (nil, false)
        }
        try rows.bind(low, at: 1)
        try rows.bind(high, at: 2)
        var last: Int64?
        while true {
            do throws(SQLiteError) {
                if !(try rows.step()) { return (last, true) }
            } catch {
                try RowCopy.isDamage(error)
                return (last, false)
            }
            // A tree whose rowids do not rise leads somewhere it should not.
            guard let rowid = rows.integer(0), low <= rowid, rowid <= high else { return (last, false) }
            if let last, downwards ? rowid >= last : rowid <= last { return (last, false) }
            try put(rows, insert)
            last = rowid
        }
    }

    // ---- Without rowids ----

    /// Whether it came to the table's end.
    private mutating func copySorted(
        _ damaged: borrowing Database, _ insert: borrowing Statement, _ select: String
    ) throws(SQLiteError) -> Bool {
        do throws(SQLiteError) {
            let rows = try damaged.prepare(select)
            // A tree whose pages lead to each other has no end, and more rows than the file has bytes are none.
            let limit = try damaged.fileSize()
            var met: Int64 = 0
            while try rows.step() {
                met += 1
                if met > limit { return false }
                try put(rows, insert)
            }
            return true
        } catch {
            try RowCopy.isDamage(error)
            return false
        }
    }

    private mutating func put(_ row: borrowing Statement, _ insert: borrowing Statement) throws(SQLiteError) {
        insert.reset()
        for column in 0..<row.columnCount { try insert.bind(column: column, of: row, at: column + 1) }
        do throws(SQLiteError) {
            _ = try insert.step()
            rows += 1
        } catch {
            if !error.isConstraint { throw error }
            refused += 1
        }
    }

    /// Returns for damage, throws anything else on.
    private static func isDamage(_ error: SQLiteError) throws(SQLiteError) {
        if error.kind != .corrupt && error.kind != .notADatabase && error.kind != .sql { throw error }
    }
}
