internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl snapshot`: a sealed copy of the database, also while others have it open.
struct SnapshotCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let repository = try Target.one(options)
        guard FileSystem.exists(repository.path) else {
            throw .failed("\(repository.path): there is no database yet; migrate makes it")
        }
        var boot = RepositoryBoot(repository, reporter: .silent)
        let snapshot = try migrator("no snapshot was taken") { () throws(MigrationError) in try boot.snapshot() }
        standardOutput(options.json ? snapshot.json.text + "\n" : "\(snapshot.title)\n\(snapshot.path)\n")
        return ExitCode.wanted
    }
}

extension Snapshot {
    /// The pinned database of a newer image has no number.
    var json: JSON {
        .object([
            ("snapshot", sequence == 0 ? .string("pinned") : .number(sequence)),
            ("schema", seal.schema == 0 ? .null : .number(seal.schema)), ("size", .number(seal.size)),
            ("path", .string(path)),
        ])
    }
}
