internal import AutoMigrator
internal import BootSequence
internal import Linux

/// The repositories a command is about: one bare file, or those of the configuration.
enum Target {
    /// Empty with a message on standard error when there is nothing to work on.
    static func repositories(_ options: Options) -> [Configuration.Database] {
        var databases: [Configuration.Database]
        if let file = options.database, let migrations = options.migrations {
            databases = [
                Configuration.Database(
                    repository: Repository(name: Text.stem(of: Text.name(of: file)), path: file, migrations: migrations),
                    user: nil)
            ]
        } else {
            var reader = ConfigurationReader()
            reader.read(options.configuration)
            for mistake in reader.mistakes { standardErrorLine("firstlightctl: \(mistake.text)") }
            databases = reader.configuration.databases
            for name in options.names where !databases.contains(where: { $0.repository.name == name }) {
                standardErrorLine("firstlightctl: \(name): there is no [database \(name)] in \(options.configuration)")
                return []
            }
            if !options.names.isEmpty { databases.removeAll { !options.names.contains($0.repository.name) } }
            if databases.isEmpty {
                standardErrorLine("firstlightctl: \(options.configuration) has no [database NAME]; see --database")
            }
        }
        for index in databases.indices {
            if let verify = options.verify { databases[index].repository.verify = verify }
            if let snapshots = options.snapshots { databases[index].repository.snapshots = snapshots }
            if let onFailure = options.onFailure { databases[index].repository.onFailure = onFailure }
        }
        return databases
    }
}
