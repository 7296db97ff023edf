#if Lab
import Foundation
import Linux
import SQLite

/// The readings of a database file, as far as they can be read at all.
struct Readings {
    /// By primary key: what an application put there.
    private(set) var rows: [Int64: String] = [:]
    /// Every row was read, and a check finds nothing wrong.
    private(set) var isSound = false

    /// Reads a copy, with the sidecars that lie beside it.
    ///
    /// - Parameters:
    ///   - folder: for the copy; emptied first.
    ///   - sidecar: one that lies elsewhere, under another name.
    /// - Returns: nil where there is nothing that SQLite can open as a database with such a table.
    init?(copyOf path: String, in folder: String, sidecar: (suffix: String, path: String)? = nil) {
        var isWhole = true
        try? FileSystem.removeTree(folder)
        try? FileSystem.makeDirectories(folder)
        for suffix in ["-journal", "-wal", ""] {
            let from = suffix == sidecar?.suffix ? sidecar!.path : path + suffix
            if FileSystem.exists(from) { isWhole = Self.copy(from, to: folder + "/copy.db" + suffix) && isWhole }
        }
        guard let database = try? Database(folder + "/copy.db", .readWrite),
            (try? database.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('readings', 'schema_migrations')")) == 2
        else { return nil }
        // From both ends: behind a page that is damaged there are others. NOT INDEXED: an index has no rows.
        isSound = read(database, "ASC")
        if !isSound { _ = read(database, "DESC") }
        let check = try? database.text("PRAGMA integrity_check")
        isSound = isSound && isWhole && check == "ok"
    }

    private mutating func read(_ database: borrowing Database, _ order: String) -> Bool {
        do {
            let all = try database.prepare("SELECT id, name, value FROM readings NOT INDEXED ORDER BY id \(order)")
            while try all.step() { rows[all.integer(0) ?? 0] = "\(all.text(1) ?? "NULL") \(all.text(2) ?? "NULL")" }
            return true
        } catch {
            return false
        }
    }

    /// How many of these are as they should be.
    func count(of right: Readings) -> Int { rows.count { right.rows[$0.key] == $0.value } }

    /// Rows of `other` that are missing here, or are something else.
    func missing(of other: Readings) -> [Int64] { other.rows.filter { rows[$0.key] != $0.value }.map { $0.key }.sorted() }

    /// A block that cannot be read is zeros in the copy.
    /// - Returns: whether there was none.
    private static func copy(_ path: String, to copy: String) -> Bool {
        guard let file = try? FileDescriptor.open(path, .read), let size = try? file.status().size, size < 64 << 20 else { return false }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        var isWhole = true
        for start in stride(from: 0, to: Int(size), by: 4096) {
            let count = min(4096, Int(size) - start)
            guard let block = try? file.bytes(at: Int64(start), count: count), block.count == count else {
                isWhole = false
                continue
            }
            bytes.replaceSubrange(start..<start + count, with: block)
        }
        return FileManager.default.createFile(atPath: copy, contents: Data(bytes)) && isWhole
    }
}
#endif
