internal import Linux

/// What has the name of one of our files, or of the database's, and is none of them: a FIFO, which would never be read to its end, a
/// directory, a link, a file far too large. A repaired filesystem may hold them, and so may a directory that the application can write.
extension RepositoryState {
    /// All that we write is read at once.
    private static let limit: Int64 = 65536

    /// Renames them, so that the names are free; nothing is opened. Writes nothing where all is as it should be, and what cannot be
    /// renamed stays to be reported by whoever needs the name.
    ///
    /// Of the database's own names they go to quarantine, as anything does that somebody may have put there; of ours they are
    /// `NAME.stranger`. Each is one rename: a power cut leaves it in the one place or the other.
    /// - Returns: what was found, for a person.
    func setStrangersAside() -> [String] {
        var told: [String] = []
        for path in [Text.directory(of: directory), directory, snapshots.directory, quarantine, "\(quarantine)/spare"] {
            // A link to a directory is somebody's decision to have it elsewhere.
            if !isA(path, { $0.kind == .directory || $0.kind == .symbolicLink && leadsToDirectory(path) }) {
                setAside(path, &told)
            }
        }
        let records = [intentPath, servedPath, untoldPath, attemptsPath, pinPath, bootsPath, suspectPath, damagedPath]
        // A record is written as NAME.new first.
        for path in records + records.map({ $0 + ".new" }) + [ballastPath, "\(directory)/lock"] {
            if !isA(path, { $0.kind == .file && $0.size <= RepositoryState.limit }) { setAside(path, &told) }
        }
        for suffix in RepositoryState.suffixes {
            if !isA(replacement + suffix, { $0.kind == .file }) { setAside(replacement + suffix, &told) }
        }
        // Beside a link SQLite opens neither journal nor WAL.
        var ofDatabase = RepositoryState.suffixes.filter { !$0.utf8.isEmpty && !isA(database + $0, { $0.kind == .file }) }
        // A directory that the configuration names by mistake is left alone; only where a database was before, it has gone.
        if FileSystem.exists(bornPath), !isA(database, { $0.kind == .file || $0.kind == .symbolicLink && !isLoop(database) }) {
            ofDatabase.append("")
        }
        if !ofDatabase.isEmpty { quarantine(ofDatabase.map { database + $0 }, &told) }
        return told
    }

    /// Also where that cannot be known: only what is certain is moved.
    private func leadsToDirectory(_ link: String) -> Bool {
        if isLoop(link) { return false }
        do throws(LinuxError) {
            return try FileSystem.status(FileSystem.resolve(link))?.kind == .directory
        } catch {
            return !error.isMissing
        }
    }

    private func isLoop(_ link: String) -> Bool {
        do throws(LinuxError) {
            _ = try FileSystem.resolve(link)
            return false
        } catch {
            return error.isLoop
        }
    }

    /// Also where nothing is there, or nothing can be known.
    private func isA(_ path: String, _ kind: (FileStatus) -> Bool) -> Bool {
        guard let status = try? FileSystem.status(path) else { return true }
        return kind(status)
    }

    private func setAside(_ path: String, _ told: inout [String]) {
        let aside = path + ".stranger"
        do throws(LinuxError) {
            try FileSystem.removeTree(aside)
            try FileSystem.rename(path, to: aside)
            told.append("\(path) is not what Firstlight puts there; it is \(Text.name(of: aside)) now")
        } catch {
            told.append("\(path) is not what Firstlight puts there, and stays: \(error.text)")
        }
    }

    private func quarantine(_ paths: [String], _ told: inout [String]) {
        let names = paths.map { Text.name(of: $0) }.joined(separator: ", ")
        do throws(LinuxError) {
            try prepare(durable: false)
            let place = try makeQuarantine(try nextSequence())
            for path in paths { try FileSystem.rename(path, to: "\(place)/\(Text.name(of: path))") }
            told.append("\(names): not what a database has there; it is in \(place) now")
        } catch {
            told.append("\(names): not what a database has there, and stays: \(error.text)")
        }
    }
}
