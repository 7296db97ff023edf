internal import Linux
internal import SQLite

/// A step that golang-migrate began and never said the end of: applied, or rolled back?
///
/// Its flag stays set for ever, whatever became of the step. The schema knows: the set is run in memory up to the step and through it, and
/// what differs between the two is looked for in the database.
struct DirtyStep {
    let set: MigrationSet
    let version: Int64

    /// - Throws: `.history` when the database has a part of what the step makes, so that neither is true.
    func isApplied(in database: borrowing Database) throws(MigrationError) -> Bool {
        // A step that this SQLite cannot run to its end did not run to its end there either.
        guard let before = schema(through: version - 1), let after = schema(through: version) else { return false }
        let now = try sqlite { () throws(SQLiteError) in try SchemaText.read(database) }
        var (old, new) = (0, 0)
        for (object, text) in after where before[object] != text {
            if now[object] == text { new += 1 } else if now[object] == before[object] { old += 1 }
        }
        for (object, text) in before where after[object] == nil {
            if now[object] == nil { new += 1 } else if now[object] == text { old += 1 }
        }
        if old > 0 && new > 0 {
            throw .history(
                database: database.path,
                reason: "golang-migrate left step \(version) half done: \(new) of its changes to the schema are there and \(old) are "
                    + "not; it is left alone")
        }
        // Without a change to the schema nothing can be seen, and golang-migrate sets the flag before it begins.
        return new > 0
    }

    private func schema(through last: Int64) -> [String: String]? {
        guard let memory = try? Database(":memory:", .create) else { return nil }
        for migration in set.migrations where migration.version <= last {
            // Data steps find no rows here, and fail for lack of them now and then: what they did to the schema cannot be known.
            if (try? memory.execute("SAVEPOINT step")) == nil { return nil }
            if (try? Move(up: migration).run(on: memory)) == nil { return nil }
            if (try? memory.execute("RELEASE step")) == nil { return nil }
        }
        return try? SchemaText.read(memory)
    }
}
