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
    private(set) var after: Contents
    /// All that reached the disk during the boot and a row of the application's behind it, and where in it READY and the row's COMMIT were
    /// acknowledged.
    private(set) var log = BlockLog()
    private(set) var ready = 0
    private(set) var commit = 0
    /// With that row.
    private(set) var last: Contents
    /// Requests to the disk, for faults to be counted by.
    private(set) var requests: [FuseDisk.Operation: Int] = [:]

    /// Of the database that the boot replaces, which has to be in quarantine afterwards.
    let evidence: UInt64?

    /// Steps that are still pending at the end.
    private(set) var pending: Int

    static let row = "acknowledged"

    init(_ scenario: Scenario, on machine: Machine) throws {
        self.scenario = scenario
        machine.unmount()
        machine.contents = [UInt8](repeating: 0, count: Machine.size)
        machine.keys = []
        machine.sections = ""
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

        (after, last, pending) = (.none, .none, 0)
        let boot = try record(on: machine)
        guard boot.outcome == scenario.outcome, last != .none else {
            throw TortureError("\(scenario.name): \(boot.text) instead of \(scenario.outcome)\n\(boot.log)")
        }
        pending = boot.pending
    }

    /// Plays the scenario once more with a planted bug, which writes something else to the disk; what is right stays what it was.
    mutating func record(_ mutant: String, on machine: Machine) throws {
        let (after, last) = (after, last)
        machine.mutant = mutant
        _ = try record(on: machine)
        (self.after, self.last) = (after, last)
    }

    private mutating func record(on machine: Machine) throws -> Machine.Boot {
        let application = Application(path: machine.database)
        machine.contents = disk
        machine.disk.record(true)
        machine.disk.inject(nil)
        try scenario.order?(machine)
        ready = Int.max
        commit = Int.max
        let boot = try machine.boot(ready: {
            ready = machine.disk.position
            // What it told is put on record before it could go with the power.
            usleep(20_000)
        })
        requests = machine.disk.counts
        if let contents = try? application.live() {
            after = contents
            if (try? application.write(Self.row)) != nil { commit = machine.disk.position }
            last = (try? Contents(try Database(machine.database, .readWrite))) ?? .none
        }
        // Cuts behind it are what it is judged by: without more to write the log would end here.
        for number in 0..<3 {
            guard let file = try? FileDescriptor.open("\(machine.mount)/behind-\(number)", .create) else { break }
            try? file.write("behind")
            try? file.sync()
        }
        log = machine.disk.log
        machine.disk.record(false)
        machine.unmount()
        machine.contents = disk
        return boot
    }
}
#endif
