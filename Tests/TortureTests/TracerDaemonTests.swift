#if Lab
import Foundation
import Linux
import Testing

@testable import Torture

/// The tracer on boots of the daemon, as scripts/build-firmware built it.
@Suite(.enabled(if: TracedDaemon.path != nil, "needs scripts/build-firmware x86_64"))
struct TracerDaemonTests {
    private let daemon = TracedDaemon()
    private var folder: TracerFolder { daemon.folder }
    private var onData: SyscallSelection { SyscallSelection(.worker("repository"), paths: [folder.path + "/data"]) }

    @Test func aBootIsReadyAndItsWorkersCallsAreTold() throws {
        let result = try daemon.boot(onData)
        #expect(result.cause == .finished && result.orphans.isEmpty && result.unkillable.isEmpty, "\(daemon.said)")
        let labels = result.processes.map { $0.label }
        #expect(labels.prefix(3) == ["supervisor", "worker data", "worker repository"], "\(labels)")
        #expect(result.processes.filter { $0.label == "worker repository" }.map { $0.end } == [.exited(0)])
        let database = folder.path + "/data/app/app.db"
        #expect(result.events.contains { $0.name == "rename" && $0.paths.last == database })
        #expect(result.events.contains { $0.name == "fsync" || $0.name == "fdatasync" })
        #expect(result.events.allSatisfy { $0.process == "worker repository" && onData.includes($0.paths) })
        #expect(folder.read("run/ready") == "migrated\n")
    }

    @Test func twoBootsMakeTheSameCalls() throws {
        let (one, other) = (try daemon.boot(onData), try TracedDaemon(like: daemon).boot(onData))
        // The names alone: a snapshot's path has a checksum in it, which the time of a migration is part of.
        #expect(one.events.map { $0.name } == other.events.map { $0.name } && one.events.count > 50)
    }

    @Test func aWorkerKilledBeforeItsSyncsIsReplacedOrDoneWithout() throws {
        let syncs = try daemon.boot(onData.only("fsync")).events
        try #require(syncs.count > 2)
        for sync in syncs {
            let daemon = TracedDaemon(like: daemon)
            let result = try daemon.boot(onData.only("fsync"), fault: SyscallFault(sync.ordinal, .kill))
            #expect(result.delivered?.text == sync.text)
            #expect(result.events.count == sync.ordinal + 1, "it did nothing behind that")
            #expect(result.processes.first { $0.label == "worker repository" }?.end == .killed(signal: SIGKILL))
            #expect(result.cause == .finished, "\(sync.text): \(daemon.said)")
        }
    }

    @Test func anErrorIsSeenByTheWorkerAndTheBootStillReady() throws {
        let writes = onData.only("pwrite64")
        let result = try daemon.boot(writes, fault: SyscallFault(0, .error(EIO, .fromThenOn)))
        #expect(result.cause == .finished && result.deliveries > 0, "\(daemon.said)")
        #expect(folder.read("run/ready") != "migrated\n", "\(daemon.said)")
    }

    @Test func noWorkerOutlivesItsSupervisor() throws {
        // The supervisor's reads of what its worker tells: each is while the worker works.
        let reads = SyscallSelection(.supervisor, names: ["read"])
        for read in try daemon.boot(reads).events.filter({ $0.paths.first?.hasPrefix("pipe:") == true }).prefix(12) {
            let daemon = TracedDaemon(like: daemon)
            let result = try daemon.boot(reads, fault: SyscallFault(read.number, .kill))
            // How often it reads is a matter of time.
            if result.delivered == nil { continue }
            #expect(result.cause == .ended && result.end == .killed(signal: SIGKILL), "\(read.text)")
            #expect(result.orphans.isEmpty, "\(read.text): \(result.orphans.map { $0.label })")
        }
    }

    @Test func whatIsDoneBehindReadyIsWaitedForWhereThatIsAskedFor() throws {
        // A loss that was told is put on record by a worker of its own behind READY.
        func bootAfterLoss(
            _ names: Set<String>, _ finish: @escaping (String) -> TracerFinish
        ) throws -> TracerResult {
            let daemon = TracedDaemon(like: daemon)
            _ = try daemon.boot(SyscallSelection(.supervisor, names: []))
            try daemon.folder.write("data/app/app.db", String(repeating: "not a database ", count: 1000))
            return try daemon.boot(SyscallSelection(.supervisor, names: names), until: finish)
        }
        let ready = try bootAfterLoss(["rename", "poll"]) { .appears($0) }
        #expect(ready.cause == .finished && !ready.processes.contains { $0.label == "worker upkeep" })
        #expect(ready.events.last?.name == "rename")
        #expect(ready.events.last?.paths.last == folder.path + "/run/ready")
        let settled = try bootAfterLoss([]) { .settled($0) }
        #expect(settled.processes.last { $0.label == "worker upkeep" }?.end == .exited(0), "\(daemon.said)")
    }
}

/// A daemon on a folder of its own, with two migrations before it.
final class TracedDaemon: Sendable {
    /// build/x86_64, or wherever FIRSTLIGHT_BUILD says; nil where nobody has built it.
    static let path: String? = {
        let files = FileManager.default
        let build = ProcessInfo.processInfo.environment["FIRSTLIGHT_BUILD"] ?? files.currentDirectoryPath + "/build"
        let path = "\(build)/x86_64/firstlightd"
        return files.isExecutableFile(atPath: path) ? path : nil
    }()

    let folder: TracerFolder

    /// - Parameter other: one to begin as; its folder is emptied and used, so that paths are the same.
    init(like other: TracedDaemon? = nil) {
        folder = other?.folder ?? TracerFolder()
        for name in ["data", "run", "set", "log"] {
            try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        for name in ["data", "set"] { mkdir("\(folder.path)/\(name)", 0o755) }
        try! folder.write("set/1_a.sql", "CREATE TABLE a (x); INSERT INTO a VALUES (1), (2);")
        try! folder.write("set/2_b.sql", "CREATE TABLE b (y); INSERT INTO b SELECT x FROM a;")
        try! folder.write(
            "firstlight.conf",
            """
            [data]
            device = none
            mount = \(folder.path)/data
            [database app]
            path = \(folder.path)/data/app/app.db
            migrations = \(folder.path)/set
            [light]
            line = none
            [status]
            directory = \(folder.path)/run
            """)
    }

    var said: String { folder.read("log") }

    func boot(
        _ selection: SyscallSelection, fault: SyscallFault? = nil,
        until finish: (String) -> TracerFinish = { .settled($0) }
    ) throws -> TracerResult {
        // Power comes with an empty /run: else the daemon would go on from the boot before.
        try? FileManager.default.removeItem(atPath: folder.path + "/run")
        let tracer = Tracer(
            TracedDaemon.path!, ["--config", folder.path + "/firstlight.conf"],
            environment: ["FIRSTLIGHT_LOG_STDERR": "1"], output: folder.path + "/log")
        return try tracer.run(selection, fault: fault, until: finish(folder.path + "/run/ready"), limit: .seconds(30))
    }
}
#endif
