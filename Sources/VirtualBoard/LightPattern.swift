#if Lab
/// What an LED says. The times are written here from docs/front-panel.md a second time, apart from the firmware's own
/// table, so that a mistake in that one is seen.
public enum LightPattern: Hashable, Sendable, CustomStringConvertible {
    case dark, starting, working, recovering, solid, held, wiping, identify
    /// A blink code after READY.
    case blinks(Int)

    /// Every pattern that has a rhythm.
    static let rhythms: [LightPattern] =
        [.starting, .working, .recovering, .held, .wiping, .identify] + (1...6).map(LightPattern.blinks)

    /// Milliseconds on, off, on, off … of one cycle; nil for a pattern without edges.
    var cycle: [Double]? {
        switch self {
        case .dark, .solid: nil
        case .starting: [100, 100]
        case .working: [200, 200]
        case .recovering: [400, 100]
        case .held: [50, 50]
        case .wiping: [100, 100, 100, 700]
        // "then … dark" comes on top of the last blink's own pause.
        case .identify: [80, 80, 80, 80, 80, 80 + 500]
        case .blinks(let count):
            (1..<max(count, 1)).flatMap { _ in [150.0, 250] } + [150, 250 + 1500]
        }
    }

    /// What an LED says of an outcome; nil for a word that is none.
    public init?(outcome: String) {
        switch outcome {
        case "current", "migrated", "downgraded", "ahead", "skipped": self = .solid
        case "restored": self = .blinks(2)
        case "rebuilt": self = .blinks(3)
        case "volatile": self = .blinks(4)
        case "failed": self = .blinks(5)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .dark: "dark"
        case .starting: "starting"
        case .working: "working"
        case .recovering: "recovering"
        case .solid: "solid"
        case .held: "held"
        case .wiping: "wiping"
        case .identify: "identify"
        case .blinks(let count): count == 1 ? "1 blink" : "\(count) blinks"
        }
    }
}
#endif
