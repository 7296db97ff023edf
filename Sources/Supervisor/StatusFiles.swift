internal import AutoMigrator
internal import BootSequence
internal import CLinux
internal import Linux

/// `status.json`, `env` and `ready` in a directory on a tmpfs, each whole by rename. Not durable: they are about this boot. And `supervisor.json`, for this
/// daemon's own next life in it.
struct StatusFiles {
    let directory: String
    let log: Log

    /// That this is the only daemon with this directory: two would work on one partition. Held until the process is gone, however it goes.
    /// - Throws: EBUSY where another one has it.
    func lock() throws(LinuxError) -> FileDescriptor {
        let lock = try FileDescriptor.open("\(directory)/lock", .append, permissions: 0o600)
        if try !lock.tryLock() { throw LinuxError("lock", lock.name, code: EBUSY) }
        return lock
    }

    /// What an earlier life in this boot has left; nil where this is the first one.
    func memory(boot: String) -> BootMemory? {
        guard let text = try? FileSystem.readText(memoryPath, limit: 4 << 20), let json = JSON(parsing: text), let memory = BootMemory(json: json),
            memory.boot == boot
        else { return nil }
        return memory
    }

    func remember(_ memory: BootMemory) {
        // Its status has been complained of already, where there is no room or no directory.
        try? FileSystem.replace(memoryPath, with: memory.json.text + "\n", durable: false)
    }

    private var memoryPath: String { "\(directory)/supervisor.json" }

    func makeDirectory() {
        var path = ""
        for name in Text.split(directory, 0x2F) where !name.utf8.isEmpty {
            path += "/\(name)"
            if FileSystem.exists(path) { continue }
            do throws(LinuxError) { try FileSystem.makeDirectory(path) } catch { return complain(error) }
        }
    }

    /// Removes what an earlier life left: `ready` must mean this one.
    func clear() {
        for name in ["ready", "env"] { try? FileSystem.remove("\(directory)/\(name)") }
    }

    func write(_ report: BootReport) {
        do throws(LinuxError) {
            try FileSystem.replace("\(directory)/status.json", with: report.json.text + "\n", durable: false)
            guard report.state == .ready else { return }
            try FileSystem.replace("\(directory)/env", with: report.environment, durable: false)
            // Last: whoever waits for it finds the others.
            try FileSystem.replace("\(directory)/ready", with: "\(report.outcome?.text ?? "")\n", durable: false)
        } catch {
            complain(error)
        }
    }

    private func complain(_ error: LinuxError) {
        log.error("status: \(error.text); the boot goes on, but firstlightctl will not see it")
    }
}
