import Foundation
import Testing

/// The daemon as systemd's `Type=notify` has it, at a socket that records what it says.
@Suite(.serialized, .enabled(if: Tool.directory != nil, "build/x86_64 is not there: scripts/build-firmware x86_64 makes it"))
struct NotifyTests {
    /// The daemon, under a supervisor that is told of by the environment.
    final class Daemon {
        let process = Process()
        let log: String

        init(_ appliance: Appliance, _ environment: [String: String]) throws {
            log = appliance.root + "/log"
            try Data().write(to: URL(fileURLWithPath: log))
            process.executableURL = URL(fileURLWithPath: "\(Tool.directory!)/firstlightd")
            process.arguments = ["--config", appliance.configuration]
            process.environment = ProcessInfo.processInfo.environment.merging(["FIRSTLIGHT_LOG_STDERR": "1"]) { $1 }.merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            try process.run()
        }

        deinit {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }

        /// Stops it as systemd does.
        func stop() {
            process.terminate()
            process.waitUntilExit()
        }

        var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
    }

    /// Three steps, the second of which takes a while.
    private func slowAppliance() throws -> Appliance {
        let appliance = try Appliance()
        let set = appliance.root + "/set"
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        let steps = [
            "1_first": "CREATE TABLE first (x);",
            "2_long": "CREATE TABLE long AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) SELECT max(i) FROM n;",
            "3_last": "CREATE TABLE last (x);",
        ]
        for (name, sql) in steps { try sql.write(toFile: "\(set)/\(name).sql", atomically: true, encoding: .utf8) }
        try appliance.add("[database app]\nmigrations = \(set)\n")
        return appliance
    }

    private func isReady(_ appliance: Appliance) -> Bool { FileManager.default.fileExists(atPath: appliance.root + "/run/ready") }

    @Test(arguments: [false, true])
    func saysHowFarItIsAndOnceThatItIsReadyAndThenThatItLives(abstract: Bool) throws {
        let appliance = try slowAppliance()
        let socket = try NotifySocket(abstract ? "@firstlight-\(UUID().uuidString)" : appliance.root + "/notify")
        let (ready, wasWritten) = (appliance.root + "/run/ready", Flag())
        socket.listen { if FileManager.default.fileExists(atPath: ready) { wasWritten.set() } }
        let daemon = try Daemon(appliance, ["NOTIFY_SOCKET": socket.address, "WATCHDOG_USEC": "400000"])
        try #require(socket.wait(seconds: 60) { !socket.times("READY=1").isEmpty }, "\(daemon.said)")
        Thread.sleep(forTimeInterval: 3)
        daemon.stop()
        #expect(socket.wait(seconds: 2) { !socket.times("STOPPING=1").isEmpty })

        let said = socket.datagrams.map(\.lines)
        #expect(socket.times("READY=1").count == 1, "\(said)")
        #expect(wasWritten.isSet, "READY before the status was written")
        let readyAt = try #require(socket.times("READY=1").first)

        // How far it is: the step's number, its name and a percentage.
        let status = socket.values("STATUS").filter { $0.time <= readyAt }.map(\.text)
        #expect(status.contains { $0.contains("step 2 of 3") && $0.contains("2_long") && $0.contains("%") }, "\(status)")
        #expect(socket.values("STATUS").last { $0.time <= readyAt + 1 }?.text.contains("migrated") == true, "\(status)")

        // No extension runs out before the next one, or READY, has come.
        let extensions = socket.values("EXTEND_TIMEOUT_USEC")
        try #require(!extensions.isEmpty)
        #expect(extensions.allSatisfy { $0.time <= readyAt }, "extended behind READY: \(said)")
        for (one, next) in zip(extensions, extensions.dropFirst().map(\.time) + [readyAt]) {
            let microseconds = try #require(Double(one.text))
            #expect(next - one.time < microseconds / 1e6, "an extension by \(one.text) µs ran out")
        }

        // systemd kills what is silent for WATCHDOG_USEC, and asks for a sign in half of it.
        let signs = socket.times("WATCHDOG=1").filter { $0 > readyAt && $0 < readyAt + 3 }
        #expect(signs.count >= 6, "\(signs.count) signs of life in 3 s")

        #expect(socket.times("STOPPING=1").count == 1)
        #expect(said.last?.contains("STOPPING=1") == true, "\(said)")
    }

    /// Set from the socket's thread, read behind it.
    final class Flag: @unchecked Sendable {
        private let lock = NSLock()
        private var value = false
        func set() { lock.withLock { value = true } }
        var isSet: Bool { lock.withLock { value } }
    }

    @Test(arguments: [[:], ["WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"]])
    func givesNoSignOfLifeThatNobodyAskedItFor(environment: [String: String]) throws {
        let appliance = try Appliance()
        let socket = try NotifySocket(appliance.root + "/notify")
        socket.listen()
        let daemon = try Daemon(appliance, environment.merging(["NOTIFY_SOCKET": socket.address]) { $1 })
        try #require(socket.wait(seconds: 30) { !socket.times("READY=1").isEmpty }, "\(daemon.said)")
        Thread.sleep(forTimeInterval: 1)
        daemon.stop()
        #expect(socket.times("WATCHDOG=1").isEmpty)
    }

    @Test(arguments: ["/nowhere/notify", "@nobody-listens", "relative", "/", ""])
    func aSocketThatIsNotThereCostsNothing(address: String) throws {
        let appliance = try Appliance()
        let daemon = try Daemon(appliance, ["NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"])
        let deadline = NotifySocket.now + 30
        while !isReady(appliance), NotifySocket.now < deadline { Thread.sleep(forTimeInterval: 0.02) }
        #expect(isReady(appliance), "\(daemon.said)")
        daemon.stop()
        #expect(daemon.process.terminationReason == .exit && daemon.process.terminationStatus == 0)
    }

    @Test func aSocketThatNobodyReadsHoldsNothingUpAndReadyComesWhenItIsRead() throws {
        let appliance = try Appliance()
        let socket = try NotifySocket(appliance.root + "/notify")
        try #require(socket.fill() > 0)
        let start = NotifySocket.now
        let daemon = try Daemon(appliance, ["NOTIFY_SOCKET": socket.address, "WATCHDOG_USEC": "1000000"])
        #expect(socket.wait(seconds: 30) { isReady(appliance) }, "\(daemon.said)")
        #expect(NotifySocket.now - start < 20)
        // It is still there for whoever asks, and its button and LED with it: the loop turns.
        #expect(try Tool.ctl("status", "--config", appliance.configuration).code == 0)
        socket.listen()
        #expect(socket.wait(seconds: 5) { !socket.times("READY=1").isEmpty }, "READY was lost: \(socket.datagrams.map(\.lines))")
        #expect(socket.wait(seconds: 5) { socket.times("WATCHDOG=1").count > 2 })
        let stopping = NotifySocket.now
        daemon.stop()
        #expect(NotifySocket.now - stopping < 5)
    }
}
