import Linux

extension DataPartition {
    /// Walks the ladder to a mounted filesystem.
    mutating func climb(_ path: String, _ probe: Probe, size: Int64) throws(DataPartitionError) {
        var ladder = Ladder(probe, policy: settings.format, deviceSize: size)
        var step = ladder.first()
        if let error = probe.readError { note(.find, "failed", error.text) }
        if probe.isClean { note(.clean, "ok", "unmounted cleanly, no error recorded") }
        while true {
            switch step {
            case .mount:
                do throws(LinuxError) {
                    try mount(path, proof: isSuspect)
                    return
                } catch {
                    note(.mount, "failed", error.text)
                    step = ladder.afterMountFailed(error.code)
                }
            case .preen:
                let check = check(.preen, [probe.kind == .f2fs ? "-a" : "-p", path], of: probe.kind, size)
                if check.verdict != .clean { isSuspect = true }
                step = ladder.after(check)
            case .repair:
                // -f: a filesystem that calls itself clean and does not mount would not be looked at.
                step = ladder.after(check(.repair, ["-f", "-y", path], of: probe.kind, size))
                isSuspect = true
            case .repairFrom(let place):
                let from = ["-b", "\(place.block)", "-B", "\(place.blockSize)"]
                step = ladder.after(check(.backupSuperblock, ["-f", "-y"] + from + [path], of: .ext4, size))
                isSuspect = true
            case .format(let why):
                let isBlank = probe.finding == .blank
                if probe.kind == .f2fs {
                    try refuseWhereReadable(path, why: why)
                } else if !isBlank, try salvage(path, why: why) {
                    return
                }
                try format(path, why: why, blank: isBlank)
                return try mountFormatted(path)
            case .giveUp(let why):
                throw fail(.mount, DataPartitionError(.unusable, "\(path) cannot be used and is left as it is: \(why)"))
            }
        }
    }

    /// Mounts what has just been made: nothing is left to try when that fails.
    mutating func mountFormatted(_ path: String) throws(DataPartitionError) {
        do throws(LinuxError) {
            try mount(path, proof: true)
        } catch {
            throw fail(.mount, DataPartitionError("mount \(path) after formatting it", error))
        }
    }

    /// Mounts and notes it.
    mutating func mount(_ path: String, proof: Bool) throws(LinuxError) {
        reporter.progress(.working, "mount \(path)")
        if !FileSystem.exists(mountPoint) { try FileSystem.makeDirectory(mountPoint) }
        filesystem = try Mounting.mount(path, on: mountPoint, proof: proof)
        note(.mount, "ok", "\(path) on \(mountPoint), \(filesystem.text)")
        // While something salvaged lies behind it, not yet.
        if !isSalvaging { grow(path) }
    }

    /// Runs the filesystem's check and notes what it said.
    private mutating func check(_ rung: Rung, _ arguments: [String], of kind: FilesystemKind, _ size: Int64) -> Check {
        let programs = kind == .f2fs ? F2FS.check : checkPrograms
        var command = Text.name(of: programs.first ?? "fsck")
        for argument in arguments { command += " \(argument)" }
        reporter.progress(rung == .preen ? .working : .recovering, command)
        if rung != .preen { reporter.log.warning("data: the filesystem is damaged, so now: \(command)") }
        do throws(LinuxError) {
            let result = try Program.run(programs, arguments, deadline: Program.patience(size), reporter: reporter)
            let check = Check(end: result.end, readError: result.readError)
            note(rung, check.text, result.text)
            return check
        } catch {
            note(rung, "refused", error.text)
            return Check(.didNotRun)
        }
    }
}
