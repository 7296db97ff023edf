import Linux

/// Why there is no data partition to use. Nothing was destroyed on the way here unless an action says so.
public struct DataPartitionError: Error, Sendable {
    public enum Kind: Sendable, Equatable {
        /// No such device within the time to wait.
        case notFound
        /// Several devices match and none is the obvious one.
        case ambiguous
        /// The device or the mount point is used by something else.
        case inUse
        /// No rung of the ladder gave a filesystem that mounts, and none allowed formatting.
        case unusable
        /// What was asked for would destroy what the configuration protects, or what is on the disk does not allow it.
        case refused
        /// A system call or a program failed; `code` has the errno.
        case system
    }

    public let kind: Kind
    /// What was being done to what, and why it stopped.
    public let text: String
    /// The raw errno, 0 where there was none.
    public let code: Int32

    init(_ kind: Kind, _ text: String, code: Int32 = 0) {
        self.kind = kind
        self.text = text
        self.code = code
    }

    /// A directory cannot be given to a user that there is not.
    public init(unknownUser name: String) {
        self.init(.refused, "user = \(name): no such user in /etc/passwd; its directory is not made")
    }

    /// A system call that failed while `doing` something.
    init(_ doing: String, _ error: LinuxError) {
        self.init(.system, "\(doing): \(error.text)", code: error.code)
    }
}
