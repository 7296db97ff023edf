#if Lab
/// What a damaged database was before, and what surrounds it: one of sixteen appliances.
public struct HostileScene: Hashable, Sendable {
    /// How the application has SQLite write.
    public enum Journal: String, CaseIterable, Sendable { case rollback, wal }
    /// `plain`: tables with and without rowid, blobs, an index, a view, a trigger. `full`: with FTS5 and incremental auto-vacuum beside,
    /// so that the file has pointer-map pages.
    public enum Schema: String, CaseIterable, Sendable { case plain, full }
    /// Whether `.firstlight` is beside the database, with the born marker and two sealed snapshots; or the database came from elsewhere.
    public enum State: String, CaseIterable, Sendable { case new, known }
    /// Whether the image has a step that the database has not.
    public enum Image: String, CaseIterable, Sendable { case same, pending }

    public let journal: Journal
    public let schema: Schema
    public let state: State
    public let image: Image

    /// Every combination.
    public static let all: [HostileScene] = Journal.allCases.flatMap { journal in
        Schema.allCases.flatMap { schema in
            State.allCases.flatMap { state in
                Image.allCases.map { HostileScene(journal: journal, schema: schema, state: state, image: $0) }
            }
        }
    }

    /// `wal.full.known.pending`
    public var name: String { "\(journal.rawValue).\(schema.rawValue).\(state.rawValue).\(image.rawValue)" }
}
#endif
