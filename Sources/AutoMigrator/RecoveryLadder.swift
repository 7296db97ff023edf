internal import Linux
internal import SQLite

/// The ladder for a database that is lost or damaged: the first rung that gives a database ends it.
///
///     damaged ──► copied whole: every row of every table, its own schema ─────────────► restored, nothing lost
///        │           │ read in full, but the damage is on pages with rows ────────────► rebuilt: no row lost, some suspect
///        ▼           ▼ not every row can be read
///     the policy's rungs, in its order (`restore, rebuild` unless it says otherwise):
///        restore:  sealed snapshots, newest first, unless taken of a damaged database ► restored, what came after is lost
///        rebuild:  the image's schema with the rows that can be read ─────────────────► rebuilt, said what is lost
///                  … or empty, where not even the old schema serves ──────────────────► rebuilt, all rows lost
///        keep, stop ──────────────────────────────────────────────────────────────────► failed, the files as they are
///
/// Then the steps that are still pending, in the same boot. The old files move only when the replacement is ready and sealed, and they
/// go to quarantine byte for byte.
extension RepositoryBoot {
    /// - Parameters:
    ///   - damaged: there is a database whose rows can be read, some of them at least.
    ///   - serves: the application can still open what is there, damaged as it is; then an empty database is no better.
    mutating func recover(
        _ set: MigrationSet, _ cause: String, damaged: Bool, serves: Bool = false
    ) throws(MigrationError) {
        reporter.log.error("\(repository.path): \(cause)")
        // A supervisor that was started again: the files are not moved from under who works with them.
        if (try? FileSystem.isOpenElsewhere(repository.path)) == true {
            throw .system(LinuxError("recover", repository.path, code: LinuxError.busy))
        }
        reporter.progress(.recovering, "recover \(repository.path)")
        try prepareForSteps()
        if damaged, let first = repository.onFailure.first, first == .restore || first == .rebuild, try copyWhole(set, cause) {
            return
        }
        rungs: for rung in repository.onFailure {
            switch rung {
            case .restore:
                if try restore(set, cause) { return }
            case .rebuild:
                if damaged, try salvage(set, cause) { return }
                if serves { break }
                if try rebuild(set, cause) { return }
            case .keep where serves: break rungs
            case .keep, .stop:
                return end(.failed, reason: "\(cause); the policy leaves it as it is")
            }
        }
        if serves {
            return end(
                .restored, reason: "\(cause); nothing better was found, and the damaged database is used as it is, with the schema from before")
        }
        end(.failed, reason: "\(cause); no rung of the recovery ladder gave a database, the files are left as they are")
    }

    // ---- Rows out of the damaged database ----

    /// Every row of every table in a new file: whether there is one now.
    ///
    /// - Parameter finding: the row of a check that gave cause to it, if one did.
    mutating func copyWhole(
        _ set: MigrationSet, _ cause: String, finding: String? = nil
    ) throws(MigrationError) -> Bool {
        let lock = try system { () throws(LinuxError) in try state.lock() }
        guard let (seal, salvaged) = try attempted({ (salvage) throws(MigrationError) in try salvage.copyWhole(finding: finding) }) else { return false }
        if !salvaged.isAlmostWhole {
            unreadable = salvaged.lost
            reporter.log.warning("\(repository.path): not all of it can be read: \(salvaged.lost ?? "")")
            try? FileSystem.remove(state.replacement)
            return false
        }
        if let gone = try tableThatIsGone(from: state.replacement, schema: seal.schema) {
            reporter.log.warning("\(repository.path): a snapshot of the same schema has the table \(gone), of which nothing can be read")
            try? FileSystem.remove(state.replacement)
            return false
        }
        if try !isHistoryOurs(set, of: state.replacement, suspect: salvaged.suspicion != nil) {
            reporter.log.warning("\(repository.path): what was read of its history is none that this image could have made")
            try? FileSystem.remove(state.replacement)
            return false
        }
        var counted = "\(salvaged.rows) rows of \(salvaged.tables.count) tables were read, all \(salvaged.isWhole ? "there are" : "but what their constraints refuse"), "
            + "and copied into a new file"
        if !salvaged.unindexed.isEmpty { counted += ", without the indexes \(salvaged.unindexed.joined(separator: ", "))" }
        let told = Told(salvaged.suspicion == nil ? .restored : .rebuilt, reason: "\(cause); \(counted)", lost: salvaged.lost)
        try replace(bySalvaged: seal, told)
        _ = consume lock
        return try finish(set, told)
    }

    /// A schema that has lost a row has lost a table, and no row of that is missed. The newest snapshot of this schema knows of it.
    private func tableThatIsGone(from path: String, schema: Int64) throws(MigrationError) -> String? {
        let snapshot = try system { () throws(LinuxError) in try state.snapshots.list() }.first { $0.seal.schema == schema }
        guard let snapshot, let then = try? SchemaText.read(Database(snapshot.path, .immutable)) else { return nil }
        let now = try sqlite { () throws(SQLiteError) in try SchemaText.read(Database(path, .immutable)) }
        for name in then.keys where Text.hasPrefix(name, "table ") && now[name] == nil { return Text.dropPrefix(name, "table ") }
        return nil
    }

    /// Whether this image can go on from the copy's history. That it cannot be read is asked twice: a read error also surfaces as damage
    /// (RULES.md S5).
    /// - Parameter suspect: where pages with rows on them are suspect, the history's are, too.
    private func isHistoryOurs(_ set: MigrationSet, of path: String, suspect: Bool) throws(MigrationError) -> Bool {
        if let history = try historyThatReads(set, of: path) { return isOurs(history, set, suspect: suspect) }
        _ = try system { () throws(LinuxError) in try Seal.checksum(FileDescriptor.open(path, .read)) }
        guard let history = try historyThatReads(set, of: path) else { return false }
        return isOurs(history, set, suspect: suspect)
    }

    private func isOurs(_ history: History, _ set: MigrationSet, suspect: Bool) -> Bool {
        if !suspect { return true }
        // One that no image of ours has run for yet has none to lose.
        if history.applied.isEmpty, livedBefore == false { return true }
        let plan = Plan(set, history)
        return !history.applied.isEmpty && plan.unknown.isEmpty && plan.outOfOrder.isEmpty
    }

    private func historyThatReads(_ set: MigrationSet, of path: String) throws(MigrationError) -> History? {
        do throws(MigrationError) {
            return try History.read(
                try sqlite { () throws(SQLiteError) in try Database(path, .immutable) }, adopt: repository.adopt, set: set)
        } catch {
            if error.isMachine { throw error }
            return nil
        }
    }

    private mutating func salvage(_ set: MigrationSet, _ cause: String) throws(MigrationError) -> Bool {
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let steps = try knownSteps(set)
        let fresh = fresh(steps)
        guard let (seal, salvaged) = try attempted({ (salvage) throws(MigrationError) in
            try salvage.fill { () throws(MigrationError) in try fresh.build() }
        }) else { return false }
        let told = Told(
            .rebuilt, reason: "\(cause); \(salvaged.rows) rows of it could be read",
            lost: salvaged.lost)
        try replace(bySalvaged: seal, told)
        _ = consume lock
        return try finish(set, told)
    }

    /// The steps that made the damaged database what it is: its rows go where they come from, and the pending steps then do to them what
    /// they would have done. All steps, where its history cannot be read.
    private func knownSteps(_ set: MigrationSet) throws(MigrationError) -> [Migration] {
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        let history: History
        do throws(MigrationError) {
            history = try readHistory(found, set)
        } catch {
            if error.isMachine { throw error }
            return try rememberedSteps(set, found)
        }
        if history.applied.isEmpty { return try rememberedSteps(set, found) }
        if !Plan(set, history).unknown.isEmpty { return set.migrations }
        return set.migrations.filter { history.contains($0.version) }
    }

    /// Where `schema_migrations` says nothing any more: what our own table says, else the newest snapshot's name. A step that is taken for done
    /// and was not would never be.
    private func rememberedSteps(_ set: MigrationSet, _ found: Inspection) throws(MigrationError) -> [Migration] {
        var versions: [Int64] = []
        do throws(SQLiteError) {
            let database = try RepositoryBoot.open(repository.path, found, defensive: false)
            try database.execute("PRAGMA writable_schema=ON")
            let rows = try database.prepare("SELECT version FROM firstlight_migrations")
            while try rows.step() { if let version = rows.integer(0) { versions.append(version) } }
        } catch {
            if error.kind.isMachine { throw .database(error) }
            versions = []
        }
        let steps = set.migrations.filter { versions.contains($0.version) }
        if !steps.isEmpty { return steps }
        let newest = try system { () throws(LinuxError) in try state.snapshots.list().first?.seal.schema } ?? 0
        return newest == 0 ? set.migrations : set.migrations.filter { $0.version <= newest }
    }

    /// Trouble with a rung is told, and the next one is tried.
    ///
    /// What could not be read is read once more, and once again while that gives fewer rows than before: an error that passes would have
    /// cost them (RULES.md S5).
    /// - Throws: where the bytes themselves cannot be read, and for a full disk or a lack of memory that stays. Nothing is known about the
    ///   rows then, and they are left alone: an older snapshot would lose them for nothing.
    private func attempted(
        _ work: (Salvage) throws(MigrationError) -> (seal: Seal, salvaged: Salvaged)?
    ) throws(MigrationError) -> (seal: Seal, salvaged: Salvaged)? {
        var most: Int64?
        var trouble: MigrationError?
        let begun = Clock.milliseconds
        for _ in 1...4 {
            var rows: Int64 = 0
            do throws(MigrationError) {
                let result = try work(Salvage(state: state, repository: repository, reporter: reporter))
                trouble = nil
                rows = result?.salvaged.rows ?? 0
                if result?.salvaged.isWhole == true { return result }
                if let most, rows >= most { return result }
                // What took all the time there is takes it again.
                if Clock.milliseconds - begun >= Salvage.deadline(repository) { return result }
            } catch {
                reporter.log.error("\(repository.path): salvaging its rows failed: \(error.text)")
                // A lock says nothing about rows, either.
                trouble = error.isMachine && !error.isInterrupted ? error : nil
                continue
            }
            most = max(most ?? 0, rows)
            _ = try system { () throws(LinuxError) in try Seal.checksum(FileDescriptor.open(repository.path, .read)) }
        }
        if let trouble { throw trouble }
        return nil
    }

    private mutating func replace(bySalvaged seal: Seal, _ told: Told) throws(MigrationError) {
        if let lost = told.lost {
            // RULES.md S14: what was salvaged from damage is never presented as a clean result, at no later boot either.
            let text = "some of its rows were salvaged from a damaged database and are suspect: \(Text.short(lost))"
            try system { () throws(LinuxError) in
                try FileSystem.replace(state.suspectPath, with: text, durable: true, permissions: 0o600)
            }
        }
        do throws(MigrationError) {
            report.quarantine = try Swap(.replace, state, seal: seal, told: told).perform(state)
        } catch {
            // Of a database that is not there.
            if told.lost != nil && !isUnfinished { try? FileSystem.remove(state.suspectPath) }
            throw error
        }
        state.pruneQuarantine(keep: repository.quarantine)
        note(told)
        report.schema = seal.schema == 0 ? nil : seal.schema
    }

    /// The pending steps in this same boot, and a sealed generation of what came out.
    private mutating func finish(_ set: MigrationSet, _ told: Told) throws(MigrationError) -> Bool {
        try migrateRestored(set)
        markLived()
        try snapshotAfterwards()
        end(told.outcome, reason: report.reason.map { "\(told.reason); \($0)" } ?? told.reason)
        return true
    }

    // ---- Snapshots ----

    /// The newest snapshot whose seal holds.
    private mutating func restore(_ set: MigrationSet, _ cause: String) throws(MigrationError) -> Bool {
        for snapshot in try snapshotsByUse(set) {
            reporter.progress(.recovering, "restore snapshot \(snapshot.title)")
            if let finding = try Self.damage(in: snapshot) {
                reporter.log.error("snapshot \(snapshot.title) was taken of a damaged database (\(finding)); the next older one is tried")
                continue
            }
            let told = Told(
                .restored, reason: cause, lost: "what was written after snapshot \(snapshot.title)", snapshot: snapshot.title)
            guard try putInPlace(snapshot, told) else { continue }
            reporter.log.warning("\(repository.path): restored from snapshot \(snapshot.title)")
            report.schema = snapshot.seal.schema == 0 ? nil : snapshot.seal.schema
            try migrateRestored(set)
            markLived()
            // The snapshot that was taken before those steps is not the one that was restored.
            report.snapshot = snapshot.title
            end(.restored, reason: report.reason.map { "\(cause); \($0)" } ?? cause)
            return true
        }
        reporter.log.error("\(repository.path): no snapshot whose seal holds")
        return false
    }

    /// Newest first; behind them those of a newer image, which this one cannot work with.
    private func snapshotsByUse(_ set: MigrationSet) throws(MigrationError) -> [Snapshot] {
        let snapshots = try system { () throws(LinuxError) in try state.snapshots.list() }
        if snapshots.allSatisfy({ $0.seal.schema <= set.newest ?? 0 }) { return snapshots }
        var (known, unknown) = ([Snapshot](), [Snapshot]())
        for snapshot in snapshots {
            if try isOfANewerImage(snapshot, set) { unknown.append(snapshot) } else { known.append(snapshot) }
        }
        return known + unknown
    }

    private func isOfANewerImage(_ snapshot: Snapshot, _ set: MigrationSet) throws(MigrationError) -> Bool {
        do throws(MigrationError) {
            return Plan(set, try readHistory(of: snapshot)).unknown.contains { !$0.compatible }
        } catch {
            if error.isMachine { throw error }
            return false
        }
    }

    /// What is wrong with a snapshot although its seal holds, so that it is what was copied: the copied database may have been damaged.
    /// - Throws: where its bytes cannot be read: SQLite calls that damage, too (RULES.md S5).
    static func damage(in snapshot: Snapshot) throws(MigrationError) -> String? {
        guard try Self.finding(in: snapshot) != nil else { return nil }
        _ = try system { () throws(LinuxError) in try Seal.checksum(FileDescriptor.open(snapshot.path, .read)) }
        return try Self.finding(in: snapshot)
    }

    private static func finding(in snapshot: Snapshot) throws(MigrationError) -> String? {
        do throws(MigrationError) {
            let database = try sqlite { () throws(SQLiteError) in try Database(snapshot.path, .immutable) }
            let found = try sqlite { () throws(SQLiteError) in try Check.structure(database, verify: .full) }
            if let first = found.first(where: { !DamageFinding(text: $0).isHarmless }) { return first }
            let schema = try History.newest(database)
            return schema == snapshot.seal.schema ? nil : "its history ends with \(schema)"
        } catch {
            // What this SQLite cannot open at all is of no use in the database's place.
            if error.isMachine { throw error }
            return error.text
        }
    }

    /// The pending steps of a database that has just been restored. What fails here is told, and the restored schema serves.
    /// - Throws: where half a run could not be undone.
    mutating func migrateRestored(_ set: MigrationSet) throws(MigrationError) {
        do throws(MigrationError) {
            try migratePending(set)
        } catch {
            if isUnfinished { throw error }
            report.reason = "the restored database could not be migrated: \(error.text)"
        }
    }

    private mutating func migratePending(_ set: MigrationSet) throws(MigrationError) {
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        let plan = Plan(set, try readHistory(found, set))
        report.pending = Int64(plan.pending.count)
        if plan.pending.isEmpty { return }
        if let hold = try heldNow(set, plan) {
            report.reason = "the restored database is not migrated: \(hold)"
            return
        }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let failure = try attempt(set, plan) { (history) throws(MigrationError) in
            Plan(set, history).pending.map { Move(up: $0) }
        }
        _ = consume lock
        if let failure {
            report.reason = "the restored database could not be migrated: \(failure.text)"
        } else {
            report.pending = 0
        }
    }

    // ---- Nothing left ----

    mutating func rebuild(_ set: MigrationSet, _ cause: String) throws(MigrationError) -> Bool {
        reporter.progress(.recovering, "rebuild \(repository.path)")
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let seal: Seal
        do throws(MigrationError) {
            seal = try fresh(set.migrations).build()
        } catch {
            reporter.log.error("\(repository.path): rebuilding failed: \(error.text)")
            report.reason = error.text
            return false
        }
        let told = Told(.rebuilt, reason: cause, lost: "all rows")
        report.quarantine = try Swap(.replace, state, seal: seal, told: told).perform(state)
        _ = consume lock
        try? FileSystem.remove(state.suspectPath)
        state.pruneQuarantine(keep: repository.quarantine)
        let earlier = report.lost
        note(told)
        report.schema = set.newest
        report.wanted = set.newest
        report.pending = 0
        report.lost = Told.joined("all rows; the old files are in \(report.quarantine ?? "no place, for there were none")", earlier)
        markLived()
        try snapshotAfterwards()
        end(.rebuilt, reason: cause)
        return true
    }
}
