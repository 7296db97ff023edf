/// Whose history counts in a database that Firstlight has not migrated yet.
///
/// Ecto, dbmate and golang-migrate all name their table `schema_migrations`, in three shapes. The shape is recognised, never guessed.
public enum Adopt: Sendable, Equatable {
    /// The one history that is there; more than one is an error.
    case auto
    case ecto
    case golangMigrate
    case goose
    case dbmate
    case grdb
    /// None but Ecto's, whose table is ours.
    case none

    static let all: [Adopt] = [.auto, .ecto, .golangMigrate, .goose, .dbmate, .grdb, .none]

    /// The word in the configuration.
    public var text: String {
        switch self {
        case .auto: "auto"
        case .ecto: "ecto"
        case .golangMigrate: "golang-migrate"
        case .goose: "goose"
        case .dbmate: "dbmate"
        case .grdb: "grdb"
        case .none: "none"
        }
    }

    /// From the word in the configuration; nil for any other.
    public init?(text: String) {
        guard let adopt = Adopt.all.first(where: { $0.text == text }) else { return nil }
        self = adopt
    }
}
