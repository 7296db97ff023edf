internal import CLinux

/// File operations by path.
public enum FileSystem {
    /// What lstat says: a symbolic link is a symbolic link. Nil when nothing is there.
    public static func status(_ path: String) throws(LinuxError) -> FileStatus? {
        var status = stat()
        if lstat(path, &status) == 0 { return FileStatus(status) }
        let error = LinuxError.last("lstat", path)
        if error.isMissing { return nil }
        throw error
    }

    /// Whether lstat finds something; an error counts as not.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Whether something is there; unlike `exists` for decisions that an I/O error must not make.
    public static func isThere(_ path: String) throws(LinuxError) -> Bool { try status(path) != nil }

    /// The path without symbolic links (realpath(3)).
    public static func resolve(_ path: String) throws(LinuxError) -> String {
        guard let real = realpath(path, nil) else { throw .last("realpath", path) }
        defer { free(real) }
        return String(cString: real)
    }

    /// The file that a path leads to, where its last name is a symbolic link; the path itself where it is none, or leads nowhere.
    public static func withoutLink(_ path: String) -> String {
        guard (try? status(path))?.kind == .symbolicLink, let real = try? resolve(path) else { return path }
        return real
    }

    /// Where a symbolic link leads, as its bytes.
    public static func readLink(_ path: String) throws(LinuxError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        if count < 0 { throw .last("readlink", path) }
        return Array(buffer[..<count])
    }

    /// Whether some other process has the file open; nil where the kernel does not say (a file that is not ours, some filesystems). A
    /// write lease is granted only on a file that nobody else has open (fcntl(2), F_SETLEASE).
    ///
    /// Asked for a quarter of a second before it is true: a process that is just ending, or has just forked, is nobody who works on the file.
    /// Not while this process has the file open in SQLite: closing the descriptor drops its locks (RULES.md S12).
    public static func isOpenElsewhere(_ path: String) throws(LinuxError) -> Bool? {
        let file = try FileDescriptor.open(path, .readWrite)
        for _ in 0..<5 {
            let answer = linux_is_open_elsewhere(file.raw)
            if answer <= 0 { return answer < 0 ? nil : false }
            Clock.sleep(milliseconds: 50)
        }
        return true
    }

    /// Makes one directory. False when it (or something of that name) was already there.
    @discardableResult
    public static func makeDirectory(_ path: String, permissions: UInt32 = 0o755) throws(LinuxError) -> Bool {
        if mkdir(path, permissions) == 0 { return true }
        let error = LinuxError.last("mkdir", path)
        if error.isAlreadyThere { return false }
        throw error
    }

    /// Makes a directory and those above it that are missing, each durable in the one above it when it returns.
    public static func makeDirectories(_ path: String) throws(LinuxError) {
        if path == "/" || path == "." || exists(path) { return }
        let above = Text.directory(of: path)
        try makeDirectories(above)
        if try makeDirectory(path) { try syncDirectory(above) }
    }

    /// Renames over whatever is there. Durable only after `syncDirectory` of both directories.
    public static func rename(_ old: String, to new: String) throws(LinuxError) {
        if CLinux.rename(old, new) != 0 { throw .last("rename", "\(old) to \(new)") }
    }

    /// Sets a file's times to now.
    public static func touch(_ path: String) throws(LinuxError) {
        if linux_touch(path) != 0 { throw .last("utimensat", path) }
    }

    /// Removes a file; one that is not there is no error.
    public static func remove(_ path: String) throws(LinuxError) {
        if unlink(path) == 0 { return }
        let error = LinuxError.last("unlink", path)
        if !error.isMissing { throw error }
    }

    /// Removes an empty directory; one that is not there is no error.
    public static func removeDirectory(_ path: String) throws(LinuxError) {
        if rmdir(path) == 0 { return }
        let error = LinuxError.last("rmdir", path)
        if !error.isMissing { throw error }
    }

    /// fsync of a directory: makes the names in it durable. SQLite ignores errors of its own (RULES.md S8), so ours count.
    public static func syncDirectory(_ path: String) throws(LinuxError) {
        let directory = try FileDescriptor.open(path, .directory)
        try directory.sync()
    }

    /// The names in a directory, without `.` and `..`, sorted by their bytes.
    public static func list(_ path: String) throws(LinuxError) -> [String] {
        var names = try names(path, atMost: .max)
        Text.sort(&names) { Text.precedes($0, $1) }
        return names
    }

    /// The first of them, in no order.
    public static func names(_ path: String, atMost limit: Int) throws(LinuxError) -> [String] {
        guard let directory = opendir(path) else { throw .last("opendir", path) }
        defer { _ = closedir(directory) }
        var names: [String] = []
        while names.count < limit {
            linux_set_errno(0)
            guard let entry = readdir(directory) else {
                if linux_errno() != 0 { throw .last("readdir", path) }
                break
            }
            let name = String(cString: linux_entry_name(entry))
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// A whole file, refused (EFBIG) when it has more than `limit` bytes. Works for /proc and /sys, whose sizes read 0.
    public static func read(_ path: String, limit: Int) throws(LinuxError) -> [UInt8] {
        let file = try FileDescriptor.open(path, .read)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let n = try chunk.withUnsafeMutableBufferPointer { (buffer) throws(LinuxError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if n == 0 { return bytes }
            bytes.append(contentsOf: chunk[0..<n])
            if bytes.count > limit { throw LinuxError("read", path, code: EFBIG) }
        }
    }

    /// A file's last `longest` bytes. Of one that never ends, or whose size is not told (/proc, /sys), the first.
    public static func readEnd(_ path: String, longest: Int) throws(LinuxError) -> [UInt8] {
        let file = try FileDescriptor.open(path, .read)
        let size = try file.status().size
        if size > Int64(longest) { return try file.bytes(at: size - Int64(longest), count: longest) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < longest {
            let n = try chunk.withUnsafeMutableBufferPointer { (buffer) throws(LinuxError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if n == 0 { break }
            bytes += chunk[0..<n]
        }
        return Array(bytes.prefix(longest))
    }

    /// Copies a file's bytes into a new file that only its owner can read. Not synced: a power cut leaves a part of it.
    public static func copy(_ path: String, to copy: String) throws(LinuxError) {
        let input = try FileDescriptor.open(path, .read)
        let output = try FileDescriptor.open(copy, .createNew, permissions: 0o600)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let n = try input.read(into: buffer)
            if n == 0 { return }
            try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<n]))
        }
    }

    /// A whole text file; bytes that are not UTF-8 become U+FFFD.
    public static func readText(_ path: String, limit: Int = 65536) throws(LinuxError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// Replaces `path` with `text` by rename: a reader sees the old file or the new one, never a part.
    ///
    /// With `durable`, the file is fsynced before the rename and its directory after (RULES.md F1), so that after a power
    /// cut the old or the new text is there; without, it may be either or gone, which is right on a tmpfs only.
    public static func replace(
        _ path: String, with text: String, durable: Bool, permissions: UInt32 = 0o644
    ) throws(LinuxError) {
        try replace(path, with: Array(text.utf8), durable: durable, permissions: permissions)
    }

    /// The same with bytes.
    public static func replace(
        _ path: String, with bytes: [UInt8], durable: Bool, permissions: UInt32 = 0o644
    ) throws(LinuxError) {
        let temporary = path + ".new"
        do throws(LinuxError) {
            let file = try FileDescriptor.open(temporary, .create, permissions: permissions)
            try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in try file.write(UnsafeRawBufferPointer(bytes)) }
            if durable { try file.sync() }
        } catch {
            try? remove(temporary)
            throw error
        }
        try rename(temporary, to: path)
        if durable { try syncDirectory(Text.directory(of: path)) }
    }

    /// Room on a filesystem, in bytes.
    public struct Space: Sendable {
        /// Bytes that a process without privileges may still write.
        public let available: Int64
        /// The filesystem's size.
        public let total: Int64
        /// The unit it is handed out in.
        public let blockSize: Int64
        /// Whether it is mounted read-only, as far as the kernel says (RULES.md F6).
        public let readOnly: Bool
        /// How many files and directories there can be, and how many more.
        public let files: Int64
        public let freeFiles: Int64
    }

    /// statvfs(2). After a journal abort it may still call a read-only filesystem writable (RULES.md F6).
    public static func space(_ path: String) throws(LinuxError) -> Space {
        var status = statvfs()
        if linux_statvfs(path, &status) != 0 { throw .last("statvfs", path) }
        let block = Int64(status.f_frsize)
        return Space(
            available: Int64(status.f_bavail) * block, total: Int64(status.f_blocks) * block, blockSize: block,
            readOnly: status.f_flag & UInt(ST_RDONLY) != 0, files: Int64(clamping: status.f_files), freeFiles: Int64(clamping: status.f_ffree))
    }

    /// The bytes of a file, or of all files in a directory and below.
    public static func treeSize(_ path: String) throws(LinuxError) -> Int64 {
        guard let status = try status(path) else { return 0 }
        guard status.kind == .directory else { return status.size }
        var size: Int64 = 0
        for name in try list(path) { size += try treeSize("\(path)/\(name)") }
        return size
    }

    /// Removes a directory and everything in it, following no symbolic link and entering no other filesystem.
    public static func removeTree(_ path: String) throws(LinuxError) {
        guard let root = try status(path) else { return }
        try removeTree(path, on: root.device)
    }

    private static func removeTree(_ path: String, on device: UInt64) throws(LinuxError) {
        guard let status = try status(path) else { return }
        guard status.kind == .directory else { return try remove(path) }
        guard status.device == device else { throw LinuxError("remove", path, code: EXDEV) }
        for name in try list(path) { try removeTree("\(path)/\(name)", on: device) }
        try removeDirectory(path)
    }
}
