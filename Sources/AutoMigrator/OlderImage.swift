internal import Linux
internal import SQLite

/// The image is older than the database: an A/B update that fell back, or a firmware put back by hand.
///
///     every unknown step compatible ─────────────────────────► as it is, or forward        → ahead, migrated
///     policy keep, stop ──────────────────────────────────────► as it is                    → ahead, failed
///     stored downs, newest first, in one transaction ─────────► done                        → downgraded
///            │ one is missing, or fails by its own fault; trouble of the machine → as it is, tried again
///     newest sealed snapshot this image knows, the newer database pinned in quarantine ──► → downgraded
///            │ none
///     as it is, with a warning ───────────────────────────────────────────────────────────► → ahead
extension RepositoryBoot {
    mutating func bootOlder(
        _ set: MigrationSet, _ plan: Plan, _ history: History, afterLoss: String?
    ) throws(MigrationError) {
        let newest = plan.unknown.last?.version ?? 0
        if !plan.unknown.contains(where: { !$0.compatible }) {
            if !plan.pending.isEmpty { return try forward(set, plan, afterLoss: afterLoss) }
            return end(.ahead, reason: "the database has step \(newest), which this image can do without")
        }
        let asItIs = "the database has step \(newest), which this image does not know; it is used as it is"
        guard plan.isRelated else {
            warn(["its history has no step in common with \(set.directory)"])
            return end(.ahead, reason: asItIs + ", since its history has no step in common with this image's")
        }
        switch repository.onNewer {
        case .keep: return end(.ahead, reason: asItIs)
        case .stop: return end(.failed, reason: "the database has step \(newest), which this image does not know; the policy is stop")
        case .downgrade: break
        }
        if let afterLoss { return end(.ahead, reason: "going back: \(afterLoss); \(asItIs)") }
        if let hold = try heldNow(set, plan) { return end(.ahead, reason: "\(hold); \(asItIs)") }

        let why: String
        switch OlderImage.undo(set, history) {
        case .moves(let moves):
            guard let failure = try goBack(set, plan, moves) else { return try finishGoingBack(set, moves) }
            // Trouble of the machine passes: no reason to give up the rows that the downs would have kept.
            // A read error also surfaces as damage (RULES.md S5).
            var passes = failure.isMachine
            if failure.suggestsDamage { passes = try !isDamaged(failure) }
            if passes {
                return end(.ahead, reason: "\(failure.text); going back is tried again at the next boot; \(asItIs)")
            }
            why = failure.text
        case .impossible(let reason):
            why = reason
        }
        reporter.log.warning("\(repository.path): the newer steps cannot be undone: \(why)")
        if try fallBackToSnapshot(set, why) { return }
        warn(["the database is newer than this image and cannot be taken back: \(why)"])
        end(.ahead, reason: "\(why), and there is no snapshot that this image knows; \(asItIs)")
    }

    /// Runs the downs. Nil when they are done; else why not, with the database as it was.
    private mutating func goBack(
        _ set: MigrationSet, _ plan: Plan, _ moves: [Move]
    ) throws(MigrationError) -> MigrationError? {
        try system { () throws(LinuxError) in try prepareState() }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        let failure = try attempt(set, plan) { (history) throws(MigrationError) in
            guard case .moves(let now) = OlderImage.undo(set, history) else { return moves }
            return now
        }
        _ = consume lock
        return failure
    }

    private mutating func finishGoingBack(_ set: MigrationSet, _ moves: [Move]) throws(MigrationError) {
        let undone = moves.map { $0.title }.joined(separator: ", ")
        reporter.log.warning("\(repository.path): this image is older than the database; undone: \(undone)")
        try snapshotAfterwards()
        do throws(MigrationError) {
            let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
            let plan = Plan(set, try readHistory(found, set))
            if !plan.pending.isEmpty {
                // Steps of this image that the newer one no longer had.
                try forward(set, plan, afterLoss: nil)
                if report.outcome != .migrated { return }
            }
        } catch {
            if isUnfinished { throw error }
            // What has been undone is undone.
            warn(["after going back: \(error.text)"])
        }
        end(.downgraded, reason: "this image is older than the database; undone: \(undone)")
    }

    /// The newest sealed snapshot whose steps this image all knows or can do without; the live database goes to quarantine and stays
    /// there, pinned, for the newer image.
    private mutating func fallBackToSnapshot(_ set: MigrationSet, _ why: String) throws(MigrationError) -> Bool {
        for snapshot in try system({ () throws(LinuxError) in try state.snapshots.list() }) {
            let history: History
            do throws(MigrationError) {
                history = try readHistory(of: snapshot)
            } catch {
                // An error that passes is no reason for an older one.
                if error.isMachine { throw error }
                continue
            }
            let plan = Plan(set, history)
            guard plan.isRelated, !history.applied.isEmpty, !plan.unknown.contains(where: { !$0.compatible }) else { continue }
            reporter.progress(.recovering, "restore snapshot \(snapshot.title)")
            let earlier = report.lost
            let live = try sealLive()
            let (state, seal) = (state, snapshot.seal)
            let told = Told(
                .downgraded, reason: "this image is older than the database, and \(why)",
                lost: "what was written after snapshot \(snapshot.title); the newer database is \(Self.keptForTheNewer)",
                snapshot: snapshot.title)
            let done = try putInPlace(snapshot, told) { (swap) throws(MigrationError) in
                // A cut between pin and swap leaves a pin that names nothing, and is none.
                let pin = Pin(quarantine: state.quarantinePath(swap.sequence), seal: live, live: seal)
                try system { () throws(LinuxError) in try pin.write(state) }
            }
            guard done else { continue }
            let quarantine = report.quarantine ?? "quarantine"
            let lost = "what was written after snapshot \(snapshot.title); it is in \(quarantine), \(Self.keptForTheNewer)"
            reporter.log.warning("\(repository.path): \(why); restored snapshot \(snapshot.title); \(lost)")
            report.schema = history.schema
            report.snapshot = snapshot.title
            if !plan.pending.isEmpty { try migrateRestored(set) }
            if var pin = try system({ () throws(LinuxError) in try Pin.read(state) }), report.schema != history.schema {
                pin.live = try sealLive()
                try system { () throws(LinuxError) in try pin.write(state) }
            }
            report.lost = Told.joined(lost, earlier)
            end(.downgraded, reason: report.reason ?? "this image is older than the database, and \(why)")
            return true
        }
        return false
    }

    /// That it looks damaged is asked twice: a read error does, too (RULES.md S5).
    func readHistory(of snapshot: Snapshot) throws(MigrationError) -> History {
        do throws(MigrationError) {
            return try readHistoryOnce(of: snapshot)
        } catch {
            guard error.suggestsDamage else { throw error }
            _ = try system { () throws(LinuxError) in try Seal.checksum(FileDescriptor.open(snapshot.path, .read)) }
            return try readHistoryOnce(of: snapshot)
        }
    }

    private func readHistoryOnce(of snapshot: Snapshot) throws(MigrationError) -> History {
        let database = try sqlite { () throws(SQLiteError) in try Database(snapshot.path, .immutable) }
        return try History.read(database, adopt: repository.adopt)
    }

    /// The live database as a single file, sealed where it lies.
    private func sealLive() throws(MigrationError) -> Seal {
        let contents = try sealedContents()
        return try system { () throws(LinuxError) in
            let file = try FileDescriptor.open(repository.path, .read)
            return Seal(
                size: try file.status().size, checksum: try Seal.checksum(file), schema: contents.schema,
                tables: contents.tables)
        }
    }

    /// In a function of its own: the connection must be closed before the file is opened beside it (RULES.md S12).
    private func sealedContents() throws(MigrationError) -> (schema: Int64, tables: Int64) {
        let database = try sqlite { () throws(SQLiteError) in
            let database = try Database(repository.path, .readWrite)
            try database.execute("PRAGMA locking_mode=EXCLUSIVE")
            if try database.text("PRAGMA journal_mode") == "wal" { try Upgrade.checkpoint(database) }
            return database
        }
        return try Seal.contents(database)
    }

    /// The newer image is back: its own database returns from quarantine, if nobody has written to the live one since.
    mutating func takeUpPinned(_ set: MigrationSet) throws(MigrationError) -> Bool {
        guard let pin = try system({ () throws(LinuxError) in try Pin.read(state) }) else { return false }
        let pinned = Snapshot(sequence: 0, seal: pin.seal, path: pin.file(state))
        do throws(MigrationError) {
            guard Plan(set, try readHistory(of: pinned)).unknown.isEmpty else { return false }
        } catch {
            if error.isMachine { throw error }
            return false
        }
        let found = try system { () throws(LinuxError) in try Inspection(repository.path) }
        let matches = try system { () throws(LinuxError) in try pin.live.matches(repository.path) }
        guard matches && !found.sidecars else {
            warn([
                "\(pin.quarantine) has the database from before an older image ran; the live one was written to since and is migrated "
                    + "forward (firstlightctl restore brings the other one back)"
            ])
            return false
        }
        reporter.log.notice("\(repository.path): nothing was written since the older image took over; \(pinned.path) comes back")
        // What the older image's boot had to tell of is undone; what others had is not.
        let left = Told.losses(report.lost).filter { !Text.contains($0, Self.keptForTheNewer) }
        try system { () throws(LinuxError) in try Swap.retell(Told.text(left), state) }
        guard try putInPlace(pinned) else { return false }
        Pin.remove(state)
        if left.isEmpty {
            finished = nil
            report.untold = false
        }
        report.lost = Told.text(left)
        report.reason = "this image's database, kept in quarantine while an older image ran, is back"
        return true
    }

    /// By which a loss is known that is none any more once the newer image is back.
    private static let keptForTheNewer = "kept for the newer image"
}

/// What going back takes, decided purely.
enum OlderImage {
    enum Undo {
        /// Newest first, only until what remains is compatible.
        case moves([Move])
        case impossible(String)
    }

    static func undo(_ set: MigrationSet, _ history: History) -> Undo {
        var known: Set<Int64> = []
        for migration in set.migrations { known.insert(migration.version) }
        guard let lowest = history.applied.first(where: { !known.contains($0.version) && !$0.compatible })?.version else {
            return .moves([])
        }
        var moves: [Move] = []
        for step in history.applied.reversed() where step.version >= lowest {
            let title = Migration.title(step.version, step.name ?? "")
            // It was made on top of what would be undone.
            if known.contains(step.version) {
                return .impossible("step \(title), which this image knows, came after step \(lowest), which it does not")
            }
            guard let move = Move(stored: step) else { return .impossible("step \(title) has no stored down") }
            guard move.options.transaction else {
                return .impossible("the stored down of step \(title) does not run in a transaction")
            }
            moves.append(move)
        }
        return .moves(moves)
    }
}
