internal import Linux
internal import SQLite

/// A sealed copy of a database as it was at one moment.
public struct Snapshot: Sendable {
    /// Higher is newer: no board knows the time at boot (RULES.md F11).
    public let sequence: Int64
    /// What the file is, whole and unharmed.
    public let seal: Seal
    /// The file, in the store's directory.
    public let path: String

    /// `000042, schema 20251104093000`
    public var title: String {
        seal.schema == 0 ? Text.padded(sequence, 6) : "\(Text.padded(sequence, 6)), schema \(seal.schema)"
    }
}

/// The sealed snapshots of one database, in a directory of their own.
///
/// A snapshot's name is its seal, `000042-SCHEMA-TABLES-SIZE-CHECKSUM.db`, so one rename publishes file and seal together: after a
/// power cut a snapshot is there whole or not at all. Whatever else is in the directory is an unfinished copy.
struct SnapshotStore {
    let directory: String

    /// Newest first.
    /// - Throws: where the directory cannot be read: that there are none would be reason enough to build an empty database.
    func list() throws(LinuxError) -> [Snapshot] {
        let names: [String]
        do throws(LinuxError) {
            names = try FileSystem.list(directory)
        } catch {
            if error.isMissing { return [] }
            throw error
        }
        var snapshots: [Snapshot] = []
        for name in names where Text.hasSuffix(name, ".db") {
            guard let (number, rest) = Text.cut(Text.stem(of: name), at: 0x2D), let sequence = Text.number(number),
                let seal = Seal(text: rest)
            else { continue }
            // Opening a FIFO of that name would wait for ever.
            guard try FileSystem.status("\(directory)/\(name)")?.kind == .file else { continue }
            snapshots.append(Snapshot(sequence: sequence, seal: seal, path: "\(directory)/\(name)"))
        }
        Text.sort(&snapshots) { $0.sequence > $1.sequence }
        return snapshots
    }

    /// Copies an open database that nobody can write: inside a transaction that holds the write lock, with the WAL checkpointed
    /// into the file. An unchanged database keeps the snapshot it has.
    ///
    /// The checksum streams over the bytes as they are copied. On return the snapshot is on the disk.
    func take(of database: borrowing Database, sequence: Int64) throws(MigrationError) -> Snapshot {
        let (schema, tables) = try Seal.contents(database)
        let size = try sqlite { () throws(SQLiteError) in try database.fileSize() }
        if let newest = try? list().first, newest.seal.size == size, newest.seal.schema == schema,
            try checksum(of: database, size: size, copyTo: nil) == newest.seal.checksum,
            (try? newest.seal.matches(newest.path)) == true
        {
            return newest
        }
        let temporary = "\(directory)/\(Text.padded(sequence, 6)).new"
        do throws(MigrationError) {
            let checksum = try checksum(of: database, size: size, copyTo: temporary)
            let seal = Seal(size: size, checksum: checksum, schema: schema, tables: tables)
            return try publish(temporary, sequence, seal)
        } catch {
            try? FileSystem.remove(temporary)
            throw error
        }
    }

    /// Copies a database that others have open, through SQLite's backup API, and seals the copy.
    func take(ofOpen path: String, sequence: Int64) throws(MigrationError) -> Snapshot {
        let temporary = "\(directory)/\(Text.padded(sequence, 6)).new"
        do throws(MigrationError) {
            try system { () throws(LinuxError) in try FileSystem.remove(temporary) }
            let contents = try backUp(path, to: temporary)
            let seal = try system { () throws(LinuxError) in
                let file = try FileDescriptor.open(temporary, .readWrite)
                try file.changePermissions(0o600)
                try file.sync()
                return Seal(
                    size: try file.status().size, checksum: try Seal.checksum(file), schema: contents.schema,
                    tables: contents.tables)
            }
            if let newest = try? list().first, newest.seal == seal, (try? seal.matches(newest.path)) == true {
                try? FileSystem.remove(temporary)
                return newest
            }
            return try publish(temporary, sequence, seal)
        } catch {
            try? FileSystem.remove(temporary)
            throw error
        }
    }

    /// In a function of its own: both connections must be closed before the copy is opened beside them (RULES.md S12).
    private func backUp(_ path: String, to copy: String) throws(MigrationError) -> (schema: Int64, tables: Int64) {
        try sqlite { () throws(SQLiteError) in try Database(path, .readWrite).backup(to: copy) }
        return try Seal.contents(try sqlite { () throws(SQLiteError) in try Database(copy, .readWrite) })
    }

    /// One rename makes it a snapshot.
    private func publish(_ temporary: String, _ sequence: Int64, _ seal: Seal) throws(MigrationError) -> Snapshot {
        let path = "\(directory)/\(Text.padded(sequence, 6))-\(seal.text).db"
        try system { () throws(LinuxError) in
            try FileSystem.rename(temporary, to: path)
            try FileSystem.syncDirectory(directory)
        }
        return Snapshot(sequence: sequence, seal: seal, path: path)
    }

    /// Streams the database's file through the checksum and, where asked, into a new file that is synced before it returns.
    private func checksum(
        of database: borrowing Database, size: Int64, copyTo path: String?
    ) throws(MigrationError) -> UInt64 {
        let copy = try path.map { (path) throws(MigrationError) in
            try system { () throws(LinuxError) in try Copy(FileDescriptor.open(path, .create, permissions: 0o600)) }
        }
        var hash = XXH64()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Seal.chunk, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset < size {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Int64(buffer.count), size - offset))])
            try sqlite { () throws(SQLiteError) in try database.readFile(into: part, at: offset) }
            hash.update(UnsafeRawBufferPointer(part))
            try system { () throws(LinuxError) in try copy?.file.write(UnsafeRawBufferPointer(part)) }
            offset += Int64(part.count)
        }
        try system { () throws(LinuxError) in try copy?.file.sync() }
        return hash.digest
    }

    /// An optional open file: Optional cannot be chained over a noncopyable value.
    private final class Copy {
        let file: FileDescriptor
        init(_ file: consuming FileDescriptor) { self.file = file }
    }

    /// Copies a snapshot to `path`, durable under that name when it returns, and checks the seal over the bytes that were read.
    func copy(_ source: String, to path: String, seal: Seal) throws(MigrationError) {
        do throws(MigrationError) {
            try copyWhole(source, to: path, seal: seal)
        } catch {
            // On a full disk the part of it would take the room that the application needs.
            try? FileSystem.remove(path)
            throw error
        }
    }

    private func copyWhole(_ source: String, to path: String, seal: Seal) throws(MigrationError) {
        // A damaged inode says any size, and zeros up to there would fill the disk before the seal is looked at.
        let length = try system { () throws(LinuxError) in try FileDescriptor.open(source, .read).status().size }
        if length != seal.size { throw .seal(path: source, reason: "\(length) bytes, sealed as \(seal.text)") }
        let (size, checksum) = try system { () throws(LinuxError) in
            let input = try FileDescriptor.open(source, .read)
            let output = try FileDescriptor.open(path, .create, permissions: 0o600)
            var hash = XXH64()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Seal.chunk, alignment: 16)
            defer { buffer.deallocate() }
            var offset: Int64 = 0
            while true {
                let n = try input.read(into: buffer, at: offset)
                if n == 0 { break }
                let part = UnsafeRawBufferPointer(rebasing: buffer[..<n])
                hash.update(part)
                try output.write(part)
                offset += Int64(n)
            }
            try output.sync()
            return (offset, hash.digest)
        }
        if size != seal.size || checksum != seal.checksum {
            throw .seal(path: source, reason: "\(size) bytes with checksum \(Text.hex(checksum)), sealed as \(seal.text)")
        }
    }

    /// Removes what is too much and what an interrupted copy left: the `keep` newest stay, and the newest of each schema version.
    /// - Parameter evidence: one more that stays, by its sequence.
    func prune(keep: Int, and evidence: Int64? = nil) {
        guard let snapshots = try? list() else { return }
        var schemas: Set<Int64> = []
        for (index, snapshot) in snapshots.enumerated() {
            let newestOfItsSchema = schemas.insert(snapshot.seal.schema).inserted
            // One older schema is what an older image falls back to; more of them only fill the flash.
            let kept = index < max(keep, 1) || newestOfItsSchema && schemas.count <= max(keep, 2)
            if !kept && snapshot.sequence != evidence { try? FileSystem.remove(snapshot.path) }
        }
        for name in (try? FileSystem.list(directory)) ?? [] where Text.hasSuffix(name, ".new") {
            try? FileSystem.remove("\(directory)/\(name)")
        }
    }
}
