#if Lab
import CLinux
import CTorture
import Foundation
import Linux

/// One appliance on this machine: a disk with a volatile cache, firstlightd as it was built, and an application that has one database.
///
/// Everything it mounts is seen by this process alone (`isolate`), and goes with it.
final class Machine {
    /// How a boot went, as the appliance tells it.
    struct Boot {
        /// status.json; empty where READY never came.
        var status: [String: Any] = [:]
        var log = ""
        /// How it ended before READY, where it did.
        var end: String?
        /// Workers that went on without firstlightd.
        var orphans = 0

        var repository: [String: Any] { (status["repositories"] as? [[String: Any]])?.first ?? [:] }
        var isReady: Bool { status["state"] as? String == "ready" }
        /// `none` where READY never came.
        var outcome: String { repository["outcome"] as? String ?? "none" }
        var lost: String? { repository["lost"] as? String }
        var reason: String? { repository["reason"] as? String }
        var schema: Int? { repository["schema"] as? Int }
        var pending: Int { repository["pending"] as? Int ?? 0 }
        var quarantine: String? { repository["quarantine"] as? String }
        var isVolatile: Bool { (status["data"] as? [String: Any])?["volatile"] as? Bool ?? false }
        var actions: [String] {
            ((status["data"] as? [String: Any])?["actions"] as? [[String: Any]] ?? []).map { "\($0["rung"] ?? "") \($0["result"] ?? "")" }
        }
        /// By force, or formatted.
        var isRepaired: Bool { actions.contains { action in ["repair", "backup-superblock", "format"].contains { action.hasPrefix($0) } } }

        var text: String { "\(outcome)\(reason.map { " (\($0))" } ?? "")\(lost.map { ", lost: \($0)" } ?? "")\(end.map { ", \($0)" } ?? "")" }
    }

    let folder: String
    let disk: FuseDisk
    private(set) var loop: LoopDevice
    let firmware: String
    /// The image that is installed: a directory of migrations, and lines for `[database app]`.
    var set: [String: String] = [:]
    var keys: [String] = []
    /// Lines of the other sections', each section's with its name in front.
    var sections = ""
    /// The planted bug that is switched on.
    var mutant: String?

    static let size = 24 << 20

    var mount: String { folder + "/data" }
    var run: String { folder + "/run" }
    var database: String { mount + "/app/app.db" }
    var state: String { mount + "/app/.firstlight/app" }
    var configuration: String { folder + "/firstlight.conf" }

    /// In a process that has called `isolate`.
    init(folder: String, firmware: String, size: Int = size) throws {
        self.folder = folder
        self.firmware = firmware
        for name in ["data", "run", "set"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        disk = try FuseDisk(path: folder + "/disk", size: size)
        loop = try LoopDevice(disk.path)
    }

    /// Once in a process, before its first machine.
    static func isolate() throws {
        guard torture_private_mounts() == 0, torture_adopt_orphans() == 0 else { throw TortureError.last("private mounts") }
    }

    func remove() {
        unmount()
        loop.close()
        disk.remove()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // ---- The disk, while nothing of it is mounted ----

    var contents: [UInt8] {
        get { Array(UnsafeRawBufferPointer(disk.bytes)) }
        set {
            newValue.withUnsafeBytes { disk.bytes.copyMemory(from: $0) }
            loop.forget()
        }
    }

    /// Overwrites what lies at an offset.
    func change(at offset: Int, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { (disk.bytes.baseAddress! + offset).copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        loop.forget()
    }

    /// Clears an inode of the first group's, as flash that goes bad would; 8 is the journal's.
    func clearInode(_ number: Int) {
        let bytes = contents
        func word(_ offset: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
        // The superblock: the size of an inode; the first descriptor: its table's block (ext4's "On-disk data structures").
        let size = word(1024 + 0x58, 2)
        let block = 1024 << word(1024 + 0x18, 4)
        let table = word(block == 1024 ? 2048 + 8 : block + 8, 4)
        change(at: table * block + (number - 1) * size, [UInt8](repeating: 0, count: size))
    }

    /// Puts an e2fsck in the real one's place, for this process and those that it starts, that passes what is sound and puts nothing right.
    func disarmCheck() throws {
        let real = folder + "/e2fsck.real"
        let programs = ["/usr/sbin/e2fsck", "/sbin/e2fsck"].filter { (path: String) in access(path, X_OK) == 0 }
        guard let first = programs.first else { throw TortureError("no e2fsck on this machine") }
        if access(real, F_OK) == 0 { return }
        try FileManager.default.copyItem(atPath: first, toPath: real)
        let idle = folder + "/e2fsck"
        let text = "#!/bin/sh\nfor last; do :; done\n\"\(real)\" -n \"$last\" >/dev/null 2>&1 && exit 0\nexit 4\n"
        try FileSystem.replace(idle, with: text, durable: false, permissions: 0o755)
        // One file where /sbin is a link to /usr/sbin.
        for program in Set(programs.map { (try? FileSystem.resolve($0)) ?? $0 }) where linux_mount(idle, program, "none", UInt(MS_BIND), nil) != 0 {
            throw TortureError.last("mount \(idle) over \(program)")
        }
    }

    // ---- Mounted, as the application sees it ----

    func mounted<T>(_ body: () throws -> T) throws -> T {
        if !isMounted, linux_mount(loop.path, mount, "ext4", 0, "errors=remount-ro") != 0 { throw TortureError.last("mount \(loop.path)") }
        defer { unmount() }
        return try body()
    }

    var isMounted: Bool {
        (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8))?.contains(" \(mount) ") ?? false
    }

    /// Everything at the mount point, a tmpfs over it too.
    func unmount() {
        for _ in 0..<2000 {
            if linux_umount(mount, 0) == 0 { continue }
            // A worker that is being killed may hold it for a moment.
            if errno != EBUSY { break }
            usleep(1000)
        }
        loop.forget()
    }

    // ---- Booting ----

    /// Writes the image that is installed: its migrations and its configuration.
    ///
    /// The limits leave room for a machine that has other things to do: a worker that waits its turn does not hang.
    func install(limit: String = "40s", stall: String = "12s") throws {
        let directory = folder + "/set"
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) { unlink("\(directory)/\(name)") }
        for (name, text) in set { try text.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8) }
        let text = """
            [boot]
            limit = \(limit)
            stall = \(stall)
            [data]
            device = \(loop.path)
            mount = \(mount)
            wait = 1s
            [database app]
            path = \(database)
            migrations = \(directory)
            \(keys.joined(separator: "\n"))
            [light]
            line = none
            [button]
            line = none
            [status]
            directory = \(run)
            \(sections)
            """
        try text.write(toFile: configuration, atomically: false, encoding: .utf8)
    }

    /// Power on, READY, and firstlightd's end by SIGKILL. The partition stays mounted where it was.
    ///
    /// - Parameters:
    ///   - memory: bytes of address space that each process may have.
    ///   - started: called when firstlightd has been started.
    ///   - ready: called when READY has come, while all of it still runs.
    func boot(
        memory: Int? = nil, started: (Process) -> Void = { _ in }, ready: () throws -> Void = {}
    ) throws -> Boot {
        powerOn()
        let command = (memory.map { ["/usr/bin/prlimit", "--as=\($0)"] } ?? []) + [firmware, "--config", configuration]
        let mutant = mutant.map { ["FIRSTLIGHT_MUTANT=\($0)"] } ?? []
        let daemon = try Process.start(
            command[0], Array(command.dropFirst()), output: folder + "/log",
            environment: mutant + ["FIRSTLIGHT_LOG_STDERR=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        started(daemon)
        let limit = Date().addingTimeInterval(60)
        var end: String?
        while access(run + "/ready", F_OK) != 0 {
            if let status = daemon.poll() {
                end = "firstlightd ended with \(status)"
                break
            }
            if Date() > limit {
                end = "no READY in 60 s"
                break
            }
            usleep(500)
        }
        if end == nil { try ready() }
        let orphans = daemon.killAll()
        var boot = result(end)
        boot.orphans = orphans
        return boot
    }

    /// One stage of firstlightd's, by itself.
    func work(_ stage: String...) throws {
        let worker = try Process.start(
            "/bin/sh", ["-c", "exec 3>/dev/null; \"$0\" --config \"$1\" --worker \(stage.joined(separator: " ")); exit 0", firmware, configuration],
            output: folder + "/work.log",
            environment: (mutant.map { ["FIRSTLIGHT_MUTANT=\($0)"] } ?? []) + ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        while worker.poll() == nil { usleep(1000) }
    }

    /// firstlightctl, as a person would call it.
    func tool(_ arguments: String...) throws {
        let link = folder + "/firstlightctl"
        unlink(link)
        symlink((try? FileSystem.resolve(firmware)) ?? firmware, link)
        let tool = try Process.start(link, arguments + ["--config", configuration], output: folder + "/tool.log", environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        while tool.poll() == nil { usleep(1000) }
    }

    /// Power comes with an empty /run.
    private func powerOn() { for name in ["ready", "status.json", "env", "supervisor.json"] { unlink("\(run)/\(name)") } }

    /// The same under a tracer, up to the moment of READY, or to the end of firstlightd.
    func traced(_ selection: SyscallSelection, _ fault: SyscallFault? = nil) throws -> (Boot, TracerResult) {
        powerOn()
        unlink(folder + "/log")
        let tracer = Tracer(
            firmware, ["--config", configuration],
            environment: ["FIRSTLIGHT_LOG_STDERR": "1", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(
                mutant.map { ["FIRSTLIGHT_MUTANT": $0] } ?? [:]) { $1 }, output: folder + "/log")
        let result = try tracer.run(selection, fault: fault, until: .appears(run + "/ready"), limit: .seconds(60), grace: .seconds(6))
        Process.reapOrphans()
        return (self.result(result.cause == .finished ? nil : "\(result.cause)"), result)
    }

    /// What the last boot has told.
    func result(_ end: String?) -> Boot {
        var boot = Boot()
        boot.end = end
        boot.log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
        if let data = FileManager.default.contents(atPath: run + "/status.json") {
            boot.status = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
        }
        return boot
    }
}
#endif
