/// The section `[data]` of the configuration, with its defaults.
public struct DataSettings: Sendable, Equatable {
    public var device: DeviceSpec
    /// Where it is mounted.
    public var mount: String
    /// What it is formatted as.
    public var filesystem: FilesystemKind
    public var format: FormatPolicy
    /// How long to wait for the device, in milliseconds.
    public var wait: Int64

    public init(
        device: DeviceSpec = .partLabel("data"), mount: String = "/data", filesystem: FilesystemKind = .ext4,
        format: FormatPolicy = .ifUnusable, wait: Int64 = 10_000
    ) {
        self.device = device
        self.mount = mount
        self.filesystem = filesystem
        self.format = format
        self.wait = wait
    }
}
