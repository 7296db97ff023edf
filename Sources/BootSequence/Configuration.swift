public import AutoMigrator
public import DataPartition
public import FrontPanel

/// `/etc/firstlight.conf` and `/etc/firstlight.conf.d/*.conf`, with the defaults of everything that is not in them.
public struct Configuration: Sendable {
    /// One `[database NAME]`: the repository, and who works on it.
    public struct Database: Sendable {
        public var repository: Repository
        /// The user a worker becomes; nil stays root.
        public var user: String?

        public init(repository: Repository, user: String?) {
            self.repository = repository
            self.user = user
        }
    }

    /// READY comes after this many milliseconds, with what there is by then.
    public var limit: Int64 = 600_000
    /// A stage without movement for this many milliseconds is killed.
    public var stall: Int64 = 120_000
    public var data = DataSettings()
    public var databases: [Database] = []
    public var lightLine: LineSpec = .none
    public var lightActiveLow = false
    public var lightOpenDrain = false
    /// A second line, lit by `restored` and worse.
    public var errorLine: LineSpec = .none
    public var buttonLine: LineSpec = .none
    public var buttonActiveLow = true
    public var buttonBias = Bias.pullUp
    /// How long the button must be held for a factory reset, in milliseconds.
    public var hold: Int64 = 5_000
    /// What a short press does while the appliance runs.
    public var press = Press.none
    /// What restarts the board, as a shell command.
    public var rebootCommand = "/sbin/reboot"
    /// Where status.json, env and ready are written: a tmpfs.
    public var statusDirectory = "/run/firstlight"

    /// Who may use the control socket beside root.
    public var group = "firstlight"
    /// A watchdog to pet, as a path; nil for none.
    public var watchdog: String?
    /// How long it waits for that before it resets the board, in seconds.
    public var watchdogTimeout: Int64 = 60

    /// A shell command for READY with everything as it should be; empty for none.
    public var onReady = ""
    /// A shell command for READY with something not as it should be, and for a partition that fails later; empty for none.
    public var onDegraded = ""

    public enum Press: Sendable, Equatable {
        case none, identify, reboot

        init?(text: String) {
            switch text {
            case "none": self = .none
            case "identify": self = .identify
            case "reboot": self = .reboot
            default: return nil
            }
        }
    }

    public init() {}

    /// A mistake in a file, by line; the default is used and the boot goes on.
    public struct Mistake: Sendable {
        public let file: String
        public let line: Int64
        public let reason: String

        /// `/etc/firstlight.conf:12: [data] formt: unknown key; it is left out`
        public var text: String { line > 0 ? "\(file):\(line): \(reason)" : "\(file): \(reason)" }
    }
}
