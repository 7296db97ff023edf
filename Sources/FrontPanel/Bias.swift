internal import CGPIO

/// What holds the button's line while nobody presses it.
public enum Bias: Sendable, Equatable {
    case asIs
    case disabled
    case pullUp
    case pullDown

    public init?(text: String) {
        switch text {
        case "as-is": self = .asIs
        case "disabled": self = .disabled
        case "pull-up": self = .pullUp
        case "pull-down": self = .pullDown
        default: return nil
        }
    }

    var c: cgpio_bias {
        switch self {
        case .asIs: CGPIO_BIAS_AS_IS
        case .disabled: CGPIO_BIAS_DISABLED
        case .pullUp: CGPIO_BIAS_PULL_UP
        case .pullDown: CGPIO_BIAS_PULL_DOWN
        }
    }
}
