/// How bringing up the data partition went.
public struct DataReport: Sendable, Equatable {
    /// The device's path; nil where there is none (`device = none`, RAM).
    public var device: String?
    public var mount: String
    /// As the kernel calls it; nil when nobody looked (`device = none`).
    public var filesystem: String?
    /// In RAM: nothing is kept.
    public var volatile: Bool
    /// Nobody unmounted it before the power went, or it was damaged: what the databases' health check is for. Read
    /// before anything touched the partition.
    public var unclean: Bool
    /// What is on it has been through a repair by force, or was carried over a format: what lies in a file's place need not be the file's.
    public var repaired = false
    /// It was formatted in this boot, for whatever reason.
    public var formatted: Bool
    /// It was emptied by a factory reset.
    public var wiped: Bool
    public var actions: [DataAction]
    /// Why it is volatile.
    public var problem: String?
    /// Factory resets, ever.
    public var resets: Int64 = 0
    /// The last things that were destroyed here, and why: the newest last.
    public var history: [String] = []
    /// What a person should know and nothing depends on: worn flash.
    public var warnings: [String] = []

    public init(
        device: String?, mount: String, filesystem: String?, volatile: Bool = false, unclean: Bool = false,
        formatted: Bool = false, wiped: Bool = false, actions: [DataAction] = [], problem: String? = nil
    ) {
        self.device = device
        self.mount = mount
        self.filesystem = filesystem
        self.volatile = volatile
        self.unclean = unclean
        self.formatted = formatted
        self.wiped = wiped
        self.actions = actions
        self.problem = problem
    }
}
