internal import AutoMigrator
internal import BootSequence
internal import CLinux
internal import DataPartition
internal import Linux
internal import SQLite

/// One blocking stage of the boot, in a process of its own: a crash, a hang or a hostile database takes this down, and never the
/// LED, the button or the watchdog.
struct Worker {
    private let path: String
    let configuration: Configuration
    private let reporter: Reporter
    private let supervisor: Int64?

    /// - Parameter supervisor: the process that this one must not outlive.
    init(configuration path: String, supervisor: Int64?) {
        self.path = path
        self.supervisor = supervisor
        var reader = ConfigurationReader()
        // Its mistakes are the supervisor's to tell; it has read the same files.
        reader.read(path)
        configuration = reader.configuration
        reporter = Reporter(
            log: Log { level, text in Worker.send(.log(level, text)) },
            progress: { phase, step, percent in Worker.send(.progress(phase, step, percent: percent)) },
            child: { process in Worker.send(.child(process)) })
    }

    /// What the supervisor starts for a job, and `run` reads again.
    ///
    /// - Parameter time: how long a repository's migrations may take, in milliseconds.
    static func arguments(for job: BootMachine.Job, time: Int64) -> [String] {
        switch job {
        case .wipe: ["wipe"]
        case .data: ["data"]
        case .volatile(let reason): ["volatile", reason]
        case .acknowledgeRepair: ["acknowledge-repair"]
        case .repository(let index, let shutdown, let afterLoss):
            ["repository", "\(index)", shutdown.rawValue, "\(time)"]
                + (afterLoss.map { [$0.distrusted ? "distrusted" : "trusted", $0.reason] } ?? [])
        case .upkeep(let index, let kind): ["upkeep", "\(index)", kind.rawValue]
        case .requestReset(let reason): ["request-reset", reason]
        case .snapshot(let index): ["snapshot", "\(index)"]
        case .history(let entry): ["history", entry]
        }
    }

    func run(_ arguments: [String]) -> Int32 {
        guard fcntlIsPipe else {
            standardErrorLine("firstlightd: --worker is for firstlightd itself")
            return 2
        }
        // The programs that a stage starts must not keep the pipe open when this process is gone.
        _ = linux_set_close_on_exec(WorkerMessage.descriptor)
        switch (arguments[0], arguments.count) {
        case ("wipe", 1): return runAsRoot { $0.wipe() }
        case ("data", 1): return runAsRoot { $0.bringUp() }
        case ("volatile", 2): return runAsRoot { $0.mountVolatile(reason: arguments[1]) }
        case ("acknowledge-repair", 1): return runAsRoot { $0.acknowledgeRepair() }
        case ("request-reset", 2): return runAsRoot { $0.requestReset(reason: arguments[1]) }
        case ("history", 2): return runAsRoot { $0.addToHistory(arguments[1]) }
        case ("repository", 4), ("repository", 6):
            guard let database = database(arguments[1]), let time = Text.number(arguments[3]),
                let shutdown = BootMachine.Shutdown(rawValue: arguments[2])
            else { return 2 }
            let loss = arguments.count < 6
                ? nil : BootMachine.Loss(reason: arguments[5], distrusted: arguments[4] == "distrusted")
            return migrate(database, shutdown, time: time, afterLoss: loss)
        case ("upkeep", 3):
            guard let database = database(arguments[1]), let kind = BootMachine.Upkeep(rawValue: arguments[2]) else { return 2 }
            return keep(database, kind)
        case ("snapshot", 2):
            guard let database = database(arguments[1]) else { return 2 }
            return snapshot(database)
        default: return 2
        }
    }

    private func database(_ index: String) -> Configuration.Database? {
        guard let index = Text.number(index), index >= 0, index < configuration.databases.count else { return nil }
        return configuration.databases[Int(index)]
    }

    private var fcntlIsPipe: Bool { linux_fcntl(WorkerMessage.descriptor, F_GETFD, 0) >= 0 }

    private func runAsRoot(_ stage: (Worker) -> BootMachine.Event) -> Int32 {
        guard become(user: 0, group: 0) else { return 1 }
        Worker.send(.result(stage(self)))
        return 0
    }

    // ---- The partition's stages ----

    private func wipe() -> BootMachine.Event {
        var partition = DataPartition(configuration.data, reporter: reporter)
        do throws(DataPartitionError) {
            try partition.wipe(reason: "button held at power-on")
            return .wiped
        } catch {
            return .unusable(reason: error.text, actions: partition.actions)
        }
    }

    private func bringUp() -> BootMachine.Event {
        var partition = DataPartition(configuration.data, reporter: reporter)
        partition.resetToken = Worker.kernelArgument("firstlight.factory_reset")
        do throws(DataPartitionError) {
            var report = try partition.bringUp()
            partition.putBackLost(configuration.data.databases)
            report.actions = partition.actions
            makeDirectories()
            return .mounted(report)
        } catch {
            return .unusable(reason: error.text, actions: partition.actions)
        }
    }

    private func acknowledgeRepair() -> BootMachine.Event {
        var partition = DataPartition(configuration.data, reporter: reporter)
        do throws(DataPartitionError) {
            try partition.acknowledgeRepair()
            return .kept(snapshot: nil, warning: nil)
        } catch {
            return .kept(snapshot: nil, warning: error.text)
        }
    }

    private func requestReset(reason: String) -> BootMachine.Event {
        var settings = configuration.data
        // It is there, or it is not: nobody waits with a finger on the button.
        settings.wait = min(settings.wait, 2_000)
        var partition = DataPartition(settings, reporter: reporter)
        do throws(DataPartitionError) {
            try partition.requestReset(reason: reason)
            return .requested
        } catch {
            return .unusable(reason: error.text, actions: partition.actions)
        }
    }

    private func mountVolatile(reason: String) -> BootMachine.Event {
        var partition = DataPartition(configuration.data, reporter: reporter)
        do throws(DataPartitionError) {
            let report = try partition.mountVolatile(reason: reason)
            makeDirectories()
            return .mounted(report)
        } catch {
            return .unusable(reason: error.text, actions: partition.actions)
        }
    }

    /// Each database's directory, for the user that works in it. A trouble with one is that repository's alone.
    private func makeDirectories() {
        for database in configuration.databases {
            do throws(DataPartitionError) {
                let user = try self.user(of: database)
                try DataPartition.makeRepositoryDirectory(
                    Text.directory(of: database.repository.path), mount: configuration.data.mount, user: user.id,
                    group: user.group)
            } catch {
                reporter.log.error("[database \(database.repository.name)]: \(error.text)")
            }
        }
    }

    private func user(of database: Configuration.Database) throws(DataPartitionError) -> User {
        guard let name = database.user else { return .root }
        if let user = User.find(name) { return user }
        throw DataPartitionError(unknownUser: name)
    }

    // ---- A repository's stage ----

    private func migrate(
        _ database: Configuration.Database, _ shutdown: BootMachine.Shutdown, time: Int64, afterLoss: BootMachine.Loss?
    ) -> Int32 {
        var repository = database.repository
        if Worker.areMigrationsSwitchedOff() { repository.runMigrations = false }
        repository.deadline = time
        if let trouble = become(database) {
            var report = RepositoryReport(name: repository.name, path: repository.path, outcome: .failed)
            report.reason = trouble
            Worker.send(.result(.report(report)))
            return 0
        }
        // SQLite looks for sidecars beside the file, not beside a link to it. As this user: it may be the user's own link.
        repository.path = FileSystem.withoutLink(repository.path)
        var boot = RepositoryBoot(repository, reporter: reporter)
        var report = boot.run(
            unclean: shutdown != .clean, repaired: shutdown == .repaired, afterLoss: afterLoss?.reason, distrusted: afterLoss?.distrusted ?? false)
        report.path = database.repository.path
        Worker.send(.result(.report(report.bounded)))
        return 0
    }

    /// Behind READY: the application has the database open.
    private func keep(_ database: Configuration.Database, _ kind: BootMachine.Upkeep) -> Int32 {
        if let trouble = become(database) {
            Worker.send(.result(.kept(snapshot: nil, warning: trouble)))
            return 0
        }
        var repository = database.repository
        repository.path = FileSystem.withoutLink(repository.path)
        var boot = RepositoryBoot(repository, reporter: reporter)
        var (title, warning) = (String?.none, String?.none)
        switch kind {
        case .told: boot.acknowledgeReport()
        case .unfinished: warning = boot.handOver()
        case .snapshot:
            do throws(MigrationError) {
                title = try boot.snapshotIfDue()?.title
            } catch {
                warning = "no snapshot: \(error.text)"
                reporter.log.warning("\(database.repository.path): \(warning ?? "")")
            }
        }
        Worker.send(.result(.kept(snapshot: title, warning: warning)))
        return 0
    }

    /// A snapshot that somebody asked for, whether one is due or not.
    private func snapshot(_ database: Configuration.Database) -> Int32 {
        if let trouble = become(database) {
            Worker.send(.result(.kept(snapshot: nil, warning: trouble)))
            return 0
        }
        var repository = database.repository
        repository.path = FileSystem.withoutLink(repository.path)
        var boot = RepositoryBoot(repository, reporter: reporter)
        do throws(MigrationError) {
            Worker.send(.result(.kept(snapshot: try boot.snapshot().title, warning: nil)))
        } catch {
            Worker.send(.result(.kept(snapshot: nil, warning: "no snapshot: \(error.text)")))
        }
        return 0
    }

    /// The database's user, and what limits its process. What went wrong, else nil.
    private func become(_ database: Configuration.Database) -> String? {
        let repository = database.repository
        var user = User.root
        if let name = database.user {
            guard let found = User.find(name) else {
                return "[database \(repository.name)] user = \(name): no such user in /etc/passwd; nothing was touched"
            }
            user = found
        }
        guard become(user: user.id, group: user.group) else { return "could not become user \(user.name)" }
        // SQLite spills to /var/tmp or /tmp otherwise, where a small tmpfs says "disk is full" (RULES.md S15). It looks at the variable once,
        // at its first call.
        setenv("SQLITE_TMPDIR", Text.directory(of: repository.path), 1)
        Database.neverWaitForEntropy()
        Worker.limitMemory()
        return nil
    }

    /// A migration that eats memory gets an error from SQLite, at a quarter of what the board has; whatever else runs away is stopped at half, before
    /// the kernel has to choose whom to kill.
    private static func limitMemory() {
        let memory = Memory.total ?? 256 << 20
        Database.limitMemory(max(memory / 4, 16 << 20))
        _ = linux_limit_data(UInt64(max(memory / 2, 64 << 20)))
    }

    /// `RUN_MIGRATIONS` in the environment, or `firstlight.run_migrations=` on the kernel's command line for one boot: Ecto.AutoMigrator's
    /// words for no. What is not set says nothing here; the configuration decides.
    private static func areMigrationsSwitchedOff() -> Bool {
        let settings = [kernelArgument("firstlight.run_migrations"), Environment.value("RUN_MIGRATIONS")].compactMap { $0 }
        return settings.contains { !RunMigrations.isOn($0) }
    }

    /// The last value of a name on the kernel's command line.
    private static func kernelArgument(_ name: String) -> String? {
        Text.words((try? FileSystem.readText("/proc/cmdline")) ?? "").compactMap { Text.dropPrefix($0, name + "=") }.last
    }

    private func become(user: UInt32, group: UInt32) -> Bool {
        var step: UnsafePointer<CChar>?
        let code = linux_become(user, group, &step)
        if code != 0 {
            reporter.log.error(
                "worker: \(step.map { String(cString: $0) } ?? "become") for user \(user): \(LinuxError.name(code))")
            return false
        }
        // The supervisor may have gone before PDEATHSIG was set; an orphan must not work on.
        return supervisor.map { $0 == Int64(getppid()) } ?? true
    }

    private static func send(_ message: WorkerMessage) {
        let bytes = Array(message.line.utf8)
        bytes.withUnsafeBufferPointer { bytes in
            var done = 0
            while done < bytes.count {
                let n = write(WorkerMessage.descriptor, bytes.baseAddress! + done, bytes.count - done)
                if n > 0 {
                    done += n
                } else if linux_errno() != EINTR {
                    return
                }
            }
        }
    }
}
