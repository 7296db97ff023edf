internal import Linux

/// The migrations an image carries, in order.
///
/// A set that is missing, empty or not whole is no set at all: half of one would be taken for a wish to undo the rest.
public struct MigrationSet: Sendable {
    /// Where it was read from.
    public let directory: String
    /// By version, ascending, each version once.
    public let migrations: [Migration]

    /// The newest version; nil never for a set that was read from a directory, since an empty one does not load.
    public var newest: Int64? { migrations.last?.version }

    /// The largest migration file that is read, in bytes.
    static let fileLimit = 64 << 20

    /// Orders and checks a set that was put together in code.
    /// - Throws: `.file` for a version that comes twice.
    public init(_ migrations: [Migration], directory: String) throws(MigrationError) {
        var sorted = migrations
        Text.sort(&sorted) { $0.version < $1.version }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.version == b.version {
            throw MigrationSet.duplicate(b.version, b.file, a.file)
        }
        self.directory = directory
        self.migrations = sorted
    }

    /// Reads a directory of migrations in the form of dbmate, golang-migrate, goose, sql-migrate, sqlx, drizzle, Flyway, refinery, diesel,
    /// rusqlite_migration or Prisma: `MigrationName` has the names, `MigrationText` the markers. Names without a number, and files that are
    /// no SQL, are somebody's notes and are left out. A file may have 64 MiB.
    ///
    /// - Throws: `.noMigrations` when the directory is missing, unreadable or has none; `.file` for the first file that is wrong.
    public init(directory: String) throws(MigrationError) {
        let names: [String]
        do throws(LinuxError) {
            names = try FileSystem.list(directory)
        } catch {
            throw .noMigrations(directory: directory, reason: LinuxError.name(error.code))
        }
        var steps: [Part] = []
        var downs: [Part] = []
        for entry in names {
            let path = "\(directory)/\(entry)"
            if let name = try MigrationName.parse(file: path) {
                let part = Part(name, path, try MigrationText(try MigrationSet.read(path), path: path))
                switch name.half {
                case .whole, .up: steps.append(part)
                default: downs.append(part)
                }
            } else if let name = MigrationName.parse(folder: path), let parts = try MigrationSet.readFolder(path, name) {
                steps.append(parts.up)
                if let down = parts.down { downs.append(down) }
            }
        }
        Text.sort(&steps) { $0.name.version < $1.name.version }
        try MigrationSet.place(downs, &steps)
        if steps.isEmpty { throw .noMigrations(directory: directory, reason: "no migration in it") }
        try self.init(steps.map { $0.migration }, directory: directory)
    }

    /// One file, and the down of another that belongs to it.
    private struct Part {
        let name: MigrationName
        let path: String
        var text: MigrationText

        init(_ name: MigrationName, _ path: String, _ text: MigrationText) {
            self.name = name
            self.path = path
            self.text = text
        }

        var migration: Migration {
            Migration(
                version: name.version, name: name.name, file: path, up: text.up, down: text.down, options: text.options,
                downOptions: text.downOptions)
        }
    }

    /// Joins each down to its step.
    private static func place(_ downs: [Part], _ steps: inout [Part]) throws(MigrationError) {
        for down in downs {
            guard let index = steps.firstIndex(where: { $0.name.version == down.name.version }) else {
                // refinery has no undo: its U is a step that may come out of order.
                guard down.name.half == .undo else {
                    throw .file(path: down.path, line: nil, reason: "there is no up for this down")
                }
                steps.append(down)
                continue
            }
            if steps[index].text.down != nil { throw duplicate(down.name.version, down.path, steps[index].path) }
            steps[index].text.down = Migration.Script(
                sql: down.text.up.sql, firstLine: down.text.up.firstLine, file: down.path)
            steps[index].text.downOptions = down.text.options
        }
    }

    private static func duplicate(_ version: Int64, _ path: String, _ other: String) -> MigrationError {
        .file(path: path, line: nil, reason: "version \(version) is also that of \(Text.name(of: other))")
    }

    private static func read(_ path: String) throws(MigrationError) -> [UInt8] {
        do throws(LinuxError) {
            return try FileSystem.read(path, limit: fileLimit)
        } catch {
            throw .file(path: path, line: nil, reason: error.text)
        }
    }

    /// Nil for what is no folder.
    private static func readFolder(_ path: String, _ name: MigrationName) throws(MigrationError) -> (up: Part, down: Part?)? {
        let files: [String]
        do throws(LinuxError) {
            files = try FileSystem.list(path)
        } catch {
            if error.isMissing { return nil }
            throw .file(path: path, line: nil, reason: error.text)
        }
        func part(_ file: String) throws(MigrationError) -> Part? {
            guard files.contains(file) else { return nil }
            let path = "\(path)/\(file)"
            return Part(name, path, try MigrationText(try read(path), path: path))
        }
        let prisma = try part("migration.sql")
        let first = try part("up.sql")
        guard var up = first ?? prisma else {
            throw .file(path: path, line: nil, reason: "a folder named like a step, with neither up.sql nor migration.sql in it")
        }
        let metadata = "metadata.toml"
        if files.contains(metadata) {
            let text = String(decoding: MigrationText.normalized(try read("\(path)/\(metadata)")), as: UTF8.self)
            for line in Text.lines(text) {
                guard let (key, value) = Text.cut(line, at: 0x3D), Text.trim(key) == "run_in_transaction" else { continue }
                up.text.options.transaction = Text.trim(value) != "false"
            }
        }
        var down = try part("down.sql")
        if !up.text.options.transaction { down?.text.options.transaction = false }
        return (up, down)
    }
}
