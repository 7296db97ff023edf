internal import Linux
internal import SQLite

/// A new database with the set applied, built under the replacement's name. Nothing of it counts before the swap puts it in
/// place, so nothing is synced before its end, and a power cut leaves a file that the next build removes.
struct FreshDatabase {
    let state: RepositoryState
    let repository: Repository
    let steps: [Migration]
    let reporter: Reporter

    /// Readable for the application's group, as SQLite's own default would be with a daemon's usual umask.
    private static let permissions: UInt32 = 0o640

    /// On return the file is whole and on the disk under its temporary name.
    func build() throws(MigrationError) -> Seal {
        let path = state.replacement
        try system { () throws(LinuxError) in
            for suffix in RepositoryState.suffixes { try FileSystem.remove(path + suffix) }
        }
        let contents: (schema: Int64, tables: Int64)
        do throws(MigrationError) {
            contents = try migrate(path)
        } catch {
            for suffix in RepositoryState.suffixes { try? FileSystem.remove(path + suffix) }
            throw error
        }
        return try FreshDatabase.seal(path, contents)
    }

    /// The file as the application will have it, on the disk when it returns. No connection may have it open (RULES.md S12).
    static func seal(_ path: String, _ contents: (schema: Int64, tables: Int64)) throws(MigrationError) -> Seal {
        try system { () throws(LinuxError) in
            let file = try FileDescriptor.open(path, .readWrite)
            try file.changePermissions(FreshDatabase.permissions)
            try file.sync()
            return Seal(
                size: try file.status().size, checksum: try Seal.checksum(file), schema: contents.schema,
                tables: contents.tables)
        }
    }

    private func migrate(_ path: String) throws(MigrationError) -> (schema: Int64, tables: Int64) {
        do throws(MigrationError) {
            let contents = try run(path)
            repository.hooks.afterRun?(nil)
            return contents
        } catch {
            repository.hooks.afterRun?(error)
            throw error
        }
    }

    private func run(_ path: String) throws(MigrationError) -> (schema: Int64, tables: Int64) {
        let database = try repository.open(path, .create)
        try sqlite { () throws(SQLiteError) in
            try database.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF")
        }
        repository.hooks.beforeRun?(steps.map { $0.title })
        var runner = StepRunner(repository, count: steps.count, reporter: reporter)
        for unit in Unit.split(steps.map { Move(up: $0) }) {
            try sqlite { () throws(SQLiteError) in
                try database.execute("PRAGMA foreign_keys=\(unit.foreignKeys ? "ON" : "OFF")")
                if !unit.alone { try database.execute("BEGIN IMMEDIATE") }
            }
            try History.prepare(database, taking: History())
            for move in unit.moves { try runner.run(move, on: database) }
            try runner.finish(on: database)
            if !unit.alone { try sqlite { () throws(SQLiteError) in try database.execute("COMMIT") } }
        }
        if runner.wantsWAL { try sqlite { () throws(SQLiteError) in try database.execute("PRAGMA journal_mode=WAL") } }
        let news = try sqlite { () throws(SQLiteError) in
            try Check(database, verify: repository.verify).news(since: Check())
        }
        if let news { throw .check(reason: news) }
        return try Seal.contents(database)
    }
}
