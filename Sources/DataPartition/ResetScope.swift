/// What a factory reset erases.
public enum ResetScope: Sendable, Equatable {
    /// Everything; with `preserve`, everything else.
    case partition
    /// The configured databases, with their snapshots and quarantine.
    case database

    /// The word in the configuration.
    public init?(text: String) {
        switch text {
        case "partition": self = .partition
        case "database": self = .database
        default: return nil
        }
    }
}
