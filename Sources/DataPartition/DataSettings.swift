/// The section `[data]` of the configuration, with its defaults.
public struct DataSettings: Sendable, Equatable {
    public var device: DeviceSpec
    /// Where it is mounted.
    public var mount: String
    /// What it is formatted as.
    public var filesystem: FilesystemKind
    public var format: FormatPolicy
    /// What grows into free room.
    public var grow: GrowPolicy
    /// How long to wait for the device, in milliseconds.
    public var wait: Int64
    /// What a factory reset keeps, as paths below `mount` by their names. With any, a reset never formats.
    public var preserve: [[String]]
    /// Why no factory reset is to be done at all: what of the configuration could not be read or understood may be what must not go.
    public var resetMistake: String?
    /// What a factory reset erases (`[button] reset`).
    public var reset: ResetScope
    /// The databases, for a reset of them alone: absolute paths.
    public var databases: [String]

    public init(
        device: DeviceSpec = .partLabel("data"), mount: String = "/data", filesystem: FilesystemKind = .ext4,
        format: FormatPolicy = .ifUnusable, grow: GrowPolicy = .filesystem, wait: Int64 = 10_000, preserve: [[String]] = [],
        reset: ResetScope = .partition, databases: [String] = []
    ) {
        self.device = device
        self.mount = mount
        self.filesystem = filesystem
        self.format = format
        self.grow = grow
        self.wait = wait
        self.preserve = preserve
        self.reset = reset
        self.databases = databases
    }
}

/// What a factory reset erases.
public enum ResetScope: Sendable, Equatable {
    /// Everything; with `preserve`, everything else.
    case partition
    /// The configured databases, with their snapshots and quarantine.
    case database

    /// The word in the configuration.
    public init?(text: String) {
        switch text {
        case "partition": self = .partition
        case "database": self = .database
        default: return nil
        }
    }
}

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
