internal import Linux

/// Step 0 of a boot: what a power cut interrupted is finished, or given up, before anything is judged.
extension RepositoryBoot {
    /// Before anything else, and whatever the policy: half a swap is nobody's database.
    mutating func finishIntent() throws(MigrationError) {
        if !state.exists { return }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        defer { _ = lock.raw }
        switch try system({ () throws(LinuxError) in try Swap.read(state) }) {
        case .nothing:
            return
        case .unreadable:
            reporter.log.error("\(state.intentPath): checksum does not hold; it is removed, and the database judged as it is")
            try system { () throws(LinuxError) in try Swap.clear(state) }
        case .intent(var swap):
            reporter.progress(.recovering, "finish \(swap.operation.text) of \(repository.path)")
            if swap.operation == .run {
                reporter.log.warning(
                    "\(repository.path): a run of migrations was cut between two commits; the snapshot from before it "
                        + "is put back, and the run begins again")
                // The files may have changed since the intent: those that are there now are the ones to move.
                swap.operation = .replace
                swap.inodes = try system { () throws(LinuxError) in try Swap.inodes(state) }
                try carryOut(swap, begun: false)
            } else {
                reporter.log.warning("\(repository.path): finishing \(swap.operation.text) \(swap.sequence), cut short before")
                try carryOut(swap, begun: true)
                if swap.operation == .replace && report.quarantine != nil { tell(swap) }
            }
            state.pruneQuarantine(keep: repository.quarantine)
        }
    }

    /// The boot that began it could not tell any more what it cost.
    private mutating func tell(_ swap: Swap) {
        if swap.source.utf8.isEmpty {
            finished = .rebuilt
            report.lost = "all rows; the old files are in \(report.quarantine ?? "")"
        } else if let snapshot = state.snapshots.list().first(where: { $0.path == swap.source }) {
            finished = .restored
            report.snapshot = snapshot.title
            report.lost = "what was written after snapshot \(snapshot.title)"
        }
    }

    /// A swap that cannot be done, because what it would put in place is damaged by now, must not stop this boot and every later one:
    /// the files are judged as they are.
    private mutating func carryOut(_ swap: Swap, begun: Bool) throws(MigrationError) {
        do throws(MigrationError) {
            report.quarantine = begun ? try swap.finish(state) : try swap.perform(state)
        } catch {
            guard case .seal = error else { throw error }
            reporter.log.error("\(error.text); the swap is given up, and the database judged as it is")
            try system { () throws(LinuxError) in try Swap.clear(state) }
        }
    }
}
