#if Lab
import Foundation
import Linux
import SQLite

/// A scenario without a fault: what the disk is before and after, and what every fault's end is judged by.
struct Rehearsal {
    let scenario: Scenario
    /// The disk that every fault begins with.
    let disk: [UInt8]
    /// What the application has before; nil where it has nothing that it could read.
    let before: Contents?
    /// What it has when all went well.
    let after: Contents
    /// All that reached the disk during the boot and a row of the application's behind it, and where in it READY and the row's COMMIT were
    /// acknowledged.
    let log: BlockLog
    let ready: Int
    let commit: Int
    /// With that row.
    let last: Contents
    /// Requests to the disk, for faults to be counted by.
    let requests: [FuseDisk.Operation: Int]

    /// Of the database that the boot replaces, which has to be in quarantine afterwards.
    let evidence: UInt64?

    /// Steps that are still pending at the end.
    let pending: Int

    static let row = "acknowledged"

    init(_ scenario: Scenario, on machine: Machine) throws {
        self.scenario = scenario
        machine.unmount()
        machine.contents = [UInt8](repeating: 0, count: Machine.size)
        machine.keys = []
        try scenario.prepare(machine)
        machine.unmount()
        disk = machine.contents
        // Read off a copy: looking would recover it.
        before = try? machine.mounted {
            Scenario.shell("rm -rf \(machine.folder)/copy; cp -r \(machine.mount)/app \(machine.folder)/copy")
            return try Application(path: machine.folder + "/copy/app.db").live()
        }
        evidence =
            scenario.isReplaced
            ? try? machine.mounted { XXH64.digest(of: try FileSystem.read(machine.database, limit: 1 << 26)) } : nil
        machine.contents = disk

        let application = Application(path: machine.database)
        var (ready, commit) = (0, 0)
        var (after, last) = (Contents.none, Contents.none)
        machine.disk.record(true)
        machine.disk.inject(nil)
        try scenario.order?(machine)
        let boot = try machine.boot(ready: {
            ready = machine.disk.position
            // What it told is put on record before it could go with the power.
            usleep(20_000)
        })
        requests = machine.disk.counts
        pending = boot.pending
        guard boot.outcome == scenario.outcome else {
            throw TortureError("\(scenario.name): \(boot.text) instead of \(scenario.outcome)\n\(boot.log)")
        }
        after = try application.live() ?? .none
        try application.write(Self.row)
        commit = machine.disk.position
        last = try Contents(try Database(machine.database, .readWrite))
        log = machine.disk.log
        machine.disk.record(false)
        machine.unmount()
        machine.contents = disk
        (self.ready, self.commit, self.after, self.last) = (ready, commit, after, last)
    }
}
#endif
