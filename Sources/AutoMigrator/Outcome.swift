/// How a repository's boot ended. The raw value is the order: of several repositories the worst wins the LED.
public enum Outcome: Int, Sendable, Comparable {
    /// The schema the image wants; nothing was written.
    case current = 0
    /// The schema the image wants, after some steps.
    case migrated
    /// A newer schema whose extra steps the image can live with.
    case ahead
    /// The image is older, and the database was taken back to its schema.
    case downgraded
    /// Whatever is there: migrations are switched off, or there are none.
    case skipped
    /// The wanted schema from a snapshot, or the schema from before this image.
    case restored
    /// The wanted schema, empty; the old files are in quarantine.
    case rebuilt
    /// The wanted schema, in RAM.
    case volatile
    /// No rung gave a schema.
    case failed

    /// From the best to the worst.
    public static let all: [Outcome] = [
        .current, .migrated, .ahead, .downgraded, .skipped, .restored, .rebuilt, .volatile, .failed,
    ]

    /// The word in status.json, in logs and in `--require`.
    public var text: String {
        switch self {
        case .current: "current"
        case .migrated: "migrated"
        case .ahead: "ahead"
        case .downgraded: "downgraded"
        case .skipped: "skipped"
        case .restored: "restored"
        case .rebuilt: "rebuilt"
        case .volatile: "volatile"
        case .failed: "failed"
        }
    }

    /// From the word in status.json; nil for any other.
    public init?(text: String) {
        guard let outcome = Outcome.all.first(where: { $0.text == text }) else { return nil }
        self = outcome
    }

    /// Whether `a` is better than `b`.
    public static func < (a: Outcome, b: Outcome) -> Bool { a.rawValue < b.rawValue }
}
