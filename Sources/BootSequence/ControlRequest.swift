internal import Linux

/// What is asked for through the control socket: one message, its fields between tabs.
///
///     status
///     identify
///     light          PATTERN
///     snapshot       NAME
///     factory-reset  yes|no  REASON      yes: reboots at once
///
/// The answer is one message too, a JSON object: with `error` where it was not done.
public enum ControlRequest: Sendable, Equatable {
    /// status.json.
    case status
    /// The identify pattern on the LED.
    case identify
    /// The application's pattern, seen while the status is a plain solid ready; `release` gives the LED back.
    case light(String)
    /// A snapshot of the database of this name.
    case snapshot(String)
    case factoryReset(reason: String, reboot: Bool)

    /// In bytes; a longer message is none of these.
    public static let longest = 1024

    /// The message.
    public var text: String {
        switch self {
        case .status: "status"
        case .identify: "identify"
        case .light(let pattern): "light\t\(pattern)"
        case .snapshot(let name): "snapshot\t\(name)"
        case .factoryReset(let reason, let reboot): "factory-reset\t\(reboot ? "yes" : "no")\t\(reason)"
        }
    }

    /// Nil for anything else.
    public init?(text: String) {
        let fields = Text.split(text, 0x09)
        switch (fields[0], fields.count) {
        case ("status", 1): self = .status
        case ("identify", 1): self = .identify
        case ("light", 2): self = .light(fields[1])
        case ("snapshot", 2): self = .snapshot(fields[1])
        case ("factory-reset", 3) where fields[1] == "yes" || fields[1] == "no":
            // It goes into a log and a record, each a line.
            guard fields[2].utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
            self = .factoryReset(reason: fields[2], reboot: fields[1] == "yes")
        default: return nil
        }
    }
}
