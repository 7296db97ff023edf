#if Lab
import Glibc

/// A system call that a traced process was about to make.
public struct SyscallEvent: Sendable, Hashable {
    /// Its place among the selected calls, 0-based.
    public let number: Int
    /// Its place among the selected calls of its name, 0-based.
    public let ordinal: Int
    /// `fdatasync`; `syscall 999` for one without a name here.
    public let name: String
    /// The process's label: `worker repository`.
    public let process: String
    /// The files it touches, two for a rename; a descriptor without a file is `pipe:[4711]` or the like.
    public let paths: [String]
    /// The raw arguments.
    public let arguments: [UInt64]

    /// `fdatasync #3 of worker repository on /data/app/app.db-journal`, counted from 0: with the selection, enough to
    /// find it again.
    public var text: String {
        "\(name) #\(ordinal) of \(process)" + (paths.isEmpty ? "" : " on " + paths.joined(separator: ", "))
    }

    /// What the kernel could have answered here: `Syscall.errors` without what this call's flags, or its being no file,
    /// rule out.
    public var errors: [Int32] {
        let errors = Syscall.errors(name)
        if let path = paths.first, !path.hasPrefix("/") { return errors.filter { $0 == ENOMEM || $0 == EMFILE } }
        switch name {
        case "open": return errors.filter { SyscallEvent.fits($0, openFlags: arguments[1]) }
        case "openat": return errors.filter { SyscallEvent.fits($0, openFlags: arguments[2]) }
        case "fcntl": return errors.filter { SyscallEvent.fits($0, fcntl: Int32(truncatingIfNeeded: arguments[1])) }
        default: return errors
        }
    }

    /// Whether a signal could have ended it with EINTR.
    public var isInterruptible: Bool {
        guard Syscall.isInterruptible(name) else { return false }
        return name != "fcntl" || SyscallEvent.isLock(Int32(truncatingIfNeeded: arguments[1]))
    }

    /// Every error that makes sense for it: each once and from then on, EINTR only once, since SQLite asks again for
    /// ever.
    public var faults: [SyscallFault.Action] {
        errors.flatMap { [.error($0, .once), .error($0, .fromThenOn)] }
            + (isInterruptible ? [.error(EINTR, .once)] : [])
    }

    /// Only an open that makes or writes a file needs space or a writable filesystem.
    private static func fits(_ error: Int32, openFlags: UInt64) -> Bool {
        let flags = Int32(truncatingIfNeeded: openFlags)
        let makes = flags & (O_CREAT | O_TRUNC) != 0 || flags & SyscallEvent.temporary == SyscallEvent.temporary
        return switch error {
        case ENOSPC: makes
        case EROFS: makes || flags & O_ACCMODE != O_RDONLY
        default: true
        }
    }

    /// O_TMPFILE's own bit, which Glibc's module does not show.
    private static let temporary: Int32 = 0o20000000

    private static func fits(_ error: Int32, fcntl command: Int32) -> Bool {
        switch command {
        case _ where isLock(command): error == EIO || error == ENOLCK
        case F_DUPFD, F_DUPFD_CLOEXEC: error == EMFILE
        default: false
        }
    }

    /// F_GETLK, F_SETLK, F_SETLKW, and those for open file descriptions (36 to 38).
    private static func isLock(_ command: Int32) -> Bool {
        [F_GETLK, F_SETLK, F_SETLKW].contains(command) || (36...38).contains(command)
    }
}
#endif
