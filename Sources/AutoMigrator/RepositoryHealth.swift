internal import Linux
internal import SQLite

/// Whether a database's bytes are to be trusted.
extension RepositoryBoot {
    /// The structural check after an unclean shutdown gives up after this many milliseconds: it is a look, not a proof.
    private static let healthDeadline: Int64 = 20_000

    /// In bytes: the full check takes a tenth of a second for it on a slow board.
    private static let smallDatabase: Int64 = 8 << 20

    func checkHealth(_ found: Inspection) throws(MigrationError) {
        reporter.progress(.working, "check \(repository.path)")
        let database = try sqlite { () throws(SQLiteError) in try RepositoryBoot.open(repository.path, found) }
        database.interrupt(at: Clock.milliseconds + Self.healthDeadline)
        // quick_check passes an index that says something else than its table (RULES.md S10). What is small is cheap to look at in full; and behind a
        // repair by force a file's pages may be anybody's.
        let verify: Verify = isRepaired || found.size <= Self.smallDatabase ? .full : .quick
        let findings: [String]
        do throws(SQLiteError) {
            findings = try Check.structure(database, verify: verify)
        } catch {
            // Too large to be looked at in the time there is, or a schema that this SQLite cannot read whole: no finding, so no reason
            // to stop.
            if error.kind == .interrupted || error.kind == .sql { return }
            throw .database(error)
        }
        // A page that nothing leads to costs room and nothing else.
        // Nor does the damage that a boot before this one met, could not mend and has told of: the rungs would give up more than it does.
        let known = (try? FileSystem.readText(state.suspectPath)) ?? ""
        let worst = findings.first { !DamageFinding(text: $0).isHarmless && !Text.contains(known, $0) }
        if worst == nil, FileSystem.exists(state.damagedPath) { try? FileSystem.remove(state.damagedPath) }
        if let first = worst {
            throw .database(
                SQLiteError(
                    operation: verify == .full ? "integrity_check" : "quick_check", database: repository.path, code: SQLiteError.corrupt, message: first))
        }
    }

    /// Whether SQLite's word that the database is damaged survives a second look (RULES.md S5): a read error also surfaces as
    /// CORRUPT, and so does a view that a newer SQLite wrote.
    func isDamaged(_ suspicion: MigrationError) throws(MigrationError) -> Bool {
        if case .history = suspicion { return hasLostHistory() }
        guard suspicion.suggestsDamage else { return false }
        reporter.log.warning("\(suspicion.text); looking again")
        // An I/O error throws here, and then nothing is known about the bytes.
        _ = try system { () throws(LinuxError) in try Seal.checksum(FileDescriptor.open(repository.path, .read)) }
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        do throws(SQLiteError) {
            let database = try RepositoryBoot.open(repository.path, found, defensive: false)
            try repository.equip(database)
            try database.execute("PRAGMA writable_schema=ON")
            // A table or an index whose text this SQLite cannot read is left out, and its pages look like nobody's: no damage.
            if try Check.structure(database, verify: .quick).contains(where: { !DamageFinding(text: $0).isHarmless }) { return true }
            if try isCutShort(database) || hasLostSchema(database) { return true }
            // What only the full check meets (an index's root page) is met here once more, or was a read error.
            return try Check.structure(database, verify: .full).contains { !DamageFinding(text: $0).isHarmless }
        } catch {
            if error.kind == .notADatabase { return try hasLived() }
            return error.kind == .corrupt
        }
    }

    /// What speaks against the database's structure; nil where nothing does.
    func damageNow() throws(MigrationError) -> String? {
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        do throws(SQLiteError) {
            let database = try RepositoryBoot.open(repository.path, found, defensive: false)
            return try Check.structure(database, verify: .quick).first { !DamageFinding(text: $0).isHarmless }
        } catch {
            if error.kind.isMachine { throw .database(error) }
            return error.kind == .corrupt ? error.message : nil
        }
    }

    /// Whether the header counts more pages than the file has; SQLite then refuses to read any, unless the schema may be written.
    private func isCutShort(_ database: borrowing Database) throws(SQLiteError) -> Bool {
        // Bytes 28 to 31, in the file's first page (fileformat2.html 1.3.7).
        let field = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 4)
        defer { field.deallocate() }
        try database.readFile(into: field, at: 28)
        let pages = field.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let size = try database.integer("PRAGMA page_size") ?? 512
        return pages * size > (try database.fileSize())
    }

    /// SQLite cannot read the schema, and every page is in order: a newer SQLite wrote it, or its text is damaged. A snapshot of the same
    /// version in which the object that SQLite stumbles over says something else tells the one from the other.
    private func hasLostSchema(_ database: borrowing Database) -> Bool {
        guard let live = try? SchemaText.read(database), let version = try? History.newest(database), let name = objectThatIsMalformed()
        else { return false }
        for snapshot in (try? state.snapshots.list()) ?? [] where snapshot.seal.schema == version {
            guard let copy = try? Database(snapshot.path, .immutable), let text = try? SchemaText.read(copy) else { continue }
            return text.contains { Text.hasSuffix($0.key, " \(name)") && live[$0.key] != $0.value }
        }
        return false
    }

    /// `malformed database schema (name) - near "x": syntax error`
    private func objectThatIsMalformed() -> String? {
        do throws(SQLiteError) {
            _ = try Database(repository.path, .immutable).integer("SELECT count(*) FROM sqlite_schema")
            return nil
        } catch {
            guard let (_, rest) = Text.cut(error.message, at: 0x28), let (name, _) = Text.cut(rest, at: 0x29) else { return nil }
            return Text.contains(error.message, "malformed database schema") ? name : nil
        }
    }

    /// `schema_migrations` has our columns and is ours no more: a sealed snapshot has it as we made it, so that the schema's text is damaged
    /// where it says the column's type or key. Another migrator would have other columns.
    private func hasLostHistory() -> Bool {
        guard let found = try? Inspection(repository.path), let live = try? RepositoryBoot.open(repository.path, found),
            let columns = try? History.Shape.columns(of: "schema_migrations", live), case .other = try? History.Shape(of: live)
        else { return false }
        for snapshot in (try? state.snapshots.list()) ?? [] {
            guard let copy = try? Database(snapshot.path, .immutable), (try? History.Shape(of: copy)) == .ecto,
                let own = try? History.Shape.columns(of: "schema_migrations", copy)
            else { continue }
            if columns.map({ $0.name }) == own.map({ $0.name }) { return true }
        }
        return false
    }
}
