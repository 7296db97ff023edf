internal import Linux

/// Whether a loadable extension may be trusted: it runs inside the migrator with all of its rights.
enum ExtensionFile {
    /// - Throws: `.extension` unless the file, and every directory above it, is root's and writable by nobody else.
    static func check(_ path: String) throws(MigrationError) {
        guard Text.hasPrefix(path, "/") else { throw .extension(path: path, reason: "not an absolute path; it is not loaded") }
        let resolved: String
        do throws(LinuxError) {
            // A library's name is usually a link to the version that is installed.
            resolved = try FileSystem.resolve(path)
        } catch {
            throw .extension(path: path, reason: "\(error.text); it is not loaded")
        }
        var place = resolved
        while true {
            let status: FileStatus?
            do throws(LinuxError) {
                status = try FileSystem.status(place)
            } catch {
                throw .extension(path: path, reason: "\(error.text); it is not loaded")
            }
            // In a sticky directory nobody else can replace what is root's.
            guard let status, status.user == 0, status.permissions & 0o022 == 0 || status.permissions & 0o1000 != 0 else {
                throw .extension(path: path, reason: "somebody but root could have changed \(place); it is not loaded")
            }
            if place == "/" { return }
            place = Text.directory(of: place)
        }
    }
}
