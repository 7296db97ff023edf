internal import CLinux
import Linux

/// All that a filesystem gives out, as one piece of bytes in memory: what must be carried over a format.
///
/// Files, directories and symbolic links with their modes, owners and times. Not what they have besides: a second name of the same file becomes a
/// file of its own, extended attributes are lost, and sockets, FIFOs and device nodes are for their programs to make again.
///
/// One entry after the other, each a line `KIND MODE USER GROUP MODIFIED SIZE LENGTH` (`f`, `d` or `l`; the mode in decimal; sizes
/// in bytes), a path of LENGTH bytes below the root (of the root itself, none), and SIZE bytes of contents; a link's are where it leads. A line `end` is the last.
struct SalvageBundle: ~Copyable {
    private let memory: FileDescriptor
    private var hash = XXH64()
    /// In bytes.
    private(set) var size: Int64 = 0
    /// Where on the device it is to lie, in bytes.
    var offset: Int64 = 0
    /// But for the history of boots.
    private(set) var files: Int64 = 0
    /// Of the files' contents.
    private(set) var contents: Int64 = 0
    /// Entries that the filesystem does not give out: no read of the device failed there, so that no second one would help.
    private(set) var unreadable: Int64 = 0

    private static let chunk = 1 << 18
    private static let deepest = 64

    /// Reads everything below `root`, where a filesystem is mounted read-only.
    ///
    /// - Parameters:
    ///   - only: directories below it, by their paths, and nothing else; everything where it is nil.
    ///   - limit: the most that may be kept in memory, in bytes.
    ///   - progress: called with each path.
    /// - Throws: EFBIG beyond the limit; EIO and whatever else says that the device did not answer, which is no reason to go on without.
    static func read(_ root: String, only directories: [String]? = nil, limit: Int64, progress: (String) -> Void) throws(LinuxError) -> SalvageBundle {
        let raw = linux_memory_file("firstlight-salvage")
        if raw < 0 { throw .last("memfd_create", "salvage") }
        var bundle = SalvageBundle(memory: FileDescriptor(owning: raw, name: "salvage"))
        let top = try FileDescriptor.open(root, .directory)
        try bundle.append("d", top.status(), size: 0, "", limit: limit)
        let device = try top.status().device
        if let directories {
            for path in directories { try bundle.add(tree: path, below: top, device: device, limit: limit, progress) }
        } else {
            try bundle.add(directory: root, "", below: top, device: device, depth: 0, limit: limit, progress)
        }
        try bundle.append(Array("end\n".utf8), limit: limit)
        return bundle
    }

    private init(memory: consuming FileDescriptor) { self.memory = memory }

    var checksum: UInt64 { hash.digest }

    /// Writes it to a device, and reads from the device that it is there.
    func write(to device: borrowing BlockDevice, at offset: Int64, progress: (Int64) -> Void) throws(LinuxError) {
        var done: Int64 = 0
        while done < size {
            progress(done)
            let bytes = try memory.bytes(at: done, count: Int(min(Int64(Self.chunk), size - done)))
            try device.write(bytes, at: offset + done)
            done += Int64(bytes.count)
        }
        try device.sync()
        device.dropCache()
        if try Self.checksum(on: device, at: offset, size: size) != checksum {
            throw LinuxError("read back what was salvaged to", device.path, code: EIO)
        }
    }

    static func checksum(on device: borrowing BlockDevice, at offset: Int64, size: Int64) throws(LinuxError) -> UInt64 {
        var hash = XXH64()
        var done: Int64 = 0
        while done < size {
            let bytes = try device.bytes(at: offset + done, count: Int(min(Int64(chunk), size - done)))
            bytes.withUnsafeBytes { hash.update($0) }
            done += Int64(bytes.count)
        }
        return hash.digest
    }

    /// Its bytes, to be read again.
    func reader() throws(LinuxError) -> MemoryFile { MemoryFile(file: try memory.duplicate()) }

    /// A bundle in memory.
    struct MemoryFile: ~Copyable, ByteReading {
        fileprivate let file: FileDescriptor

        var path: String { file.name }
        func bytes(at offset: Int64, count: Int) throws(LinuxError) -> [UInt8] { try file.bytes(at: offset, count: count) }
    }

    // ---- Reading the tree ----

    /// A directory, with those that lead there.
    private mutating func add(
        tree path: String, below top: borrowing FileDescriptor, device: UInt64, limit: Int64, _ progress: (String) -> Void
    ) throws(LinuxError) {
        var way = ""
        do throws(LinuxError) {
            for name in Text.split(path, 0x2F) where !name.isEmpty && name != "." {
                way = way.isEmpty ? name : "\(way)/\(name)"
                try append("d", FileDescriptor.open(way, below: top, .directory).status(), size: 0, way, limit: limit)
            }
            try add(directory: "\(top.name)/\(way)", way, below: top, device: device, depth: 1, limit: limit, progress)
        } catch {
            try pass(error)
        }
    }

    private mutating func add(
        directory path: String, _ below: String, below top: borrowing FileDescriptor, device: UInt64, depth: Int, limit: Int64,
        _ progress: (String) -> Void
    ) throws(LinuxError) {
        guard depth < Self.deepest else { return unreadable += 1 }
        let names: [String]
        do throws(LinuxError) { names = try FileSystem.list(path) } catch { return try pass(error) }
        for name in names {
            let inside = below.isEmpty ? name : "\(below)/\(name)"
            // What is left of a proof does not come along: the next one would take it away.
            if inside == Mounting.proofName { continue }
            progress(inside)
            do throws(LinuxError) {
                guard let status = try FileSystem.status("\(path)/\(name)") else {
                    // Not found by the name that it was listed by: one that is not UTF-8, and cannot be written down here.
                    if Text.contains(name, "\u{FFFD}") { throw LinuxError("carry over", inside, code: EILSEQ) }
                    unreadable += 1
                    continue
                }
                switch status.kind {
                case .directory where status.device == device:
                    try append("d", status, size: 0, inside, limit: limit)
                    try add(directory: "\(path)/\(name)", inside, below: top, device: device, depth: depth + 1, limit: limit, progress)
                case .file: try add(file: inside, status, below: top, limit: limit)
                case .symbolicLink:
                    let target = try FileSystem.readLink("\(path)/\(name)")
                    try append("l", status, size: Int64(target.count), inside, limit: limit)
                    try append(target, limit: limit)
                default: continue
                }
            } catch {
                try pass(error)
            }
        }
    }

    private mutating func add(file path: String, _ status: FileStatus, below top: borrowing FileDescriptor, limit: Int64) throws(LinuxError) {
        let file = try FileDescriptor.open(path, below: top, .read)
        if size + status.size > limit { throw LinuxError("keep in memory", path, code: EFBIG) }
        // Into the bundle only when all of it could be read: half a file with a whole one's name would be worse than none.
        let start = size
        let before = hash
        do throws(LinuxError) {
            try append("f", status, size: status.size, path, limit: limit)
            var offset: Int64 = 0
            while offset < status.size {
                let bytes = try file.bytes(at: offset, count: Int(min(Int64(Self.chunk), status.size - offset)))
                if bytes.isEmpty { throw LinuxError("read", path, code: EUCLEAN) }
                try append(bytes, limit: limit)
                offset += Int64(bytes.count)
            }
        } catch {
            size = start
            hash = before
            throw error
        }
        // The history of boots comes along, and is nothing to keep a filesystem for.
        if path != HistoryFile.name { files += 1 }
        contents += status.size
    }

    /// EUCLEAN and EBADMSG are the filesystem's own words for what it has lost; everything else may pass.
    private mutating func pass(_ error: LinuxError) throws(LinuxError) {
        guard error.code == EUCLEAN || error.code == EBADMSG || error.isMissing else { throw error }
        unreadable += 1
    }

    private mutating func append(_ kind: String, _ status: FileStatus, size: Int64, _ path: String, limit: Int64) throws(LinuxError) {
        let name = Array(path.utf8)
        let line = "\(kind) \(status.permissions) \(status.user) \(status.group) \(max(status.modified, 0)) \(size) \(name.count)\n"
        try append(Array(line.utf8) + name, limit: limit)
    }

    private mutating func append(_ bytes: [UInt8], limit: Int64) throws(LinuxError) {
        if size + Int64(bytes.count) > limit { throw LinuxError("keep in memory", "salvage", code: EFBIG) }
        try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in
            try memory.write(UnsafeRawBufferPointer(bytes), at: size)
        }
        bytes.withUnsafeBytes { hash.update($0) }
        size += Int64(bytes.count)
    }
}
