internal import CLinux
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
                    try checkBitmaps(path)
                    try mount(path, proof: isSuspect)
                    try lookAround(path)
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
                if meetsReadError([path], of: probe.kind, size) {
                    step = ladder.afterReadError()
                    continue
                }
                if probe.kind == .ext4 { rescue(path) }
                if wasUsed(probe) { announceRepair(path) }
                step = ladder.after(check(.repair, ["-f", "-y", path], of: probe.kind, size))
                isSuspect = true
            case .repairFrom(let place):
                let from = ["-b", "\(place.block)", "-B", "\(place.blockSize)"]
                if meetsReadError(from + [path], of: .ext4, size) {
                    step = ladder.afterReadError()
                    continue
                }
                rescue(path)
                if wasUsed(probe) { announceRepair(path) }
                step = ladder.after(check(.backupSuperblock, ["-f", "-y"] + from + [path], of: .ext4, size))
                isSuspect = true
            case .format(let why):
                let isBlank = probe.finding == .blank
                if probe.kind == .f2fs {
                    try refuseWhereReadable(path, why: why)
                } else if !isBlank, try salvage(path, why: why) {
                    return
                }
                try format(path, why: why, blank: isBlank, wasUsed: wasUsed(probe))
                return try mountFormatted(path)
            case .giveUp(let why):
                throw fail(.mount, DataPartitionError(.unusable, "\(path) cannot be used and is left as it is: \(why)"))
            }
        }
    }

    /// Whether a repair, or a format, could cost somebody something: also where our own record is all that is left of it. Noise on a new card costs
    /// nobody anything.
    private func wasUsed(_ probe: Probe) -> Bool {
        // Files speak against a record that an older image may have handed on as it was.
        if record.isUnused, rescued.map({ $0.bundle.files == 0 }) ?? true { return false }
        return probe.wasUsed || record.sequence > 0
    }

    /// Before a repair that may cost files, for whoever looks for them in this boot or, cut short, in the next (RULES.md B6).
    private mutating func announceRepair(_ path: String) {
        isRepaired = true
        if record.repaired { return }
        record.repaired = true
        do throws(LinuxError) {
            try Tail.write(&record, to: BlockDevice.open(path, .exclusive))
        } catch {
            reporter.log.warning("data: a repair cannot be announced on \(path): \(error.text)")
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

    /// Whether a check that writes nothing meets a read error: the one that says yes to everything would write zeros over what did not answer.
    private mutating func meetsReadError(_ arguments: [String], of kind: FilesystemKind, _ size: Int64) -> Bool {
        if kind == .f2fs { return false }
        reporter.progress(.recovering, "e2fsck -n")
        let result = try? Program.run(checkPrograms, ["-f", "-n"] + arguments, deadline: patience(size), reporter: reporter)
        guard let result, result.readError else { return false }
        note(.repair, "refused", "e2fsck -n: \(result.text)")
        return true
    }

    private func checkBitmaps(_ path: String) throws(LinuxError) {
        let device = try BlockDevice.open(path, .read)
        guard let superblock = try Superblock.read(device, at: Superblock.offset), superblock.isIntact else { return }
        // One that does not answer is no damage.
        if (try? GroupDescriptors.areBitmapsSound(of: superblock, on: device)) == false { throw LinuxError("check the bitmaps of", path, code: EUCLEAN) }
    }

    /// Looks at every name on the way to the databases and at their state: a filesystem that calls itself clean may be damaged all the same, and
    /// behind READY nobody would repair it. Reads only.
    private mutating func lookAround(_ path: String) throws(LinuxError) {
        if filesystem != .ext4 { return }
        let number = try BlockDevice.open(path, .read).number
        let errors = Mounting.errorCount(of: number)
        var found = Damage()
        found.look(at: mountPoint, depth: 0)
        found.look(at: "\(mountPoint)/\(LostAndFound.directoryName)", depth: 0)
        for database in settings.databases {
            guard let inside = below(database) else { continue }
            var directory = mountPoint
            for name in Text.split(Text.directory(of: inside), 0x2F) where name != "." {
                directory += "/\(name)"
                found.look(at: directory, depth: 0)
            }
            // DIRECTORY/.firstlight/NAME/snapshots/…
            found.look(at: directory + "/.firstlight", depth: 3)
        }
        // The device did not answer: that is no damage, and nothing is repaired for it (RULES.md F7).
        if found.passing { return }
        // The kernel passes over a block of a directory whose checksum is wrong, and counts it.
        if found.error == nil, Mounting.errorCount(of: number) > errors { found.error = LinuxError("read", mountPoint, code: EUCLEAN) }
        guard let error = found.error else { return }
        note(.mount, "failed", "it was mounted, but \(error.text)")
        try unmount()
        throw error
    }

    /// What looking at directories finds.
    private struct Damage {
        /// The filesystem's own words for what is lost.
        var error: LinuxError?
        /// Something else went wrong.
        var passing = false

        /// Names that are still looked at: an application may have made very many.
        private var left = 4096

        mutating func look(at directory: String, depth: Int) {
            do throws(LinuxError) {
                // Through no link of the application's (RULES.md B7).
                guard try FileSystem.status(directory)?.kind == .directory else { return }
                for name in try FileSystem.names(directory, atMost: min(left, 512)) {
                    left -= 1
                    let path = "\(directory)/\(name)"
                    if try FileSystem.status(path)?.kind == .directory, depth > 0 { look(at: path, depth: depth - 1) }
                }
            } catch {
                if error.code == EUCLEAN || error.code == EBADMSG { self.error = self.error ?? error } else if !error.isMissing { passing = true }
            }
        }
    }

    /// Runs the filesystem's check and notes what it said.
    private mutating func check(_ rung: Rung, _ arguments: [String], of kind: FilesystemKind, _ size: Int64) -> Check {
        let programs = kind == .f2fs ? F2FS.check : checkPrograms
        var command = Text.name(of: programs.first ?? "fsck")
        for argument in arguments { command += " \(argument)" }
        reporter.progress(rung == .preen ? .working : .recovering, command)
        if rung != .preen { reporter.log.warning("data: the filesystem is damaged, so now: \(command)") }
        do throws(LinuxError) {
            let result = try BlockDevice.retryWhileBusy { () throws(LinuxError) in
                try Program.run(programs, arguments, deadline: patience(size), reporter: reporter)
            } failed: { $0.isInUse }
            let check = Check(end: result.end, readError: result.readError)
            note(rung, check.text, result.text)
            return check
        } catch {
            note(rung, "refused", error.text)
            return Check(.didNotRun)
        }
    }
}
