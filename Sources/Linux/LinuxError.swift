internal import CLinux

/// A system call that failed: what was being done, to what, and the raw `errno`.
public struct LinuxError: Error, Sendable {
    /// The call, as its manual page spells it: `rename`, `fsync`.
    public let operation: String
    /// What it was done to: a path, or a short name for what has none.
    public let subject: String
    /// The raw errno, kept so that a caller can tell EIO from ENOSPC (RULES.md F7).
    public let code: Int32

    /// - Parameter code: an errno.
    public init(_ operation: String, _ subject: String, code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The error of the call that has just failed.
    public static func last(_ operation: String, _ subject: String) -> LinuxError {
        LinuxError(operation, subject, code: linux_errno())
    }

    /// `rename /data/app/app.db: EIO`
    public var text: String { "\(operation) \(subject): \(LinuxError.name(code))" }

    /// `EIO`, or `errno 512` for a number this library has no name for.
    public static func name(_ code: Int32) -> String {
        guard let name = linux_errno_name(code) else { return "errno \(code)" }
        return String(cString: name)
    }

    /// Nothing is there.
    public var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// No space, or no quota.
    public var isFull: Bool { code == ENOSPC || code == EDQUOT }
    /// A symbolic link that leads to itself.
    public var isLoop: Bool { code == ELOOP }
    /// EEXIST.
    public var isAlreadyThere: Bool { code == EEXIST }
    /// EROFS.
    public var isReadOnly: Bool { code == EROFS }
    /// EINTR.
    public var isInterrupted: Bool { code == EINTR }
    /// EBUSY, for a lock that another process holds.
    public static var busy: Int32 { EBUSY }
    /// ENOSPC, for a step that does not begin because there would not be room to finish it.
    public static var full: Int32 { ENOSPC }
    /// ENOENT, for what is not there to be worked on.
    public static var missing: Int32 { ENOENT }
    /// EAGAIN.
    public var wouldBlock: Bool { code == EAGAIN }
}
