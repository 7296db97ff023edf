#if Lab
/// What can go wrong, as the bench counts it.
public enum FaultKind: String, CaseIterable, Sendable {
    case powerCuts = "power cuts"
    case blockErrors = "block errors"
    case kills = "kills"
    case callErrors = "call errors"
    case memory
    case hostileFiles = "hostile files"
    case badWorkers = "bad workers"
    case damagedFilesystems = "damaged filesystems"

    /// Whether it falls into scenarios; else it has cases of its own.
    var hasScenarios: Bool {
        switch self {
        case .powerCuts, .blockErrors, .kills, .callErrors: true
        case .memory, .hostileFiles, .badWorkers, .damagedFilesystems: false
        }
    }

    /// Of so many faults `--full` tries one, so that it ends within an hour on two cores. What is left out are neighbours: the errors of a
    /// call beside each other, the next request for memory, the next bit of the same page. `--stride 1` tries those, too.
    var fullStride: Int {
        switch self {
        case .powerCuts, .blockErrors, .kills, .badWorkers, .damagedFilesystems: 1
        case .callErrors: 3
        case .memory: 7
        case .hostileFiles: 4
        }
    }

    /// Of so many faults the sample tries one.
    var sampleStride: Int {
        switch self {
        case .powerCuts: 16
        case .blockErrors: 24
        case .kills: 100
        case .callErrors: 100
        case .memory: 40
        case .hostileFiles: 1
        case .badWorkers: 1
        case .damagedFilesystems: 25
        }
    }

    /// Processes that share a sample.
    var sampleParts: Int { self == .damagedFilesystems ? 2 : 1 }
}
#endif
