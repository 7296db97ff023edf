internal import Linux
internal import SQLite

/// What a whole file looked like when it was known to be good: `integrity_check` alone passes empty files, files without tables
/// and most bit flips (RULES.md S3, S4).
public struct Seal: Sendable, Equatable {
    /// In bytes.
    public let size: Int64
    /// XXH64 over every byte.
    public let checksum: UInt64
    /// The newest applied version; 0 for none.
    public let schema: Int64
    /// Tables in the schema, SQLite's own left out.
    public let tables: Int64

    /// `20251104093000-14-1048576-9f86d081884c7d65`
    public var text: String { "\(schema)-\(tables)-\(size)-\(Text.hex(checksum))" }

    /// Reads what `text` writes; nil for anything else.
    public init?(text: String) {
        let parts = Text.split(text, 0x2D)
        guard parts.count == 4, let schema = Text.number(parts[0]), let tables = Text.number(parts[1]),
            let size = Text.number(parts[2]), let checksum = Text.hexValue(parts[3])
        else { return nil }
        self.init(size: size, checksum: checksum, schema: schema, tables: tables)
    }

    init(size: Int64, checksum: UInt64, schema: Int64, tables: Int64) {
        self.size = size
        self.checksum = checksum
        self.schema = schema
        self.tables = tables
    }

    /// How much is read or copied at once, in bytes.
    static let chunk = 256 << 10

    /// Whether the file at `path` has this size and checksum. No process-wide connection may have it open (RULES.md S12).
    func matches(_ path: String) throws(LinuxError) -> Bool {
        let file = try FileDescriptor.open(path, .read)
        guard try file.status().size == size else { return false }
        return try Seal.checksum(file) == checksum
    }

    static func checksum(_ file: borrowing FileDescriptor) throws(LinuxError) -> UInt64 {
        var hash = XXH64()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let n = try file.read(into: buffer, at: offset)
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<n]))
            offset += Int64(n)
            if n < buffer.count { return hash.digest }
        }
    }

    /// What the seal says about the contents, read from an open database.
    static func contents(_ database: borrowing Database) throws(MigrationError) -> (schema: Int64, tables: Int64) {
        let schema = try History.newest(database)
        let tables = try sqlite { () throws(SQLiteError) in
            try database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        }
        return (schema, tables ?? 0)
    }
}
