internal import Linux

/// What a look with read(2) alone says about a database's files. SQLite may not be asked first: opening can destroy the only copy,
/// since it deletes a hot journal or a full WAL beside a missing or empty file (RULES.md S24).
struct Inspection {
    enum File: Equatable {
        case missing
        /// Zero bytes.
        case empty
        /// Shorter than SQLite's smallest page.
        case short
        /// Long enough, without SQLite's magic: garbage, or encrypted.
        case foreign
        /// It begins like a database.
        case database
    }

    let file: File
    /// Of the database, in bytes.
    let size: Int64
    /// A rollback journal that SQLite calls hot, for its first byte: the next opening rolls it back, or, where its header is torn, deletes it.
    let hotJournal: Bool
    /// Its header is torn: what it could have rolled back is in the database, half of it.
    let tornJournal: Bool
    /// A WAL with frames.
    let leftoverWAL: Bool
    /// A journal or WAL with anything in it.
    let sidecars: Bool

    /// The cut fell while SQLite was writing.
    var isUnclean: Bool { hotJournal || leftoverWAL }

    static let magic = Array("SQLite format 3\0".utf8)
    private static let journalMagic: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]

    init(_ database: String) throws(LinuxError) {
        let journal = try Inspection.head(database + "-journal", count: 8)
        let wal = try Inspection.head(database + "-wal", count: 1)
        hotJournal = journal?.first ?? 0 != 0
        tornJournal = hotJournal && journal?.starts(with: Inspection.journalMagic) == false
        leftoverWAL = wal.map { !$0.isEmpty } ?? false
        sidecars = leftoverWAL || journal.map { !$0.isEmpty } ?? false
        size = try FileSystem.status(database)?.size ?? 0
        guard let head = try Inspection.head(database, count: 512) else {
            file = .missing
            return
        }
        file =
            if head.isEmpty {
                .empty
            } else if head.count < 512 {
                .short
            } else if head.starts(with: Inspection.magic) {
                .database
            } else {
                .foreign
            }
    }

    /// The first bytes of a file; nil when there is none.
    private static func head(_ path: String, count: Int) throws(LinuxError) -> [UInt8]? {
        do throws(LinuxError) {
            return try FileDescriptor.open(path, .read).bytes(at: 0, count: count)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }
}
