/// What a data partition is formatted as. (Not to be mixed up with `FileSystem`, the file operations of the Linux
/// room.)
public enum FilesystemKind: Sendable, Equatable {
    case ext4, f2fs

    /// The word in the configuration, and the kernel's name for it.
    public var text: String {
        switch self {
        case .ext4: "ext4"
        case .f2fs: "f2fs"
        }
    }

    public init?(text: String) {
        switch text {
        case "ext4": self = .ext4
        case "f2fs": self = .f2fs
        default: return nil
        }
    }
}
