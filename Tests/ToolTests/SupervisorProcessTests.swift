import CLinux
import Foundation
import Testing

/// The daemon as a process: killed, doubled, flooded.
@Suite(.enabled(if: Tool.directory != nil, "no firmware in build/x86_64; scripts/build-firmware x86_64 makes it"))
struct SupervisorProcessTests {
    /// A daemon that runs until the test is over.
    private final class Daemon {
        let appliance: Appliance
        let process = Process()
        let log: String

        init(_ appliance: Appliance, life: Int) throws {
            self.appliance = appliance
            log = appliance.root + "/log-\(life)"
            try Data().write(to: URL(fileURLWithPath: log))
            process.executableURL = URL(fileURLWithPath: "\(Tool.directory!)/firstlightd")
            process.arguments = ["--config", appliance.configuration]
            process.environment = ProcessInfo.processInfo.environment.merging(["FIRSTLIGHT_LOG_STDERR": "1"]) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            try process.run()
        }

        deinit { kill() }

        func waitUntilReady() throws { _ = try Tool.ctl("wait", "--config", appliance.configuration, "--timeout", "30s") }

        func kill() {
            if process.isRunning { _ = CLinux.kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }

        func stop() {
            process.terminate()
            process.waitUntilExit()
        }

        var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

        func wait(for text: String) -> Bool { wait { said.contains(text) } }

        func wait(until holds: () throws -> Bool) rethrows -> Bool {
            let deadline = Date(timeIntervalSinceNow: 10)
            while Date() < deadline {
                if try holds() { return true }
                usleep(10_000)
            }
            return false
        }
    }

    /// Some seconds of work, in steps.
    private func slowSet(_ appliance: Appliance) throws {
        let set = appliance.root + "/set"
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        for step in 1...3 {
            try "CREATE TABLE t\(step) AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT sum(i) AS s FROM n;"
                .write(toFile: "\(set)/\(step)_think.sql", atomically: true, encoding: .utf8)
        }
        try appliance.add("[database app]\nmigrations = \(set)\n")
    }

    @Test func oneThatIsKilledBehindReadyGoesOnAndMigratesNothing() throws {
        let appliance = try Appliance()
        try appliance.add("[hooks]\non-ready = echo ran >> \(appliance.root)/hooks\n")
        let first = try Daemon(appliance, life: 1)
        try first.waitUntilReady()
        #expect(first.wait(for: "[hooks] on-ready: done"))
        first.kill()
        // The next image's step, which is the next boot's.
        try FileManager.default.createDirectory(atPath: appliance.root + "/none", withIntermediateDirectories: true)
        try appliance.add("[database app]\nmigrations = \(appliance.root)/none\n")
        let second = try Daemon(appliance, life: 2)
        try second.waitUntilReady()
        #expect(second.said.contains("started again") && second.said.contains("ready: migrated"), "\(second.said)")
        let status = try appliance.statusFields()
        #expect(status["outcome"] as? String == "migrated")
        #expect((status["warnings"] as? [String] ?? []).contains("firstlightd was lost behind READY and started again; it goes on from there"))
        second.stop()
        // Asked to end it was not lost, and a power-on has nothing to go on from.
        let third = try Daemon(appliance, life: 3)
        try third.waitUntilReady()
        #expect(!third.said.contains("lost behind READY"), "\(third.said)")
        #expect(try String(contentsOfFile: appliance.root + "/hooks", encoding: .utf8) == "ran\n")
        third.stop()
        try FileManager.default.removeItem(atPath: appliance.root + "/run")
        let fourth = try Daemon(appliance, life: 4)
        try fourth.waitUntilReady()
        #expect(fourth.said.contains("ready: skipped"), "\(fourth.said)")
    }

    @Test func aHookThatIsLostWithTheDaemonRunsAgain() throws {
        let appliance = try Appliance()
        try appliance.add("[hooks]\non-ready = echo ran >> \(appliance.root)/hooks; sleep 1000\n")
        let first = try Daemon(appliance, life: 1)
        try first.waitUntilReady()
        #expect(first.wait(for: "[hooks] on-ready: echo"))
        // Its processes are in a group of their own.
        let hook = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.first {
                (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8))?.contains("\(appliance.root)/hooks; sleep") == true
            })
        first.kill()
        _ = kill(-hook, SIGKILL)
        try appliance.add("[hooks]\non-ready = echo ran >> \(appliance.root)/hooks\n")
        let second = try Daemon(appliance, life: 2)
        try second.waitUntilReady()
        #expect(second.wait(for: "[hooks] on-ready: done"))
        #expect(try String(contentsOfFile: appliance.root + "/hooks", encoding: .utf8) == "ran\nran\n")
    }

    @Test func oneThatIsKilledAmidMigrationsBeginsThemOnce() throws {
        let appliance = try Appliance()
        try slowSet(appliance)
        let first = try Daemon(appliance, life: 1)
        #expect(first.wait(for: "step 2 of 3"))
        first.kill()
        let second = try Daemon(appliance, life: 2)
        try second.waitUntilReady()
        #expect(second.said.contains("lost before READY") && second.said.contains("ready: migrated"), "\(second.said)")
        // What was not committed was undone.
        #expect(second.said.contains("step 1 of 3"), "\(second.said)")
    }

    @Test func aSecondOneDoesNothing() throws {
        let appliance = try Appliance()
        let first = try Daemon(appliance, life: 1)
        try first.waitUntilReady()
        let second = try Daemon(appliance, life: 2)
        second.process.waitUntilExit()
        #expect(second.process.terminationStatus == 1)
        #expect(second.said.contains("another firstlightd works with \(appliance.root)/run already"), "\(second.said)")
        #expect(FileManager.default.fileExists(atPath: appliance.root + "/run/ready"))
        #expect(try Tool.ctl("identify", "--config", appliance.configuration).code == 0)
    }

    @Test(arguments: [("exit 3", "[hooks] on-ready: exit 3"), ("kill -9 $$", "[hooks] on-ready: signal 9"), ("/no/such/thing", "[hooks] on-ready: exit 127")])
    func howAHookEndedIsTold(command: String, told: String) throws {
        let appliance = try Appliance()
        try appliance.add("[hooks]\non-ready = \(command)\n")
        let daemon = try Daemon(appliance, life: 1)
        try daemon.waitUntilReady()
        #expect(daemon.wait(for: told), "\(daemon.said)")
        // status.json is written behind the log.
        #expect(try daemon.wait { (try appliance.statusFields()["warnings"] as? [String] ?? []).contains(told) })
    }

    @Test func aResetThatIsRefusedSaysWhyAndRebootsNothing() throws {
        let appliance = try Appliance()
        try appliance.add("[button]\nreboot-command = touch \(appliance.root)/rebooted\n")
        let daemon = try Daemon(appliance, life: 1)
        try daemon.waitUntilReady()
        let result = try Tool.ctl("factory-reset", "--config", appliance.configuration)
        #expect(result.code == 1 && result.errors.contains("factory reset: device = none, so it may not be formatted"), "\(result.errors)")
        usleep(300_000)
        #expect(!FileManager.default.fileExists(atPath: appliance.root + "/rebooted"))
    }

    /// On record it is done by the next boot, whatever becomes of the reboot.
    @Test(.enabled(if: getuid() == 0, "the record's file is root's")) func aResetIsPutOnRecordAndThenTheBoardReboots() throws {
        let appliance = try Appliance()
        try appliance.add("[button]\nreset = database\nreboot-command = echo once >> \(appliance.root)/rebooted; exit 3\n")
        let daemon = try Daemon(appliance, life: 1)
        try daemon.waitUntilReady()
        let result = try Tool.ctl("factory-reset", "--config", appliance.configuration, "--reason", "sold on")
        #expect(result.code == 0 && result.output.contains("rebooting now"), "\(result.errors)")
        #expect(daemon.wait(for: "[button] reboot-command: exit 3"), "\(daemon.said)")
        #expect(try String(contentsOfFile: appliance.root + "/rebooted", encoding: .utf8) == "once\n")
        daemon.stop()
        try FileManager.default.removeItem(atPath: appliance.root + "/run")
        let next = try Daemon(appliance, life: 2)
        try next.waitUntilReady()
        #expect(next.said.contains("asked for by: sold on") && next.said.contains("ready: migrated"), "\(next.said)")
    }

    /// Garbage, messages of all lengths, silence, and as many connections as will go, from a boot's beginning to its end.
    @Test func aFloodedControlSocketDisturbsNoBoot() throws {
        let appliance = try Appliance()
        try slowSet(appliance)
        let daemon = try Daemon(appliance, life: 1)
        #expect(daemon.wait(for: "step 1 of 3"))
        let path = appliance.root + "/run/control"
        let isOver = Flag()
        let flooders = (0..<4).map { seed in
            Thread {
                var generator = SystemRandomNumberGenerator()
                var silent: [Int32] = []
                while !isOver.value {
                    let raw = linux_control_connect(path, 1)
                    if raw < 0 { continue }
                    let text = String(repeating: "identify\tx", count: Int(generator.next() % 2_000))
                    switch (generator.next() + UInt64(seed)) % 4 {
                    case 0: _ = linux_send_message(raw, text, text.utf8.count)
                    case 1: _ = linux_send_message(raw, "status", 6)
                    case 2: _ = linux_send_message(raw, "snapshot\tapp", 12)
                    default: break
                    }
                    silent.append(raw)
                    if silent.count > 100 { _ = close(silent.removeFirst()) }
                }
                for raw in silent { _ = close(raw) }
            }
        }
        for flooder in flooders { flooder.start() }
        defer { isOver.set() }
        try daemon.waitUntilReady()
        #expect(daemon.said.contains("ready: migrated"), "\(daemon.said)")
        let pid = daemon.process.processIdentifier
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        #expect(open < 24, "\(open) descriptors are open")
        isOver.set()
        // Twenty a second: what waits in the queue has its turn first.
        var answered = false
        for _ in 0..<10 where !answered { answered = try Tool.ctl("identify", "--config", appliance.configuration).code == 0 }
        #expect(answered)
    }

    private final class Flag: @unchecked Sendable {
        private let lock = NSLock()
        private var isSet = false
        var value: Bool { lock.withLock { isSet } }
        func set() { lock.withLock { isSet = true } }
    }
}
