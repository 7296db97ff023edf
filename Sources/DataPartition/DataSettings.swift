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
