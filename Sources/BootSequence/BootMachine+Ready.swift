internal import AutoMigrator
internal import DataPartition

/// Behind READY: one worker at a time, orders before the upkeep.
extension BootMachine {
    enum Task: Sendable, Equatable {
        /// That the partition's repair has been told is put on record.
        case acknowledgement
        case upkeep(index: Int, Upkeep)
        case order(Order)
    }

    /// Whether a hand-over has still to succeed (`Upkeep.unfinished`).
    public var isUnfinished: Bool { data?.volatile == false && !isDegraded && !unfinished.isEmpty }

    /// A factory reset waits to be put on record.
    public var isResetOrdered: Bool {
        orders.contains { order in
            if case .factoryReset = order { true } else { false }
        }
    }

    mutating func take(_ order: Order) -> [Action] {
        // Asked for twice it is done once, and answered to both.
        if orders.contains(order) || task == .order(order) { return [] }
        orders.append(order)
        return state == .ready ? next() : []
    }

    mutating func handleBehindReady(_ event: Event) -> [Action] {
        switch event {
        case .upkeepDue(let snapshot):
            if round == nil { round = (0, snapshot) }
            return next()
        case .degraded(let reason):
            if isDegraded || data?.volatile != false { return [] }
            isDegraded = true
            data?.problem = reason
            warnings.append("the data partition has failed: \(reason)")
            return [.degraded]
        case .requested:
            return finish()
        case .kept(let snapshot, let warning):
            return finish(title: snapshot, trouble: warning)
        case .unusable(let reason, _):
            return finish(trouble: reason)
        case .lost(let reason, _):
            return finish(trouble: reason, lost: true)
        case .stuck(let reason):
            // What hangs once hangs whoever comes next; and who works on the partition hangs, too.
            let isOnPartition = task != nil && data?.volatile == false && !isDegraded
            if !isOnPartition { return finish(trouble: reason, lost: true) }
            isDegraded = true
            round = nil
            data?.problem = "its device does not answer: \(reason)"
            warnings.append("the data partition has failed: its device does not answer: \(reason)")
            return [.degraded] + finish(trouble: reason, lost: true)
        default:
            return []
        }
    }

    /// What the worker does next; nothing while it is at work.
    private mutating func next() -> [Action] {
        if task != nil { return [] }
        if !orders.isEmpty { return begin(orders.removeFirst()) }
        guard let round else { return [] }
        if data?.volatile != false || isDegraded {
            self.round = nil
            return []
        }
        // Where a database failed, nobody has looked yet what the repair cost.
        if data?.repaired == true, repositories.allSatisfy({ $0.outcome != .failed }) {
            task = .acknowledgement
            return [.start(.acknowledgeRepair)]
        }
        for index in round.index..<max(round.index, repositories.count) {
            // A snapshot waits until what is unfinished has been handed over.
            let kind: Upkeep
            if unfinished.contains(index) {
                kind = .unfinished
            } else if repositories[index].untold {
                kind = .told
            } else if round.withSnapshots {
                kind = .snapshot
            } else {
                continue
            }
            self.round = (index, round.withSnapshots)
            task = .upkeep(index: index, kind)
            return [.start(.upkeep(index: index, kind))]
        }
        self.round = nil
        return []
    }

    private mutating func begin(_ order: Order) -> [Action] {
        task = .order(order)
        switch order {
        case .factoryReset(let reason, _):
            return [.start(.requestReset(reason: reason))]
        case .snapshot where isDegraded, .history where isDegraded:
            return finish(trouble: "the data partition has failed: \(data?.problem ?? "")")
        case .snapshot(let index):
            return [.start(.snapshot(index: index))]
        case .history(let entry):
            return [.start(.history(entry: entry))]
        case .reboot:
            return finish()
        }
    }

    /// - Parameter lost: the worker did not come to its end.
    private mutating func finish(title: String? = nil, trouble: String? = nil, lost: Bool = false) -> [Action] {
        guard let task else { return [] }
        self.task = nil
        switch task {
        case .acknowledgement:
            // Tried once: where it does not go the next boot tells it again.
            data?.repaired = false
            if let trouble { warnings.append(lost ? "upkeep: \(trouble)" : trouble) }
        case .upkeep(let index, let kind):
            if let title { repositories[index].snapshot = title }
            if let trouble {
                let text = "\(repositories[index].name): \(lost ? "upkeep: " : "")\(trouble)"
                if !warnings.contains(text) { warnings.append(text) }
            } else if kind == .unfinished {
                unfinished.remove(index)
            } else if kind == .told {
                repositories[index].untold = false
            }
            // Unless something went wrong, there may be more to do for the same one.
            if trouble != nil || kind == .snapshot { round = round.map { (index + 1, $0.withSnapshots) } }
        case .order(let order):
            if case .snapshot(let index) = order, let title { repositories[index].snapshot = title }
            return [.done(order, title: title, trouble: trouble)] + next()
        }
        return next()
    }
}
