internal import CLinux
import Linux

extension DataPartition {
    /// Walks the ladder to a mounted filesystem.
    mutating func climb(_ path: String, _ probe: Probe, size: Int64) throws(DataPartitionError) {
        var ladder = Ladder(probe, policy: settings.format, deviceSize: size)
        var step = ladder.first()
        var repaired = false
        if let error = probe.readError { note(.find, "failed", error.text) }
        if probe.isClean { note(.clean, "ok", "unmounted cleanly, no error recorded") }
        while true {
            switch step {
            case .mount:
                do throws(LinuxError) {
                    try mount(path, proof: repaired)
                    return
                } catch {
                    note(.mount, "failed", error.text)
                    step = ladder.afterMountFailed(error.code)
                }
            case .preen:
                let check = check(.preen, ["-p", path])
                if check.verdict != .clean { repaired = true }
                step = ladder.after(check)
            case .repair:
                // -f: a filesystem that calls itself clean and does not mount would not be looked at.
                step = ladder.after(check(.repair, ["-f", "-y", path]))
                repaired = true
            case .repairFrom(let place):
                let from = ["-b", "\(place.block)", "-B", "\(place.blockSize)"]
                step = ladder.after(check(.backupSuperblock, ["-f", "-y"] + from + [path]))
                repaired = true
            case .format(let why):
                let isBlank = probe.finding == .blank
                if !isBlank, let file = fileThatReads(path) {
                    let text = "\(path) cannot be used (\(why)), but mounted read-only it can be read: \(file); it is left as it is"
                    throw fail(.format, DataPartitionError(.unusable, text))
                }
                try format(path, why: why, blank: isBlank)
                return try mountFormatted(path)
            case .giveUp(let why):
                throw fail(.mount, DataPartitionError(.unusable, "\(path) cannot be used and is left as it is: \(why)"))
            }
        }
    }

    /// A file that a read-only mount still gives out, by its path there: as long as there is one, formatting would destroy what
    /// somebody can still copy off it. Nil where it does not mount so, or holds no file.
    private func fileThatReads(_ path: String) -> String? {
        reporter.progress(.recovering, "mount \(path) read-only")
        try? makeMountPoint()
        // The journal first: it may hold the newest of it. Then without, and at last without a look
        // at where the filesystem's own blocks are, which is all that is left where the journal is what broke.
        for options in ["errors=continue", "errors=continue,noload", "errors=continue,noload,noblock_validity"] {
            guard linux_mount(path, mountPoint, "ext4", Mounting.flags | UInt(MS_RDONLY), options) == 0 else { continue }
            defer { _ = linux_umount(mountPoint, 0) }
            if let file = DataPartition.file(below: mountPoint, depth: 0) { return Text.dropPrefix(file, mountPoint + "/") }
        }
        return nil
    }

    /// The first file that is not empty and whose first byte can be read.
    private static func file(below directory: String, depth: Int) -> String? {
        guard depth < 16, let names = try? FileSystem.list(directory) else { return nil }
        for name in names {
            let path = "\(directory)/\(name)"
            guard let status = try? FileSystem.status(path) else { continue }
            switch status.kind {
            case .file: if status.size > 0, (try? FileDescriptor.open(path, .read).bytes(at: 0, count: 1))?.isEmpty == false { return path }
            case .directory: if let found = file(below: path, depth: depth + 1) { return found }
            default: continue
            }
        }
        return nil
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
        try Mounting.mount(path, on: mountPoint, proof: proof)
        note(.mount, "ok", "\(path) on \(mountPoint)")
    }

    /// Runs e2fsck and notes what it said.
    private mutating func check(_ rung: Rung, _ arguments: [String]) -> Check {
        var command = "e2fsck"
        for argument in arguments { command += " \(argument)" }
        reporter.progress(rung == .preen ? .working : .recovering, command)
        if rung != .preen { reporter.log.warning("data: the filesystem is damaged, so now: \(command)") }
        do throws(LinuxError) {
            let result = try Program.run(checkPrograms, arguments, reporter: reporter)
            let check = Check(end: result.end, readError: result.readError)
            note(rung, check.text, result.text)
            return check
        } catch {
            note(rung, "refused", error.text)
            return Check(.didNotRun)
        }
    }
}
