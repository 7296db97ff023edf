#if Lab
import Foundation
import Testing
import VirtualBoard

/// S15firstlight under BusyBox, as a person at the console has it.
@Suite(.serialized) struct InitScriptTests {
    private let scratch: Scratch
    private let images: BoardImages
    private let board: VirtualBoard

    init() throws {
        let build = ProcessInfo.processInfo.environment["FIRSTLIGHT_BUILD"] ?? "build"
        scratch = try Scratch()
        images = try BoardImages(URL(fileURLWithPath: build).appendingPathComponent("board"))
        board = VirtualBoard(in: scratch)
    }

    private func script(_ word: String) throws -> (output: String, code: Int32) {
        try board.console.run("/etc/init.d/S15firstlight \(word)", seconds: 60)
    }

    private func daemon() throws -> String { try board.console.run("cat /run/firstlightd.pid").output.trimmingCharacters(in: .newlines) }

    /// Boots a blank disk; the shell comes behind the init scripts.
    private func boot(_ firmware: Firmware) throws {
        try board.powerOn(firmware, disk: try DataDisk(blank: images, in: scratch))
        try board.console.waitForShell(seconds: 90)
    }

    @Test func saysWhetherItRunsAndHowTheBootWent() throws {
        try boot(try Firmware(images))
        defer { board.cutPower() }
        // The shell comes when `start` has returned.
        #expect(try board.console.run("cat /run/firstlight/ready").output == "migrated\n")
        let running = try script("status")
        #expect(running.code == 0)
        #expect(running.output.hasPrefix("firstlightd is running\n") && running.output.contains("outcome      migrated"), "\(running)")

        #expect(try script("stop") == ("Stopping firstlightd: OK\n", 0))
        let stopped = try script("status")
        #expect(stopped.code == 3)
        #expect(stopped.output.hasPrefix("firstlightd is not running\n"), "\(stopped)")
        #expect(try script("stop").code != 0)

        #expect(try script("start") == ("Starting firstlightd: OK\n", 0))
        let first = try daemon()
        #expect(try script("start").code == 1)
        #expect(try daemon() == first)
        #expect(try script("restart").code == 0)
        #expect(try daemon() != first)
        #expect(try script("frobnicate").code == 1)
        // The partition was looked at once, and the database migrated once, in all of that.
        let mounts = board.console.transcript.components(separatedBy: "firstlightd: data: mount: ok").count - 1
        #expect(mounts == 1, "\(board.console.transcript)")
        #expect(try board.console.run("cat /run/firstlight/ready").output == "migrated\n")

        try board.console.run("kill -9 \(try daemon())")
        let dead = try script("status")
        #expect(dead.code == 1)
        #expect(dead.output.hasPrefix("firstlightd is dead\n"), "\(dead)")
        #expect(try script("start").code == 0)
        #expect(try script("status").code == 0)
        #expect(try board.console.run("cat /run/firstlight/ready").output == "migrated\n")
    }

    /// SIGTERM is never taken by a process that is stopped.
    @Test func stopsADaemonThatDoesNotListen() throws {
        try boot(try Firmware(images))
        defer { board.cutPower() }
        try board.console.run("kill -STOP \(try daemon())")
        let stopped = try script("stop")
        #expect(stopped == ("Stopping firstlightd: OK\n", 0))
        #expect(try script("status").code == 3)
    }

    @Test func startsADaemonThatDiesThreeTimesMoreAndThenLetsTheBootGoOn() throws {
        // The real one is not started: what kills it kills it each time.
        let dies = """
            #!/bin/sh
            case $0 in *ctl) sleep 1; exit 1;; esac
            echo died >> /run/deaths
            exit 1

            """
        try boot(try Firmware(images).adding("/usr/sbin/firstlightd", dies, mode: 0o755))
        defer { board.cutPower() }
        #expect(board.console.transcript.contains("Starting firstlightd: FAIL"))
        #expect(try board.console.run("cat /run/deaths").output == String(repeating: "died\n", count: 4))
    }
}
#endif
