internal import CLinux
import Linux

extension DataPartition {
    /// Makes the directory that a repository lives in and gives it to its user, as root, without following anything
    /// that the user could have planted (RULES.md B7).
    ///
    /// Every directory on the way is opened from the one above it, without symbolic links, and must be root's and
    /// writable by root only: in such a directory nobody else can swap what is in it. The last one is given away only
    /// if it was made here or belongs to root or to that user. One that is right already is not written to. After a
    /// power cut it is there or it is not; whose it is, is looked at again at the next boot.
    /// - Parameters:
    ///   - path: absolute; where it lies below `mount`, nothing on the way may be a mount of its own.
    ///   - mount: the data partition's mount point.
    /// - Throws: `.refused` for what could be a trap, `.system` for a call that failed.
    public static func makeRepositoryDirectory(
        _ path: String, mount: String, user: UInt32, group: UInt32
    ) throws(DataPartitionError) {
        let doing = "make \(path) for user \(user)"
        let inside = Text.dropPrefix(path, mount.utf8.last == 0x2F ? mount : mount + "/")
        let names = Text.split(inside ?? path, 0x2F).filter { !$0.isEmpty && $0 != "." }
        guard Text.hasPrefix(path, "/"), !names.isEmpty, !names.contains("..") else {
            throw DataPartitionError(.refused, "\(doing): it must be absolute, and below \(mount), not that itself")
        }
        do throws(LinuxError) {
            // The way to the mount point is root's own: the configuration names it, and it may well be a link.
            var directory = try FileDescriptor.open(inside == nil ? "/" : mount, .directory)
            let filesystem = try directory.status().device
            for (index, name) in names.enumerated() {
                let isLast = index == names.count - 1
                try refuseIfShared(directory)
                let made = mkdirat(directory.raw, name, isLast ? 0o700 : 0o755) == 0
                if !made && linux_errno() != EEXIST { throw .last("mkdir", "\(directory.name)/\(name)") }
                let next = try FileDescriptor.open(name, below: directory, .directory)
                let status = try next.status()
                if inside != nil && status.device != filesystem { throw LinuxError("enter", next.name, code: EXDEV) }
                if isLast { try give(next, status, to: user, group, made: made) }
                if made {
                    try next.sync()
                    try directory.sync()
                }
                directory = next
            }
        } catch {
            let refused = [ELOOP, ENOTDIR, EXDEV, EPERM].contains(error.code)
            throw DataPartitionError(refused ? .refused : .system, "\(doing): \(error.text)", code: error.code)
        }
    }

    /// Root makes and writes nothing in a directory where others can swap what is in it.
    static func refuseIfShared(_ directory: borrowing FileDescriptor) throws(LinuxError) {
        let status = try directory.status()
        if status.user != 0 || status.permissions & 0o022 != 0 {
            throw LinuxError("trust a directory that others can write to", directory.name, code: EPERM)
        }
    }

    private static func give(
        _ directory: borrowing FileDescriptor, _ status: FileStatus, to user: UInt32, _ group: UInt32, made: Bool
    ) throws(LinuxError) {
        if status.user != 0 && status.user != user {
            throw LinuxError("take a directory that belongs to user \(status.user)", directory.name, code: EPERM)
        }
        if status.user != user || status.group != group {
            try directory.changeOwner(user: user, group: group)
        }
        // Closed until it had its owner.
        if made { try directory.changePermissions(0o750) }
    }
}
