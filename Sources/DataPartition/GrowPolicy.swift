/// What grows into free room, which it does once: where an image was written to a larger card.
public enum GrowPolicy: Sendable, Equatable {
    case no
    /// An ext4 up to its partition's end, less the tail.
    case filesystem
    /// The partition first, up to its disk's end, where it is the last one; then the filesystem.
    case partition

    /// The word in the configuration.
    public init?(text: String) {
        switch text {
        case "no": self = .no
        case "filesystem": self = .filesystem
        case "partition": self = .partition
        default: return nil
        }
    }
}
