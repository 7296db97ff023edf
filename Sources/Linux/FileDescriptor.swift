internal import CLinux

/// An open file that closes itself.
///
/// Never open SQLite's database file with one while this process has it open in SQLite: `close` would drop SQLite's
/// locks (howtocorrupt.html 2.2, RULES.md S12).
public struct FileDescriptor: ~Copyable {
    /// The number, for poll and for handing to a child.
    public let raw: Int32
    /// What messages call it.
    public let name: String

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32, name: String) {
        self.raw = raw
        self.name = name
    }

    deinit { _ = close(raw) }

    /// What a file is opened for.
    public enum Mode: Sendable {
        case read
        case readWrite
        /// Created or emptied.
        case create
        /// Created; an error if it is already there.
        case createNew
        /// Created if missing, contents kept, written at the end.
        case append
        /// A directory, for fsync and for `openat`.
        case directory

        var flags: Int32 {
            switch self {
            // A FIFO in a file's place would wait for a writer; to a file it means nothing.
            case .read: O_RDONLY | O_NONBLOCK
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_TRUNC
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .append: O_WRONLY | O_CREAT | O_APPEND
            case .directory: O_RDONLY | O_DIRECTORY
            }
        }
    }

    /// Opens close-on-exec. A symbolic link as the last component is refused (ELOOP) when `followLinks` is false.
    public static func open(
        _ path: String, _ mode: Mode, permissions: UInt32 = 0o644, followLinks: Bool = true
    ) throws(LinuxError) -> FileDescriptor {
        let flags = mode.flags | O_CLOEXEC | (followLinks ? 0 : O_NOFOLLOW)
        while true {
            let raw = linux_openat(AT_FDCWD, path, flags, permissions)
            if raw >= 0 { return FileDescriptor(owning: raw, name: path) }
            if linux_errno() != EINTR { throw .last("open", path) }
        }
    }

    /// Opens `path` below `directory` without following a symbolic link anywhere in it (RULES.md B7).
    public static func open(
        _ path: String, below directory: borrowing FileDescriptor, _ mode: Mode, permissions: UInt32 = 0o644
    ) throws(LinuxError) -> FileDescriptor {
        let raw = linux_open_no_symlinks(directory.raw, path, mode.flags | O_CLOEXEC, permissions)
        guard raw >= 0 else { throw .last("open", "\(directory.name)/\(path)") }
        return FileDescriptor(owning: raw, name: "\(directory.name)/\(path)")
    }

    /// Reads at most `buffer.count` bytes from the current position; 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(LinuxError) -> Int {
        while true {
            let n = CLinux.read(raw, buffer.baseAddress, buffer.count)
            if n >= 0 { return n }
            if linux_errno() != EINTR { throw .last("read", name) }
        }
    }

    /// Reads from `offset` until `buffer` is full or the file ends; the number of bytes read.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(LinuxError) -> Int {
        var done = 0
        while done < buffer.count {
            let n = pread(raw, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
            if n == 0 { break }
            if n > 0 {
                done += n
            } else if linux_errno() != EINTR {
                throw .last("read", name)
            }
        }
        return done
    }

    /// The bytes from `offset` on: `count` of them, or fewer where the file ends.
    public func bytes(at offset: Int64, count: Int) throws(LinuxError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(LinuxError) in
            try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        bytes.removeLast(count - got)
        return bytes
    }

    /// Writes everything at the current position.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(LinuxError) {
        var done = 0
        while done < bytes.count {
            let n = CLinux.write(raw, bytes.baseAddress! + done, bytes.count - done)
            if n >= 0 {
                done += n
            } else if linux_errno() != EINTR {
                throw .last("write", name)
            }
        }
    }

    /// The whole text, at the descriptor's position.
    public func write(_ text: String) throws(LinuxError) {
        try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(LinuxError) in
            try write(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Writes everything at `offset`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(LinuxError) {
        var done = 0
        while done < bytes.count {
            let n = pwrite(raw, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if n >= 0 {
                done += n
            } else if linux_errno() != EINTR {
                throw .last("write", name)
            }
        }
    }

    /// Another descriptor of the same open file, close-on-exec.
    public func duplicate() throws(LinuxError) -> FileDescriptor {
        let copy = linux_fcntl(raw, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { throw .last("dup", name) }
        return FileDescriptor(owning: copy, name: name)
    }

    /// fsync(2). An error is final: a second call may say OK while the disk keeps the old bytes (RULES.md S7), so give
    /// the file up and read it back from the device.
    public func sync() throws(LinuxError) {
        if fsync(raw) != 0 { throw .last("fsync", name) }
    }

    /// Drops this file's clean pages from the page cache, so that the next read comes from the device (RULES.md S29).
    public func dropCache() {
        _ = posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED)
    }

    /// Reads only what is asked for from now on.
    public func readNothingAhead() { _ = posix_fadvise(raw, 0, 0, POSIX_FADV_RANDOM) }

    /// fstat(2).
    public func status() throws(LinuxError) -> FileStatus {
        var status = stat()
        if fstat(raw, &status) != 0 { throw .last("fstat", name) }
        return FileStatus(status)
    }

    /// An exclusive flock(2), without waiting; false when another process holds it. It goes with the descriptor.
    public func tryLock() throws(LinuxError) -> Bool {
        if flock(raw, LOCK_EX | LOCK_NB) == 0 { return true }
        if linux_errno() == EAGAIN { return false }
        throw .last("flock", name)
    }

    /// Cuts or extends the file to `size` bytes.
    public func truncate(to size: Int64) throws(LinuxError) {
        if ftruncate(raw, off_t(size)) != 0 { throw .last("ftruncate", name) }
    }

    /// Owner and group of the open file.
    public func changeOwner(user: UInt32, group: UInt32) throws(LinuxError) {
        if fchown(raw, user, group) != 0 { throw .last("fchown", name) }
    }

    /// fchmod(2).
    public func changePermissions(_ permissions: UInt32) throws(LinuxError) {
        if fchmod(raw, permissions) != 0 { throw .last("fchmod", name) }
    }
}

/// What fstat and lstat say, in fixed-width integers.
public struct FileStatus: Sendable {
    /// What kind of file it is.
    public enum Kind: Sendable, Equatable { case file, directory, symbolicLink, blockDevice, other }

    /// What it is.
    public let kind: Kind
    /// In bytes.
    public let size: Int64
    /// Its number on its filesystem.
    public let inode: UInt64
    /// The filesystem it lives on.
    public let device: UInt64
    /// The device it is, for device nodes.
    public let deviceNumber: UInt64
    /// The owner.
    public let user: UInt32
    /// The owning group.
    public let group: UInt32
    /// The mode without the kind, as chmod takes it.
    public let permissions: UInt32
    /// Names it has.
    public let links: UInt64
    /// When it was last written, in seconds since 1970 by the clock of then.
    public let modified: Int64
    /// The same in nanoseconds, as finely as the filesystem keeps it.
    public let modifiedNanoseconds: Int64

    init(_ status: stat) {
        kind =
            if linux_is_regular(status.st_mode) != 0 {
                .file
            } else if linux_is_directory(status.st_mode) != 0 {
                .directory
            } else if linux_is_symlink(status.st_mode) != 0 {
                .symbolicLink
            } else if linux_is_block_device(status.st_mode) != 0 {
                .blockDevice
            } else {
                .other
            }
        size = Int64(status.st_size)
        inode = UInt64(status.st_ino)
        device = UInt64(status.st_dev)
        deviceNumber = UInt64(status.st_rdev)
        user = status.st_uid
        group = status.st_gid
        permissions = status.st_mode & 0o7777
        links = UInt64(status.st_nlink)
        modified = Int64(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    }
}
