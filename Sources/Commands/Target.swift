internal import AutoMigrator
internal import BootSequence
internal import Linux

/// The repositories a command is about: one bare file, or those of the configuration.
enum Target {
    /// One or more, the options applied.
    static func all(_ options: Options, _ names: [String]) throws(CommandError) -> [Configuration.Database] {
        var databases: [Configuration.Database]
        if options.database != nil || options.migrations != nil {
            let path = try file(options.database ?? "")
            databases = [
                Configuration.Database(
                    repository: Repository(
                        name: Text.stem(of: Text.name(of: path)), path: path, migrations: options.migrations ?? ""),
                    user: nil)
            ]
        } else {
            databases = configuration(options).databases
            for name in names where !databases.contains(where: { $0.repository.name == name }) {
                throw .usage("\"\(name)\": there is no [database \(name)] in \(options.configuration)")
            }
            if !names.isEmpty { databases.removeAll { !names.contains($0.repository.name) } }
            if databases.isEmpty {
                throw .usage("\(options.configuration) has no [database NAME]; or say --database FILE --migrations DIR")
            }
        }
        for index in databases.indices {
            for (key, value) in options.settings { _ = databases[index].repository.set(key, value) }
        }
        return databases
    }

    /// The configuration, its mistakes told.
    static func configuration(_ options: Options) -> Configuration {
        var reader = ConfigurationReader()
        reader.read(options.configuration)
        for mistake in reader.mistakes { standardErrorLine("firstlightctl: \(mistake.text)") }
        return reader.configuration
    }

    /// The one, for a command that writes.
    static func one(_ options: Options) throws(CommandError) -> Repository {
        let databases = try all(options, options.names)
        guard let database = databases.first, databases.count == 1 else {
            throw .usage("which one? \(databases.map { $0.repository.name }.joined(separator: ", "))")
        }
        let path = database.repository.path
        let owner = (try? FileSystem.status(Text.directory(of: path)))??.user
        if database.user != nil, let owner, owner != userID() {
            // Files made as somebody else would lock the application out of its own database.
            throw .usage("\(path) belongs to user \(owner); run this as that user (su, setpriv)")
        }
        return database.repository
    }

    /// Nobody else may have the database open while its file is replaced, or its schema under their feet. Where the kernel does not say,
    /// SQLite's locks must do.
    static func refuseIfOpen(_ repository: Repository) throws(CommandError) {
        if (try? FileSystem.isOpenElsewhere(repository.path)) == true {
            throw .failed("\(repository.path): another process has it open; stop that first. Nothing was done")
        }
    }

    /// The database's own path: what replaces it is renamed over the file, not over a link to it.
    private static func file(_ path: String) throws(CommandError) -> String {
        let path = FileSystem.withoutLink(path)
        guard let status = try? FileSystem.status(path) else { return path }
        switch status.kind {
        case .file, .symbolicLink: return path
        default: throw .failed("\(path) is no file; --database wants the database's own. Nothing was done")
        }
    }
}
