internal import Linux

/// The migrations an image carries, in order.
///
/// A set that is missing, empty or not whole is no set at all: half of one would be taken for a wish to undo the rest.
public struct MigrationSet: Sendable {
    /// Where it was read from.
    public let directory: String
    /// By version, ascending, each version once.
    public let migrations: [Migration]

    /// The newest version; nil never, since an empty set does not load.
    public var newest: Int64? { migrations.last?.version }

    /// The largest migration file that is read, in bytes.
    static let fileLimit = 64 << 20

    /// Orders and checks a set that was put together in code.
    /// - Throws: `.file` for a version that comes twice.
    public init(_ migrations: [Migration], directory: String) throws(MigrationError) {
        var sorted = migrations
        Text.sort(&sorted) { $0.version < $1.version }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.version == b.version {
            throw .file(
                path: b.file, line: nil, reason: "version \(b.version) is also that of \(Text.name(of: a.file))")
        }
        self.directory = directory
        self.migrations = sorted
    }

    /// Reads every `.sql` file of a directory; other names are somebody's notes and are left out.
    /// - Throws: `.noMigrations` when the directory is missing, unreadable or has none; `.file` for the first file that is wrong.
    public init(directory: String) throws(MigrationError) {
        let names: [String]
        do throws(LinuxError) {
            names = try FileSystem.list(directory)
        } catch {
            throw .noMigrations(directory: directory, reason: LinuxError.name(error.code))
        }
        var migrations: [Migration] = []
        for name in names where Text.hasSuffix(name, ".sql") && !Text.hasPrefix(name, ".") {
            let path = "\(directory)/\(name)"
            let bytes: [UInt8]
            do throws(LinuxError) {
                bytes = try FileSystem.read(path, limit: MigrationSet.fileLimit)
            } catch {
                throw .file(path: path, line: nil, reason: error.text)
            }
            migrations.append(try MigrationFile.parse(path: path, bytes: bytes))
        }
        if migrations.isEmpty { throw .noMigrations(directory: directory, reason: "no .sql file in it") }
        try self.init(migrations, directory: directory)
    }
}
