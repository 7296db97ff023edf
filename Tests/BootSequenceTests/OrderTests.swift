import AutoMigrator
import DataPartition
import Testing

@testable import BootSequence

@Suite struct OrderTests {
    private func words(_ actions: [BootMachine.Action]) -> [String] { BootMachineTests.words(actions) }

    private static let reset = BootMachine.Order.factoryReset(reason: "button", reboot: true)

    /// Up to the state behind so many of these events.
    private static let toReady: [BootMachine.Event] = [
        .started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .current), BootMachineTests.report("log", .migrated),
    ]

    private func ready() -> BootMachine {
        var machine = BootMachineTests.machine()
        for event in Self.toReady { _ = machine.handle(event) }
        _ = machine.handle(.upkeepDue(snapshot: false))
        return machine
    }

    /// Whatever state it comes in, it interrupts nothing and is done behind READY.
    @Test(arguments: 0..<toReady.count)
    func anOrderWaitsForReady(events: Int) {
        var machine = BootMachineTests.machine()
        for event in Self.toReady.prefix(events) { _ = machine.handle(event) }
        #expect(machine.handle(.order(Self.reset)).isEmpty)
        for event in Self.toReady.dropFirst(events) {
            #expect(!words(machine.handle(event)).contains { $0.hasPrefix("request reset") })
        }
        #expect(words(machine.handle(.upkeepDue(snapshot: false))) == ["request reset: button"])
        #expect(words(machine.handle(.requested)) == ["done \(Self.reset)"])
    }

    @Test func anOrderGoesBeforeTheRestOfTheRound() {
        var machine = ready()
        #expect(words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0 snapshot"])
        #expect(machine.handle(.order(Self.reset)).isEmpty)
        #expect(words(machine.handle(.kept(snapshot: "1", warning: nil))) == ["request reset: button"])
        #expect(words(machine.handle(.requested)) == ["done \(Self.reset)", "upkeep 1 snapshot"])
        #expect(machine.handle(.kept(snapshot: nil, warning: nil)).isEmpty)
        #expect(words(machine.handle(.upkeepDue(snapshot: true))) == ["upkeep 0 snapshot"])
    }

    /// What hangs in the kernel hangs whoever comes next: the partition is given up, once.
    @Test func aDiskThatHangsBehindReadyIsToldAndAskedNothingMore() {
        var machine = ready()
        _ = machine.handle(.upkeepDue(snapshot: true))
        #expect(words(machine.handle(.stuck(reason: "no movement"))) == ["degraded"])
        #expect(machine.outcome == .volatile && machine.data?.problem?.contains("does not answer") == true)
        #expect(machine.handle(.upkeepDue(snapshot: true)).isEmpty)
    }

    @Test(arguments: ["unusable", "lost"])
    func anOrderThatFailsSaysWhy(how: String) {
        var machine = ready()
        #expect(words(machine.handle(.order(Self.reset))) == ["request reset: button"])
        let event: BootMachine.Event =
            switch how {
            case "unusable": .unusable(reason: "x", actions: [])
            default: .lost(reason: "x", crash: true)
            }
        #expect(words(machine.handle(event)) == ["done \(Self.reset): x"])
    }

    @Test func askedForTwiceItIsDoneOnce() {
        var machine = ready()
        #expect(words(machine.handle(.order(.snapshot(index: 1)))) == ["snapshot 1"])
        #expect(machine.handle(.order(.snapshot(index: 1))).isEmpty)
        #expect(machine.handle(.order(.snapshot(index: 0))).isEmpty)
        #expect(machine.handle(.order(.snapshot(index: 0))).isEmpty)
        #expect(words(machine.handle(.kept(snapshot: "7", warning: nil))) == ["done snapshot(index: 1), 7", "snapshot 0"])
        #expect(machine.repositories[1].snapshot == "7")
        #expect(words(machine.handle(.kept(snapshot: nil, warning: "full"))) == ["done snapshot(index: 0): full"])
    }

    @Test func aRebootWaitsForTheWorker() {
        var machine = ready()
        _ = machine.handle(.order(.snapshot(index: 0)))
        #expect(machine.handle(.order(.reboot)).isEmpty)
        #expect(words(machine.handle(.kept(snapshot: nil, warning: nil))) == ["done snapshot(index: 0)", "done reboot"])
    }

    @Test func aPartitionThatFailedTakesNoSnapshotButAReset() {
        var machine = ready()
        _ = machine.handle(.degraded(reason: "1 error"))
        #expect(words(machine.handle(.order(.snapshot(index: 0)))) == ["done snapshot(index: 0): the data partition has failed: 1 error"])
        #expect(words(machine.handle(.order(Self.reset))) == ["request reset: button"])
    }
}

/// A supervisor that was lost and started again.
@Suite struct MemoryTests {
    private func words(_ actions: [BootMachine.Action]) -> [String] { BootMachineTests.words(actions) }

    /// The next life, as the file brings it there.
    private func again(_ machine: BootMachine, stopped: Bool = false) throws -> BootMachine {
        var memory = machine.remember(boot: "b")
        memory.wasStopped = stopped
        let json = try #require(JSON(parsing: memory.json.text))
        memory = try #require(BootMemory(json: json))
        return BootMachine(databases: machine.databases, memory: memory)
    }

    private func machine(_ events: [BootMachine.Event]) -> BootMachine {
        var machine = BootMachineTests.machine()
        for event in events { _ = machine.handle(event) }
        return machine
    }

    @Test func behindReadyNothingIsDoneAgain() throws {
        var report = RepositoryReport(name: "log", path: "/data/log/log.db", outcome: .rebuilt)
        report.lost = "all"
        report.untold = true
        let first = machine([.started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .current), .report(report)])
        var next = try again(first)
        #expect(words(next.handle(.started(buttonDown: true))) == ["ready rebuilt"])
        #expect(next.data == first.data && next.repositories[1].lost == "all")
        #expect(next.warnings.contains { $0.contains("lost behind READY") })
        // What was not told yet is still to be.
        #expect(words(next.handle(.upkeepDue(snapshot: false))) == ["upkeep 1"])
    }

    @Test func aStopIsNoLoss() throws {
        let first = machine([.started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .current), BootMachineTests.report("log", .current)])
        var next = try again(first, stopped: true)
        #expect(words(next.handle(.started(buttonDown: false))) == ["ready current"])
        #expect(next.warnings.isEmpty)
    }

    @Test func beforeReadyItGoesOnWithTheNextRepository() throws {
        var report = DataReport(device: "/dev/vda1", mount: "/data", filesystem: "ext4", unclean: true)
        report.repaired = true
        var next = try again(machine([.started(buttonDown: false), .mounted(report), BootMachineTests.report("app", .migrated)]))
        #expect(words(next.handle(.started(buttonDown: false))) == ["repository 1 repaired"])
        #expect(words(next.handle(BootMachineTests.report("log", .current))) == ["ready migrated"])
    }

    /// Nobody knows what the worker had seen of the partition before it mounted it.
    @Test func withoutAPartitionItBeginsThereAndTakesItForUnclean() throws {
        var next = try again(machine([.started(buttonDown: false)]))
        #expect(words(next.handle(.started(buttonDown: false))) == ["data"])
        #expect(words(next.handle(BootMachineTests.mounted)) == ["repository 0 unclean"])
    }

    @Test func aWipeIsBegunAgain() throws {
        var next = try again(machine([.started(buttonDown: true), .reset]))
        #expect(words(next.handle(.started(buttonDown: false))) == ["wipe"])
        #expect(words(next.handle(.wiped)) == ["data"])
    }

    /// The appliance is at work: a finger on the button opens no window.
    @Test func aButtonThatIsDownOpensNoWindow() throws {
        var next = try again(machine([.started(buttonDown: true)]))
        #expect(words(next.handle(.started(buttonDown: true))) == ["data"])
        #expect(!next.isInWindow)
    }

    @Test func aFailedPartitionStaysOne() throws {
        var first = machine([.started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .current), BootMachineTests.report("log", .current)])
        _ = first.handle(.degraded(reason: "1 error"))
        var next = try again(first)
        #expect(words(next.handle(.started(buttonDown: false))) == ["ready volatile"])
        #expect(next.isDegraded)
    }

    @Test func whatFailedIsStillHandedOver() throws {
        var next = try again(machine([.started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .failed), BootMachineTests.report("log", .current)]))
        _ = next.handle(.started(buttonDown: false))
        #expect(words(next.handle(.upkeepDue(snapshot: false))) == ["upkeep 0 unfinished"])
    }

    /// A configuration that has changed while the appliance runs: what is new waits for the next boot, what is gone is left.
    @Test func onlyWhatIsStillConfiguredIsTakenUp() throws {
        let first = machine([.started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .current), BootMachineTests.report("log", .migrated)])
        let memory = first.remember(boot: "b")
        var next = BootMachine(databases: [("log", "/data/log/log.db"), ("app", "/data/other/app.db")], memory: memory)
        #expect(words(next.handle(.started(buttonDown: false))) == ["ready failed"])
        #expect(next.repositories.map { $0.outcome } == [.migrated, .failed])
        #expect(next.repositories[1].reason?.contains("the next boot brings it up") == true)
    }

    /// Lost again before it had begun: what the first life left still holds.
    @Test func aSecondLossLeavesWhatTheFirstOneLeft() throws {
        let first = machine([.started(buttonDown: false), BootMachineTests.mounted, BootMachineTests.report("app", .current), BootMachineTests.report("log", .current)])
        var third = try again(try again(first))
        #expect(words(third.handle(.started(buttonDown: false))) == ["ready current"])
        var wiping = try again(try again(machine([.started(buttonDown: true), .reset])))
        #expect(words(wiping.handle(.started(buttonDown: false))) == ["wipe"])
    }

    @Test func whatWasOrderedIsStillDone() throws {
        let reset = BootMachine.Order.factoryReset(reason: "button", reboot: true)
        var next = try again(machine([.started(buttonDown: false), BootMachineTests.mounted, .order(reset), .order(.snapshot(index: 0))]))
        #expect(next.isResetOrdered)
        _ = next.handle(.started(buttonDown: false))
        _ = next.handle(BootMachineTests.report("app", .current))
        _ = next.handle(BootMachineTests.report("log", .current))
        #expect(words(next.handle(.upkeepDue(snapshot: false))) == ["request reset: button"])
        // Lost while it is put on record.
        var third = try again(next)
        _ = third.handle(.started(buttonDown: false))
        #expect(words(third.handle(.upkeepDue(snapshot: false))) == ["request reset: button"])
        #expect(words(third.handle(.requested)) == ["done \(reset)"])
    }

    @Test func readyWithoutAPartitionChecksNoneBehindIt() throws {
        var next = try again(machine([.started(buttonDown: false), .limit]))
        #expect(words(next.handle(.started(buttonDown: false))) == ["ready failed"])
    }

    @Test(arguments: ["{}", "{\"boot\": \"b\"}", "{\"boot\": \"b\", \"state\": \"x\"}", "{\"boot\": \"b\", \"state\": \"ready\", \"repositories\": [{}]}",
        "{\"boot\": \"b\", \"state\": \"ready\", \"data\": {\"x\": 1}}"])
    func whatIsNotWholeIsNoMemory(text: String) throws { #expect(BootMemory(json: try #require(JSON(parsing: text))) == nil) }
}

@Suite struct ControlRequestTests {
    @Test(arguments: [
        .status, .identify, .light("100/100"), .snapshot("app"), .factoryReset(reason: "sold on", reboot: true), .factoryReset(reason: "", reboot: false),
    ] as [ControlRequest])
    func survivesTheSocket(request: ControlRequest) { #expect(ControlRequest(text: request.text) == request) }

    @Test(arguments: ["", "stat", "status\t", "light", "light\ta\tb", "snapshot", "factory-reset\tyes", "factory-reset\tmaybe\tx", "factory-reset\tyes\ta\nb", "\t", "status\n"])
    func whatIsNoRequestIsNone(text: String) { #expect(ControlRequest(text: text) == nil) }
}
