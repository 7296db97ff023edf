internal import Linux
internal import SQLite

/// A file that no longer begins like a database, beside a journal or a WAL that still has its first page: what a cut leaves when the
/// flash tears the page that SQLite was writing. SQLite itself would heal it by opening it.
extension RepositoryBoot {
    /// Whether the sidecar brings the database back: tried on a copy, since where it does not, the opening would have cost the
    /// sidecar, too (RULES.md S24).
    ///
    /// The copy has the replacement's name, and a cut leaves what the next build removes.
    /// - Throws: where there is no room for the copy, or the files cannot be read; nothing is known about the database then.
    func isHealed(byIts found: Inspection) throws(MigrationError) -> Bool {
        if !found.isUnclean { return false }
        try system { () throws(LinuxError) in try prepareState(born: false, durable: false) }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        defer {
            for suffix in RepositoryState.suffixes { try? FileSystem.remove(state.replacement + suffix) }
            _ = lock.raw
        }
        try system { () throws(LinuxError) in
            var size: Int64 = 0
            for suffix in RepositoryState.suffixes {
                try FileSystem.remove(state.replacement + suffix)
                size += try FileSystem.status(state.database + suffix)?.size ?? 0
            }
            if !Room(state: state, log: reporter.log, keepsSnapshots: true).make(size + Upgrade.headroom) {
                throw LinuxError("try the journal on a copy of", state.database, code: LinuxError.full)
            }
            // A -shm is only an index of the WAL.
            for suffix in ["", "-journal", "-wal"] where try FileSystem.isThere(state.database + suffix) {
                try FileSystem.copy(state.database + suffix, to: state.replacement + suffix)
            }
        }
        do throws(SQLiteError) {
            let copy = try RepositoryBoot.open(state.replacement, found)
            return try Check.structure(copy, verify: .quick).isEmpty
        } catch {
            switch error.kind {
            case .corrupt, .notADatabase: return false
            // A schema that this SQLite cannot read whole is a schema.
            case .sql: return true
            default: throw .database(error)
            }
        }
    }
}
