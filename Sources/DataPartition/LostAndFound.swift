internal import CLinux
import Linux

/// What e2fsck brought back without knowing where it belongs: after a repair the tree may be gone, exit 1, and the database be
/// `/lost+found/#12` (RULES.md F3).
///
/// Put back is only what is missing in its place, and only what can be told for certain: a directory by the names in it, a database by
/// SQLite's magic, our own table in it, and by being the only one. The rest stays where it is, for a person. Each is one rename on one
/// filesystem: a power cut leaves it in the one place or the other, and the next boot looks again.
struct LostAndFound: ~Copyable {
    private let root: FileDescriptor
    private let lost: FileDescriptor
    private var names: [String]
    /// One database is looked for, so that all that are found are it, as it was at some time.
    private let isOnly: Bool
    /// What was put back, and what was not because nobody can tell: for the report.
    private(set) var putBack: [String] = []
    private(set) var left: [String] = []

    static let directoryName = "lost+found"
    /// Of a file, so much is searched for our table's name, in bytes: the schema stands at its beginning.
    private static let searched: Int64 = 16 << 20

    /// Nil where nothing was lost.
    init?(_ mountPoint: String, isOnly: Bool) {
        guard let root = try? FileDescriptor.open(mountPoint, .directory),
            let lost = try? FileDescriptor.open(Self.directoryName, below: root, .directory),
            let names = try? FileSystem.list("\(mountPoint)/\(Self.directoryName)"), !names.isEmpty
        else { return nil }
        self.isOnly = isOnly
        self.root = root
        self.lost = lost
        self.names = names
    }

    /// Looks for what belongs to the database at `path`, a path below the mount point.
    mutating func putBack(_ path: String) throws(LinuxError) {
        let parts = Text.split(path, 0x2F).filter { !$0.isEmpty }
        guard let name = parts.last, parts.count > 1, !parts.contains("..") else { return }
        let state = ".firstlight/\(Text.stem(of: name))"
        // From the top: with a directory comes back what is below it.
        for depth in 1..<parts.count where !isInUse(parts[..<depth].joined(separator: "/")) {
            let rest = parts[depth...].joined(separator: "/")
            let inside = Text.directory(of: rest)
            let below = inside == "." ? state : "\(inside)/\(state)"
            try putBack(parts[..<depth].joined(separator: "/")) { (lost) in lost.has(rest) || lost.has(below) }
        }
        let directory = parts.dropLast().joined(separator: "/")
        if !exists("\(directory)/.firstlight") {
            let snapshots = "\(Text.stem(of: name))/snapshots"
            try putBack("\(directory)/.firstlight") { (lost) in lost.has(snapshots) }
        }
        if !exists("\(directory)/\(state)") {
            try putBack("\(directory)/\(state)") { (lost) in lost.has("snapshots") && lost.has("quarantine") && lost.has("attempts") }
        }
        if !exists(path) { try putBackFile(path) }
    }

    // ---- Directories ----

    /// An entry that is a directory, as far as it is asked.
    private struct Candidate: ~Copyable {
        let directory: FileDescriptor

        /// Whether there is something of that path in it, no symbolic link on the way.
        func has(_ path: String) -> Bool { (try? FileDescriptor.open(path, below: directory, .read)) != nil }
    }

    private func exists(_ path: String) -> Bool {
        var status = stat()
        return fstatat(root.raw, path, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// Whether it is there: only an empty directory gives way to a lost one.
    private func isInUse(_ path: String) -> Bool {
        exists(path) && (try? FileSystem.list("\(root.name)/\(path)"))?.isEmpty != true
    }

    private mutating func putBack(_ path: String, where fits: (borrowing Candidate) -> Bool) throws(LinuxError) {
        var found: [String] = []
        for name in names {
            guard let directory = try? FileDescriptor.open(name, below: lost, .directory) else { continue }
            if fits(Candidate(directory: directory)) { found.append(name) }
        }
        try take(found, path)
    }

    // ---- Files ----

    /// A database, with the sidecar that it had.
    private mutating func putBackFile(_ path: String) throws(LinuxError) {
        var (databases, journals, logs): ([String], [String], [String]) = ([], [], [])
        var isWAL = false
        var newest: UInt32 = 0
        for name in names {
            guard let file = try? FileDescriptor.open(name, below: lost, .read), let status = try? file.status(), status.kind == .file,
                let head = try? file.bytes(at: 0, count: 28)
            else { continue }
            if head.starts(with: Array("SQLite format 3\0".utf8)), isOurs(file, size: status.size) {
                // How often SQLite has written to it. Its snapshots are databases of ours, too, and older or equal; of another database's nobody
                // can tell it.
                let counter = isOnly && head.count == 28 ? head[24..<28].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } : 0
                if counter < newest { continue }
                let isSame = counter == newest && databases.first.map { isEqual(name, $0) } ?? false
                if counter > newest { databases = [] }
                newest = counter
                if !isSame { databases.append(name) }
                isWAL = head.count >= 20 && head[19] == 2
            } else if head.starts(with: [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]) {
                journals.append(name)
            } else if head.starts(with: [0x37, 0x7F, 0x06]), head.count > 3, head[3] & 0xFE == 0x82 {
                logs.append(name)
            }
        }
        guard databases.count == 1 else { return try take(databases, path) }
        // A sidecar first: with the database alone in its place SQLite would call it whole. Which of two it was nobody can tell.
        let sidecars = isWAL ? logs : journals
        if sidecars.count == 1 {
            try take(sidecars, path + (isWAL ? "-wal" : "-journal"))
        } else if sidecars.count > 1 {
            left.append("\(sidecars.count) files in \(Self.directoryName) may be the \(isWAL ? "WAL" : "journal") of \(path); none is put back")
        }
        try take(databases, path)
    }

    /// Byte for byte: then either will do.
    private func isEqual(_ one: String, _ other: String) -> Bool {
        guard let first = try? FileDescriptor.open(one, below: lost, .read), let second = try? FileDescriptor.open(other, below: lost, .read),
            let size = try? first.status().size, (try? second.status().size) == size
        else { return false }
        var offset: Int64 = 0
        while offset < size {
            guard let bytes = try? first.bytes(at: offset, count: 1 << 16), !bytes.isEmpty, (try? second.bytes(at: offset, count: 1 << 16)) == bytes
            else { return false }
            offset += Int64(bytes.count)
        }
        return true
    }

    /// Whether our own table is named in it.
    private func isOurs(_ file: borrowing FileDescriptor, size: Int64) -> Bool {
        let wanted = Array("schema_migrations".utf8)
        let chunk: Int64 = 1 << 18
        var offset: Int64 = 0
        while offset < min(size, Self.searched) {
            // The last bytes once more with the next: the name may lie across.
            guard let bytes = try? file.bytes(at: offset, count: Int(chunk) + wanted.count) else { return false }
            if bytes.isEmpty { return false }
            var at = 0
            while let start = bytes[at...].firstIndex(of: wanted[0]) {
                if bytes[start...].starts(with: wanted) { return true }
                at = start + 1
            }
            offset += chunk
        }
        return false
    }

    // ---- Removing ----

    /// Removes every database and sidecar that lies in lost+found, and our own directories: for a factory reset of the databases.
    static func removeDatabases(below root: borrowing FileDescriptor) throws(LinuxError) -> Int64 {
        guard let lost = try? FileDescriptor.open(directoryName, below: root, .directory) else { return 0 }
        var removed: Int64 = 0
        for name in try FileSystem.list(lost.name) where isDatabase(name, lost) { removed += try TreeRemoval.remove(name, from: lost) }
        return removed
    }

    private static func isDatabase(_ name: String, _ lost: borrowing FileDescriptor) -> Bool {
        if let directory = try? FileDescriptor.open(name, below: lost, .directory) {
            let found = Candidate(directory: directory)
            return found.has("snapshots") && found.has("quarantine") || found.has(".firstlight")
        }
        guard let file = try? FileDescriptor.open(name, below: lost, .read), let head = try? file.bytes(at: 0, count: 20) else { return false }
        return magics.contains { head.starts(with: $0) }
    }

    /// Of a database, a rollback journal, and a WAL of either byte order.
    private static let magics: [[UInt8]] = [
        Array("SQLite format 3\0".utf8), [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7], [0x37, 0x7F, 0x06, 0x82], [0x37, 0x7F, 0x06, 0x83],
    ]

    // ---- Moving ----

    /// Made where it is lost for good: whose it is, is put right once it is there (`makeRepositoryDirectory`).
    private func parent(of path: String) throws(LinuxError) -> FileDescriptor {
        var directory = try root.duplicate()
        for name in Text.split(Text.directory(of: path), 0x2F) where name != "." {
            if mkdirat(directory.raw, name, 0o755) == 0 { try directory.sync() }
            directory = try FileDescriptor.open(name, below: directory, .directory)
        }
        return directory
    }

    /// The only one that fits goes to its place, durably.
    private mutating func take(_ found: [String], _ path: String) throws(LinuxError) {
        guard let name = found.first else { return }
        guard found.count == 1 else {
            left.append("\(found.count) things in \(Self.directoryName) may be \(path); none is put back: \(found.joined(separator: ", "))")
            return
        }
        let parent = try parent(of: path)
        // An empty directory gives way, and nothing else does.
        _ = unlinkat(parent.raw, Text.name(of: path), AT_REMOVEDIR)
        if linux_rename_new(lost.raw, name, parent.raw, Text.name(of: path)) != 0 {
            throw .last("rename", "\(lost.name)/\(name) to \(parent.name)/\(Text.name(of: path))")
        }
        try parent.sync()
        try lost.sync()
        names.removeAll { $0 == name }
        putBack.append("\(Self.directoryName)/\(name) is \(path) again")
    }
}

extension DataPartition {
    /// Puts back what a repair left in lost+found and these databases miss. Nothing is done where nothing was lost.
    ///
    /// Called when the partition is mounted, before anything is made on it: what has been made anew is missing no more.
    /// - Parameter databases: their paths; those that are not below the mount point are left out.
    public mutating func putBackLost(_ databases: [String]) {
        defer { putBackRescued() }
        guard settings.device != .none, var lostAndFound = LostAndFound(mountPoint, isOnly: databases.count == 1) else { return }
        reporter.progress(.recovering, "look into \(mountPoint)/\(LostAndFound.directoryName)")
        for path in databases {
            let below = Text.dropPrefix(path, mountPoint + "/") ?? Text.dropPrefix(path, settings.mount + "/")
            guard let below else { continue }
            do throws(LinuxError) {
                try lostAndFound.putBack(below)
            } catch {
                note(.lostAndFound, "failed", error.text)
            }
        }
        for text in lostAndFound.putBack { note(.lostAndFound, "ok", text) }
        for text in lostAndFound.left { note(.lostAndFound, "refused", text) }
    }
}
