import AutoMigrator
import BootSequence
import DataPartition
import FrontPanel
import Testing

@Suite struct BootMachineTests {
    static func machine() -> BootMachine {
        BootMachine(databases: [("app", "/data/app/app.db"), ("log", "/data/log/log.db")])
    }

    /// What the actions are, as short words.
    static func words(_ actions: [BootMachine.Action]) -> [String] {
        actions.map {
            switch $0 {
            case .start(.wipe): "wipe"
            case .start(.data): "data"
            case .start(.volatile): "volatile"
            case .start(.acknowledgeRepair): "acknowledge repair"
            case .start(.repository(let index, let shutdown, let afterLoss)):
                "repository \(index)\(shutdown == .clean ? "" : " \(shutdown)")\(afterLoss == nil ? "" : " after loss")"
                    + (afterLoss?.distrusted == true ? ", distrusted" : "")
            case .start(.upkeep(let index, let kind)): "upkeep \(index)\(kind == .told ? "" : " \(kind)")"
            case .killWorker: "kill"
            case .ready(let outcome): "ready \(outcome.text)"
            case .degraded: "degraded"
            case .failed: "failed"
            case .start(.requestReset(let reason)): "request reset: \(reason)"
            case .start(.snapshot(let index)): "snapshot \(index)"
            case .start(.history(let entry)): "history \(entry)"
            case .done(let order, let title, let trouble): "done \(order)\(title.map { ", \($0)" } ?? "")\(trouble.map { ": \($0)" } ?? "")"
            }
        }
    }

    static func report(_ name: String, _ outcome: Outcome) -> BootMachine.Event {
        .report(RepositoryReport(name: name, path: "/data/\(name)/\(name).db", outcome: outcome))
    }

    static let mounted = BootMachine.Event.mounted(DataReport(device: "/dev/vda1", mount: "/data", filesystem: "ext4"))

    @Test func anOrdinaryBoot() {
        var machine = Self.machine()
        #expect(Self.words(machine.handle(.started(buttonDown: false))) == ["data"])
        #expect(Self.words(machine.handle(Self.mounted)) == ["repository 0"])
        #expect(Self.words(machine.handle(Self.report("app", .current))) == ["repository 1"])
        #expect(Self.words(machine.handle(Self.report("log", .migrated))) == ["ready migrated"])
        #expect(machine.pattern(phase: .working) == .solid)
        #expect(Self.words(machine.handle(.limit)).isEmpty)
    }

    @Test func aPartitionThatFailsBehindReadyIsToldOnce() {
        var machine = Self.machine()
        for event in [.started(buttonDown: false), Self.mounted, Self.report("app", .current), Self.report("log", .migrated)] as [BootMachine.Event] {
            #expect(Self.words(machine.handle(.degraded(reason: "too early"))).isEmpty)
            _ = machine.handle(event)
        }
        #expect(Self.words(machine.handle(.degraded(reason: "1 error"))) == ["degraded"])
        #expect(machine.outcome == .volatile && machine.pattern(phase: .working) == .blinks(4))
        #expect(machine.data?.problem == "1 error" && machine.warnings.contains { $0.contains("1 error") })
        #expect(Self.words(machine.handle(.degraded(reason: "2 errors"))).isEmpty)
        // Nothing could be written.
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))).isEmpty)
    }

    @Test func aRepairIsPutOnRecordAsToldBehindReady() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        var report = DataReport(device: "/dev/vda1", mount: "/data", filesystem: "ext4", unclean: true)
        report.repaired = true
        #expect(Self.words(machine.handle(.mounted(report))) == ["repository 0 repaired"])
        _ = machine.handle(Self.report("app", .rebuilt))
        _ = machine.handle(Self.report("log", .current))
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == ["acknowledge repair"])
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))).isEmpty)
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))).isEmpty)
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0 snapshot"])
    }

    @Test func aRepairIsNotToldWhereADatabaseFailed() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        var report = DataReport(device: "/dev/vda1", mount: "/data", filesystem: "ext4", unclean: true)
        report.repaired = true
        for event in [.mounted(report), Self.report("app", .failed), Self.report("log", .current)] as [BootMachine.Event] { _ = machine.handle(event) }
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == ["upkeep 0 unfinished"])
    }

    @Test func aPartitionThatFailsMakesAFailureNoBetter() {
        var machine = Self.machine()
        for event in [.started(buttonDown: false), Self.mounted, Self.report("app", .failed), Self.report("log", .current)] as [BootMachine.Event] {
            _ = machine.handle(event)
        }
        _ = machine.handle(.degraded(reason: "1 error"))
        #expect(machine.outcome == .failed)
    }

    @Test func theButtonDownOpensAWindowAndTheResetWipes() {
        var machine = Self.machine()
        #expect(machine.handle(.started(buttonDown: true)).isEmpty)
        #expect(machine.isInWindow)
        #expect(Self.words(machine.handle(.reset)) == ["wipe"])
        #expect(machine.pattern(phase: .working) == .wiping)
        #expect(Self.words(machine.handle(.wiped)) == ["data"])
    }

    @Test func aWindowThatClosesGoesOn() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: true))
        #expect(Self.words(machine.handle(.windowClosed)) == ["data"])
    }

    @Test func aWipeThatFailsIsToldAndTheBootGoesOn() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: true))
        _ = machine.handle(.reset)
        #expect(Self.words(machine.handle(.lost(reason: "signal 9", crash: false))) == ["wipe"])
        #expect(Self.words(machine.handle(.lost(reason: "signal 11", crash: true))) == ["failed", "data"])
        #expect(machine.warnings == ["factory reset: signal 9; once more", "factory reset: signal 11"])
    }

    /// The LED must not say that it is done.
    @Test(arguments: ["late", "stuck"])
    func aWipeThatHangsIsTold(how: String) {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: true))
        _ = machine.handle(.reset)
        let words = Self.words(machine.handle(how == "late" ? .late : .stuck(reason: "x")))
        #expect(words == (how == "late" ? ["kill"] : []) + ["failed", "volatile"])
        #expect(machine.warnings.contains { $0.contains("factory reset") })
    }

    /// With `preserve`, or of the databases: it is done behind the mount, and the mount succeeds.
    @Test(arguments: ["failed", "refused", "ok"])
    func aResetByFilesThatFailsIsTold(result: String) {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        let report = DataReport(
            device: "/dev/vda1", mount: "/data", filesystem: "ext4", actions: [DataAction(rung: .wipe, result: result, detail: "button: unlink x: EPERM")])
        #expect(Self.words(machine.handle(.mounted(report))) == (result == "ok" ? [] : ["failed"]) + ["repository 0"])
        #expect(machine.warnings == (result == "ok" ? [] : ["factory reset: button: unlink x: EPERM"]))
    }

    @Test(arguments: ["unusable", "lost twice", "stuck", "late"])
    func withoutAPartitionTheBootGoesToRAM(how: String) {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        switch how {
        case "unusable": #expect(Self.words(machine.handle(.unusable(reason: "no such device", actions: []))) == ["volatile"])
        case "stuck": #expect(Self.words(machine.handle(.stuck(reason: "x"))) == ["volatile"])
        case "late": #expect(Self.words(machine.handle(.late)) == ["kill", "volatile"])
        default:
            // A worker that was killed says nothing about the partition.
            #expect(Self.words(machine.handle(.lost(reason: "signal 9", crash: false))) == ["data"])
            #expect(Self.words(machine.handle(.lost(reason: "signal 9", crash: false))) == ["volatile"])
        }
        _ = machine.handle(.mounted(DataReport(device: nil, mount: "/data", filesystem: "tmpfs", volatile: true)))
        _ = machine.handle(Self.report("app", .migrated))
        #expect(Self.words(machine.handle(Self.report("log", .failed))) == ["ready failed"])
        #expect(machine.repositories.map { $0.outcome } == [.volatile, .failed])
    }

    @Test func notEvenRAMFailsEveryRepositoryAndIsReady() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(.unusable(reason: "x", actions: []))
        #expect(Self.words(machine.handle(.lost(reason: "y", crash: false))) == ["ready failed"])
        #expect(machine.repositories.count == 2)
    }

    @Test func aLostWorkerIsStartedOnceMoreWithoutMigrating() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        #expect(Self.words(machine.handle(.lost(reason: "signal 11", crash: true))) == ["repository 0 after loss"])
        // Killed, which says nothing about the database.
        #expect(Self.words(machine.handle(.lost(reason: "no movement", crash: false))) == ["repository 1"])
        #expect(machine.repositories.first?.outcome == .failed)
        // The next repository has its own two tries.
        #expect(Self.words(machine.handle(.lost(reason: "signal 11", crash: true))) == ["repository 1 after loss"])
    }

    @Test func aDatabaseThatCrashesWhoLooksAtItIsNotOpenedAgain() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        #expect(Self.words(machine.handle(.lost(reason: "no movement", crash: false))) == ["repository 0 after loss"])
        #expect(Self.words(machine.handle(.lost(reason: "signal 11", crash: true))) == ["repository 0 after loss, distrusted"])
        #expect(Self.words(machine.handle(.lost(reason: "signal 11", crash: true))) == ["repository 1"])
        #expect(machine.repositories.first?.outcome == .failed)
    }

    @Test func behindReadyWhatWasToldIsPutOnRecordAndSnapshotsAreTaken() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        _ = machine.handle(Self.report("app", .current))
        var restored = RepositoryReport(name: "log", path: "/data/log/log.db", outcome: .restored)
        restored.untold = true
        #expect(Self.words(machine.handle(.report(restored))) == ["ready restored"])
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == ["upkeep 1"])
        // One at a time.
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))) == [])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))) == [])
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == [])
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0 snapshot"])
        #expect(Self.words(machine.handle(.kept(snapshot: "000007", warning: nil))) == ["upkeep 1 snapshot"])
        #expect(Self.words(machine.handle(.lost(reason: "no movement", crash: false))) == [])
        #expect(machine.repositories.map { $0.snapshot } == ["000007", nil])
        #expect(machine.warnings == ["log: upkeep: no movement"])
        #expect(machine.outcome == .restored)
    }

    @Test func theLimitEndsTheBootWithWhatThereIs() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        _ = machine.handle(Self.report("app", .current))
        #expect(Self.words(machine.handle(.limit)) == ["kill", "ready failed"])
        #expect(machine.repositories.map { $0.outcome } == [.current, .failed])
        #expect(machine.repositories.last?.reason == "the boot reached its limit")
        // What its worker has left behind is handed over before anything else.
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == ["upkeep 1 unfinished"])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))).isEmpty)
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))).isEmpty)
    }

    /// One that failed may not have been able to rename a file, either; and until that is done, no snapshot speaks for what the application works with.
    @Test func whatIsUnfinishedIsHandedOverUntilThatSucceeds() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        _ = machine.handle(Self.report("app", .failed))
        #expect(Self.words(machine.handle(Self.report("log", .current))) == ["ready failed"])
        #expect(machine.isUnfinished)
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == ["upkeep 0 unfinished"])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: "rename: EIO"))).isEmpty)
        #expect(machine.isUnfinished)
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0 unfinished"])
        #expect(Self.words(machine.handle(.lost(reason: "no movement", crash: false))) == ["upkeep 1 snapshot"])
        _ = machine.handle(.kept(snapshot: nil, warning: nil))
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0 unfinished"])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))) == ["upkeep 0 snapshot"])
        #expect(!machine.isUnfinished)
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))) == ["upkeep 1 snapshot"])
    }

    /// Whatever else is due: who has heard of a loss need not hear of it at every boot, and who has not, must.
    @Test func aRecordGoesOnlyWhenItHasBeenTold() {
        var machine = BootMachine(databases: [("app", "/data/app/app.db")])
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        var report = RepositoryReport(name: "app", path: "/data/app/app.db", outcome: .failed)
        report.untold = true
        _ = machine.handle(.report(report))
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))) == ["upkeep 0 unfinished"])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))) == ["upkeep 0"])
        // Its worker was killed.
        _ = machine.handle(.lost(reason: "signal 9", crash: false))
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0"])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))) == ["upkeep 0 snapshot"])
        #expect(Self.words(machine.handle(.kept(snapshot: nil, warning: nil))).isEmpty)
        #expect(Self.words(machine.handle(.upkeepDue(snapshot: false))).isEmpty)
    }

    /// The second worker finds it mounted, and nothing unclean about it any more.
    @Test func aPartitionWhoseWorkerWasLostIsUnclean() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(.lost(reason: "signal 9", crash: false))
        #expect(Self.words(machine.handle(Self.mounted)) == ["repository 0 unclean"])
    }

    @Test func littleTimeLeftConcernsThePartitionAlone() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        _ = machine.handle(Self.mounted)
        #expect(machine.handle(.late).isEmpty)
    }

    @Test func anUncleanPartitionHasItsDatabasesChecked() {
        var machine = Self.machine()
        _ = machine.handle(.started(buttonDown: false))
        let report = DataReport(device: "/dev/vda1", mount: "/data", filesystem: "ext4", unclean: true)
        #expect(Self.words(machine.handle(.mounted(report))) == ["repository 0 unclean"])
    }

    @Test func everyOutcomeHasItsBlinkCode() {
        let codes: [(Outcome, LightPattern)] = [
            (.current, .solid), (.migrated, .solid), (.downgraded, .solid), (.ahead, .solid), (.skipped, .solid),
            (.restored, .blinks(2)), (.rebuilt, .blinks(3)), (.volatile, .blinks(4)), (.failed, .blinks(5)),
        ]
        for (outcome, pattern) in codes { #expect(BootMachine.pattern(outcome: outcome) == pattern) }
    }
}
