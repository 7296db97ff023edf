#if Lab
/// What can go wrong, as the bench counts it.
public enum FaultKind: String, CaseIterable, Sendable {
    case powerCuts = "power cuts"
    case blockErrors = "block errors"
    case kills = "kills"
    case callErrors = "call errors"
    case badWorkers = "bad workers"

    /// Whether it falls into scenarios; else it has cases of its own.
    var hasScenarios: Bool { self != .badWorkers }

    /// Of so many faults the sample tries one.
    var sampleStride: Int {
        switch self {
        case .powerCuts: 16
        case .blockErrors: 24
        case .kills: 100
        case .callErrors: 100
        case .badWorkers: 1
        }
    }
}
#endif
