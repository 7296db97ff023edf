internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl snapshot`: a sealed copy of the database, also while others have it open.
struct SnapshotCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        if let answer = try askDaemon() { return answer }
        let repository = try Target.one(options)
        guard FileSystem.exists(repository.path) else {
            throw .failed("\(repository.path): there is no database yet; migrate makes it")
        }
        var boot = RepositoryBoot(repository, reporter: .silent)
        let snapshot = try migrator("no snapshot was taken") { () throws(MigrationError) in try boot.snapshot() }
        standardOutput(options.json ? snapshot.json.text + "\n" : "\(snapshot.title)\n\(snapshot.path)\n")
        return ExitCode.wanted
    }

    /// Somebody who is not the database's user has the daemon do it as that one.
    /// - Returns: the exit, or nil where it is done here.
    private func askDaemon() throws(CommandError) -> Int32? {
        if options.database != nil { return nil }
        let databases = try Target.all(options, options.names)
        guard databases.count == 1, let name = databases.first?.repository.name else { return nil }
        let owner = (try? FileSystem.status(Text.directory(of: databases[0].repository.path)))??.user
        let client = ControlClient(Target.configuration(options))
        guard owner != userID(), client.isThere else { return nil }
        let answer = try client.ask(.snapshot(name), timeout: nil)
        standardOutput(options.json ? answer.text + "\n" : "\(answer["snapshot"]?.stringValue ?? "taken")\n")
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
