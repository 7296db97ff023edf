#if Lab
import Foundation

/// Migrations that never end, crash, hang or eat memory: READY in bounded time, the schema from before, and a rest before the next try.
struct BadWorkers {
    let machine: Machine

    private struct Case: Sendable {
        let name: String
        let step: String
        /// What is done to the daemon or its worker of the repository while it boots, and how many of those there have been.
        var act: (@Sendable (_ daemon: pid_t, _ worker: pid_t, _ number: Int) -> Void)?
        /// The first boot ends without READY.
        var ends = false
        /// READY comes within so many seconds.
        var limit = 8.0
        /// Bytes of address space for each process.
        var memory: Int?
    }

    private static let endless = """
        CREATE TABLE b (x); DELETE FROM readings;
        INSERT INTO b SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n);
        """
    private static let cases = [
        Case(name: "a step that never ends", step: endless),
        Case(name: "a crash in a step", step: endless, act: { _, worker, number in if number == 1 { kill(worker, SIGSEGV) } }),
        Case(name: "a kill in a step", step: endless, act: { _, worker, number in if number == 1 { kill(worker, SIGKILL) } }),
        Case(name: "a hang in a step", step: endless, act: { _, worker, number in if number == 1 { kill(worker, SIGSTOP) } }),
        Case(
            name: "a supervisor killed during a step", step: endless, act: { daemon, _, number in if number == 1 { kill(daemon, SIGKILL) } },
            ends: true),
        Case(
            name: "a step that eats memory",
            step: """
                CREATE TABLE b (x);
                DELETE FROM readings;
                INSERT INTO b WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800)
                SELECT group_concat(hex(zeroblob(500000)), '') FROM n;
                """,
            memory: 200 << 20),
    ]

    func run(_ tally: inout Tally) throws {
        for (number, wanted) in Self.cases.enumerated() where tally.isMine(number, stride: 1) {
            try tally.note(wanted.name, try attempt(wanted))
        }
    }

    private func attempt(_ wanted: Case) throws -> String? {
        machine.contents = [UInt8](repeating: 0, count: Machine.size)
        machine.keys = []
        try Scenario.fielded(machine)
        machine.unmount()
        let before = try machine.mounted { try Application(path: machine.database).live() }
        try Scenario.install(machine, Scenario.one.merging(["2_bad.sql": wanted.step]) { $1 })
        try machine.install(limit: "5s", stall: "2s")
        var rested = false
        for number in 1...4 {
            let start = Date()
            let boot = try machine.boot(memory: wanted.memory, started: { daemon in
                guard let act = wanted.act, number == 1 || !wanted.ends else { return }
                watch(daemon, act)
            })
            defer { machine.unmount() }
            func wrong(_ text: String) -> String { "boot \(number): \(text): \(boot.text)\n\(boot.log)" }
            let seconds = Date().timeIntervalSince(start)
            if boot.orphans > 0 { return wrong("\(boot.orphans) workers go on without firstlightd") }
            if number == 1 && wanted.ends {
                guard boot.end == "firstlightd ended with signal 9" else { return wrong("it was not killed") }
                continue
            }
            guard boot.isReady, seconds < wanted.limit else { return wrong("no READY within \(wanted.limit) s, but after \(seconds)") }
            let contents = try Application(path: machine.database).live()
            guard boot.outcome == "restored", boot.schema == 1, contents == before else { return wrong("not the schema from before") }
            if boot.repository["held_for_boots"] is Int { rested = true }
        }
        // What SQLite itself refused has not been cut short.
        return rested || wanted.memory != nil ? nil : "it is tried again at every boot"
    }

    /// Acts on each repository worker once a step of its has begun, or, for one that only looks, at once.
    private func watch(_ daemon: Process, _ act: @escaping @Sendable (pid_t, pid_t, Int) -> Void) {
        let log = machine.folder + "/log"
        let ready = machine.run + "/ready"
        Thread.detachNewThread {
            var seen: [pid_t] = []
            let limit = Date().addingTimeInterval(8)
            while Date() < limit, access(ready, F_OK) != 0 {
                for worker in Process.children(of: daemon.id) where !seen.contains(worker) {
                    let line = (try? String(contentsOfFile: "/proc/\(worker)/cmdline", encoding: .utf8)) ?? ""
                    guard line.contains("repository") else { continue }
                    if seen.isEmpty, (try? String(contentsOfFile: log, encoding: .utf8))?.contains("step 1 of 1") != true { continue }
                    seen.append(worker)
                    act(daemon.id, worker, seen.count)
                }
                usleep(100)
            }
        }
    }
}
#endif
