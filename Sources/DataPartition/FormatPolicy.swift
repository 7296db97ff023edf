/// When the data partition may be formatted without anybody asking for it.
public enum FormatPolicy: Sendable, Equatable {
    /// Blank, or beyond every repair with proof that it was the check that failed and not the reading of it.
    case ifUnusable
    /// Only when nothing was ever on it.
    case ifBlank
    /// Not even then, and not for a factory reset.
    case never
    /// As `ifUnusable`, and over a filesystem of another kind too.
    case always

    /// The word in the configuration.
    public var text: String {
        switch self {
        case .ifUnusable: "if-unusable"
        case .ifBlank: "if-blank"
        case .never: "never"
        case .always: "always"
        }
    }

    public init?(text: String) {
        switch text {
        case "if-unusable": self = .ifUnusable
        case "if-blank": self = .ifBlank
        case "never": self = .never
        case "always": self = .always
        default: return nil
        }
    }
}
