internal import Linux
internal import SQLite

/// Forward to the image's schema, under the protection of a snapshot; and what to do when that fails.
extension RepositoryBoot {
    mutating func forward(_ set: MigrationSet, _ plan: Plan, afterLoss: String?) throws(MigrationError) {
        if let afterLoss {
            return end(
                .restored,
                reason: "migrating: \(afterLoss); the schema from before this image is kept, tried again at a later boot")
        }
        if repository.strictOrder, let first = plan.outOfOrder.first {
            return try fallBack(set, plan, .order(file: first.file, newest: plan.schema ?? 0))
        }
        if let hold = try heldNow(set, plan) {
            return end(
                repository.onFailure.first == .stop ? .failed : .restored,
                reason: hold + "; the schema from before this image is kept")
        }
        try upgrade(set, plan)
    }

    private mutating func upgrade(_ set: MigrationSet, _ plan: Plan) throws(MigrationError) {
        try prepareForSteps()
        var failure = try attemptPending(set, plan, toleratesDamage: false)
        if case .damaged(let finding) = failure {
            // Nothing has been committed: what the steps would have written to the wrong pages is still there to be read.
            let cause = "it was damaged before the migrations: \(finding)"
            let policy = repository.onFailure.first ?? .restore
            if policy == .stop { return end(.failed, reason: "\(cause); the policy leaves it as it is") }
            if policy != .keep {
                if DamageFinding(text: finding).isCrossed { return try recover(set, cause, damaged: true, serves: true) }
                do throws(MigrationError) {
                    if try copyWhole(set, cause, finding: finding) { return }
                } catch {
                    // Where the copy is to take the place already, what ran over the old file would be lost with it.
                    if isUnfinished || error.passes && !isSecondTry { throw error }
                    warn(["\(finding); a sound copy could not be made: \(error.text)"])
                }
            }
            // The application can live with it, so nothing that loses rows is better.
            failure = try attemptPending(set, plan, toleratesDamage: true)
        }
        if let failure {
            if try isDamaged(failure) { return try recover(set, failure.text, damaged: true, serves: true) }
            return try fallBack(set, plan, failure)
        }
        report.pending = 0
        // Where this fails the next boot makes up for it.
        try? state.markBorn()
        // What is sealed must not be replaced by snapshots of damage.
        if damage.isEmpty { try snapshotAfterwards() }
        if !damage.isEmpty, let unreadable {
            report.lost = Told.joined(unreadable, report.lost)
            let text = "pages of it cannot be read: \(Text.short(unreadable))\n\(damage.joined(separator: "\n"))"
            try? FileSystem.replace(state.suspectPath, with: text, durable: true, permissions: 0o600)
            return end(.restored, reason: "it was damaged before the migrations, which ran over what can be read")
        }
        end(.migrated)
    }

    private mutating func attemptPending(
        _ set: MigrationSet, _ plan: Plan, toleratesDamage: Bool
    ) throws(MigrationError) -> MigrationError? {
        let lock = try system { () throws(LinuxError) in try state.lock() }
        defer { _ = lock.raw }
        let goal = goal
        return try attempt(set, plan, toleratesDamage: toleratesDamage) { (history) throws(MigrationError) in
            Plan(set, history, goal: goal).pending.map { Move(up: $0) }
        }
    }

    /// Runs a course under the attempt counter, with the lock held. Whatever it throws or returns, the database is whole: the one from
    /// before, or, with nil, the one that was wanted.
    ///
    /// - Parameter toleratesDamage: else damage that was there before the steps undoes them, and is what it returns.
    mutating func attempt(
        _ set: MigrationSet, _ plan: Plan, toleratesDamage: Bool = true, course: @escaping Upgrade.Course
    ) throws(MigrationError) -> MigrationError? {
        let attempts = Attempts(state)
        var record = Attempts.Record()
        record.key = planKey(set)
        if case .attempt(let next) = Attempts.decide(attempts.read(), key: record.key), !retryHeld { record = next }
        record.verdict = .running
        do throws(LinuxError) {
            // An attempt that nobody will know of could take the device down at every boot.
            try attempts.write(record, durable: true)
        } catch {
            return .system(error)
        }
        let begun = Clock.milliseconds
        var upgrade = Upgrade(
            state, repository, set, reporter: reporter, toleratesDamage: toleratesDamage, entered: { attempts.note(stage: $0) }, course: course)
        do throws(Upgrade.Failure) {
            try upgrade.run()
        } catch {
            reporter.log.error("\(repository.path): migrating failed: \(error.cause.text)")
            report.snapshot = upgrade.snapshot?.title
            if error.cause.speaksOfDamage { evidence = upgrade.snapshot?.sequence }
            if error.cause.holds && !Self.hasCode(plan) {
                try? attempts.fail(error.cause.text)
            } else if !isPastDeadline(error.cause, begun) {
                attempts.clear()
            }
            // What took too long was cut short, by ourselves: it stays on record as running, and rests like what the power cut short.
            // Half the steps are nobody's database, damaged or not: the snapshot has the same damage, and every row from before.
            if error.undo != nil { try undo(error) }
            return error.cause
        }
        attempts.clear()
        warn(upgrade.findings)
        damage = upgrade.damage
        report.snapshot = upgrade.snapshot?.title
        report.schema = upgrade.schema
        return nil
    }

    private func isPastDeadline(_ cause: MigrationError, _ begun: Int64) -> Bool {
        guard case .step(_, _, _, let error) = cause, error.kind == .interrupted, let deadline = repository.deadline else { return false }
        return Clock.milliseconds - begun >= deadline
    }

    /// The database as it was before the run: SQLite has rolled back, or its snapshot goes back in place.
    private mutating func undo(_ failure: Upgrade.Failure) throws(MigrationError) {
        guard let snapshot = failure.undo else { return }
        reporter.progress(.recovering, "restore \(repository.path)")
        reporter.log.warning(
            "\(repository.path): steps were committed before the failure; snapshot \(snapshot.title) from before is put back")
        // The run's own intent names the same snapshot and stays until the swap's takes its place by one rename: with none of the two, a cut here
        // would leave half the steps to a plan that rests.
        report.quarantine = try putBack(snapshot)
    }

    /// A failed migration loses nothing: the schema from before serves, unless the policy says otherwise.
    private mutating func fallBack(_ set: MigrationSet, _ plan: Plan, _ cause: MigrationError) throws(MigrationError) {
        let kept = "\(cause.text); the schema from before this image is kept"
        report.pending = Int64(plan.pending.count)
        // Each attempt has taken one; those of the schema that stays are as many as any other boot leaves.
        state.snapshots.prune(keep: repository.snapshots, and: evidence)
        switch repository.onFailure.first ?? .restore {
        case .restore, .keep: end(.restored, reason: kept)
        case .rebuild:
            // Trouble of the machine passes, and a fresh database would meet it, too; only what the steps themselves did wrong is
            // answered by one.
            if !cause.holds { return end(.restored, reason: kept) }
            // Steps that fail on a damaged database say nothing about the steps: its rows are read first.
            if let damage = try damageNow() { return try recover(set, "\(cause.text), and \(damage)", damaged: true, serves: true) }
            if try rebuild(set, cause.text) { return }
            end(.restored, reason: kept)
        case .stop: end(.failed, reason: kept)
        }
    }

    // ---- Held plans ----

    /// Why this plan is not tried at this boot, counted; nil when it is to be tried.
    mutating func heldNow(_ set: MigrationSet, _ plan: Plan) throws(MigrationError) -> String? {
        if retryHeld || !state.exists || Self.hasCode(plan) { return nil }
        let attempts = Attempts(state)
        guard case .hold(let reason, let boots, let write) = Attempts.decide(attempts.read(), key: planKey(set)) else {
            return nil
        }
        if let write {
            do throws(LinuxError) {
                try attempts.write(write, durable: true)
            } catch {
                // A count that cannot be kept would hold for ever, or never.
                warn(["the count of boots that the plan rests could not be written: \(error.text)"])
            }
        }
        report.heldForBoots = boots
        return boots.map { "held: \(reason); tried again \($0) boots from now" }
            ?? "held: \(reason); not tried again until the image's migrations, Firstlight or SQLite change"
    }

    /// The same without counting, for a plan that is only looked at.
    func holdNow(_ set: MigrationSet, _ plan: Plan) -> Hold? {
        if !state.exists || Self.hasCode(plan) { return nil }
        guard case .hold(let reason, let boots, _) = Attempts.decide(Attempts(state).read(), key: planKey(set)) else {
            return nil
        }
        return Hold(reason: reason, boots: boots)
    }

    /// What code does cannot be told from its outside, so whether it has been mended cannot either.
    private static func hasCode(_ plan: Plan) -> Bool {
        plan.pending.contains { if case .code = $0.up { true } else { false } }
    }

    /// What a plan's success depends on, as far as it can be known before.
    private func planKey(_ set: MigrationSet) -> UInt64 {
        var hash = XXH64()
        hash.update(firstlightVersion)
        hash.update(Database.version)
        for path in repository.extensions { hash.update(path) }
        for migration in set.migrations {
            let options = migration.options
            hash.update("\(migration.version) \(migration.checksum ?? "") ")
            hash.update("\(options.transaction ? 1 : 0)\(options.foreignKeys ? 1 : 0)\(options.compatible ? 1 : 0)\n")
        }
        return hash.digest
    }
}
