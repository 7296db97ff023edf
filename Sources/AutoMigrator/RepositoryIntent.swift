internal import Linux

/// Step 0 of a boot: what a power cut interrupted is finished, or given up, before anything is judged.
extension RepositoryBoot {
    /// Before anything else, and whatever the policy: half a swap is nobody's database.
    mutating func finishIntent() throws(MigrationError) {
        // Looked at first: taking the lock makes its file, and a boot with nothing to do writes nothing.
        let isThere = try system { () throws(LinuxError) in
            for path in [state.intentPath, state.servedPath, state.untoldPath] where try FileSystem.isThere(path) { return true }
            return false
        }
        guard isThere else { return }
        let lock = try system { () throws(LinuxError) in try state.lock() }
        defer { _ = lock.raw }
        switch try system({ () throws(LinuxError) in try Swap.read(state) }) {
        case .nothing:
            try finishServed()
        case .unreadable:
            reporter.log.error("\(state.intentPath): checksum does not hold; it is removed, and the database judged as it is")
            try system { () throws(LinuxError) in try Swap.clear(state) }
            try finishServed()
        case .intent(var swap):
            try mustNotBeOpen(swap)
            try system { () throws(LinuxError) in
                // Taken back by a boot that was cut short; this intent is what it made of it.
                if try FileSystem.isThere(state.servedPath) { try FileSystem.remove(state.servedPath) }
            }
            reporter.progress(.recovering, "finish \(swap.operation.text) of \(repository.path)")
            if swap.operation == .run {
                reporter.log.warning(
                    "\(repository.path): a run of migrations was cut between two commits; the snapshot from before it "
                        + "is put back, and the run begins again")
                // The files may have changed since the intent: those that are there now are the ones to move.
                swap.operation = .undo
                swap.inodes = try system { () throws(LinuxError) in try Swap.inodes(state) }
                try carryOut(swap, begun: false)
            } else {
                reporter.log.warning("\(repository.path): finishing \(swap.operation.text) \(swap.sequence), cut short before")
                try carryOut(swap, begun: true)
            }
            state.pruneQuarantine(keep: repository.quarantine)
        }
        try takeUpUntold()
    }

    /// A supervisor that was started again finds the application at work: its files are not taken away from under it.
    private func mustNotBeOpen(_ swap: Swap) throws(MigrationError) {
        if (try? FileSystem.isOpenElsewhere(repository.path)) == true {
            throw .system(LinuxError("finish \(swap.operation.text) of", repository.path, code: LinuxError.busy))
        }
    }

    /// A boot ended without having finished, and the application has worked with the files since.
    private mutating func finishServed() throws(MigrationError) {
        switch try system({ () throws(LinuxError) in try Swap.readServed(state) }) {
        case .nothing:
            return
        case .unreadable:
            reporter.log.error("\(state.servedPath): checksum does not hold; it is removed, and the database judged as it is")
            try system { () throws(LinuxError) in
                try FileSystem.remove(state.servedPath)
                try FileSystem.syncDirectory(state.directory)
            }
        case .intent(let served):
            try mustNotBeOpen(served)
            reporter.progress(.recovering, "finish \(served.operation.text) of \(repository.path)")
            guard let swap = try system({ () throws(LinuxError) in try served.takeBack(state) }) else {
                reporter.log.warning(
                    "\(repository.path): \(served.operation.text) \(served.sequence) was not finished, and the application has worked with the "
                        + "database since; it is given up, and the database judged as it is")
                return
            }
            reporter.log.warning(
                "\(repository.path): \(served.operation.text) \(served.sequence) was not finished before the application began; it is now")
            try carryOut(swap, begun: true)
            state.pruneQuarantine(keep: repository.quarantine)
        }
    }

    /// What a boot before this one did and could not tell any more.
    mutating func takeUpUntold() throws(MigrationError) {
        if try system({ () throws(LinuxError) in try Swap.isUntoldDamaged(state) }) {
            report.untold = true
            warn(["\(state.untoldPath), which says what an earlier boot had to give up, is damaged"])
        }
        guard let swap = try system({ () throws(LinuxError) in try Swap.readUntold(state) }), let told = swap.told else { return }
        finished = told.outcome
        report.untold = true
        // Else this boot has just finished it.
        report.reason = report.quarantine == nil ? "\(told.reason) (done before, and not told until now)" : told.reason
        report.lost = told.lost
        report.snapshot = told.snapshot
        let quarantine = state.quarantinePath(swap.sequence)
        if report.quarantine == nil, FileSystem.exists(quarantine) { report.quarantine = quarantine }
    }

    /// The report has been told to somebody: a boot after this one need not repeat it. Until then what a swap cost is told at every boot.
    ///
    /// A report that was made before the record could be read says nothing of it, and leaves it.
    public func acknowledge() {
        if report.untold { acknowledgeReport() }
    }

    /// The same for a report of another process's, which had it (`RepositoryReport.untold`).
    public func acknowledgeReport() {
        if FileSystem.exists(state.untoldPath) { try? FileSystem.remove(state.untoldPath) }
    }

    /// What is unfinished stays so until another boot, and until then the application works with the files. For a process that has been killed, or
    /// that could not, another one says so behind READY, as soon as it can.
    /// - Returns: what went wrong; then it is to be tried again.
    @discardableResult
    public func handOver() -> String? {
        do throws(LinuxError) {
            guard try FileSystem.isThere(state.intentPath) else { return nil }
            let lock = try state.lock()
            try Swap.handOver(state, isServing: true)
            _ = consume lock
            return nil
        } catch {
            // Another process is in the middle of it.
            if error.code == LinuxError.busy { return nil }
            let text = "\(error.text); what the application writes from now on may be taken for what was there before"
            reporter.log.error(text)
            return text
        }
    }

    /// Whether something is begun and not done: then no later step of this boot may run over the files.
    var isUnfinished: Bool { FileSystem.exists(state.intentPath) }

    /// At the end of a boot, whatever it was. What another process is in the middle of is that one's.
    mutating func handOverUnlessAnotherWorks() {
        var isThere: Bool?
        for _ in 0..<2 where isThere == nil { isThere = try? FileSystem.isThere(state.intentPath) }
        if isThere == false { return }
        do throws(LinuxError) {
            let lock = try state.lock()
            try Swap.handOver(state, isServing: false)
            _ = consume lock
        } catch {
            if error.code == LinuxError.busy { return }
            // Another process tries again for whatever has failed.
            end(.failed, reason: "\(report.reason.map { $0 + "; " } ?? "")\(error.text), and what was begun could not be handed over")
        }
    }

    /// A swap that cannot be done, because what it would put in place is damaged by now, must not stop this boot and every later one:
    /// the files are judged as they are.
    private mutating func carryOut(_ swap: Swap, begun: Bool) throws(MigrationError) {
        if let seal = swap.seal { makeRoom(seal.size) }
        do throws(MigrationError) {
            report.quarantine = begun ? try swap.finish(state) : try swap.perform(state)
            try system { () throws(LinuxError) in if !swap.source.utf8.isEmpty, try Pin.read(state)?.file(state) == swap.source { Pin.remove(state) } }
        } catch {
            guard try swap.isHopeless(error) else { throw error }
            reporter.log.error("\(error.text); the swap is given up, and the database judged as it is")
            try system { () throws(LinuxError) in try swap.abandon(state) }
            if swap.operation == .undo {
                warn(["half a run of migrations is in the database, and the snapshot from before it cannot be had: \(error.text)"])
            }
        }
    }
}
