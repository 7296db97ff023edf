import Linux

/// How the configuration names the data partition's device.
public enum DeviceSpec: Sendable, Equatable {
    /// The mount point is used as it is: somebody else mounts it, or it is part of the root filesystem.
    case none
    case path(String)
    /// The partition table's UUID for the partition, in lower case as libblkid has it (RULES.md B9).
    case partUUID(String)
    /// The partition's name in the partition table: still there when the partition is blank. Recommended.
    case partLabel(String)
    /// The filesystem's UUID; it goes with the superblock.
    case uuid(String)
    /// The filesystem's label; it goes with the superblock.
    case label(String)

    /// `none`, `/dev/…`, `PARTLABEL=data`, `PARTUUID=…`, `UUID=…`, `LABEL=…`; nil for anything else.
    public init?(text: String) {
        if text == "none" {
            self = .none
        } else if Text.hasPrefix(text, "/") {
            self = .path(text)
        } else if let (tag, value) = Text.cut(text, at: 0x3D), !value.isEmpty {
            switch tag {
            case "PARTUUID": self = .partUUID(Text.lowercase(value))
            case "PARTLABEL": self = .partLabel(value)
            case "UUID": self = .uuid(Text.lowercase(value))
            case "LABEL": self = .label(value)
            default: return nil
            }
        } else {
            return nil
        }
    }

    /// As in the configuration.
    public var text: String {
        switch self {
        case .none: "none"
        case .path(let path): path
        default: tag.map { "\($0.name)=\($0.value)" } ?? ""
        }
    }

    /// What libblkid is asked for.
    var tag: (name: String, value: String)? {
        switch self {
        case .none, .path: nil
        case .partUUID(let value): ("PARTUUID", value)
        case .partLabel(let value): ("PARTLABEL", value)
        case .uuid(let value): ("UUID", value)
        case .label(let value): ("LABEL", value)
        }
    }
}
