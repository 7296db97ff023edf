import AutoMigrator
import DataPartition
import Testing

@testable import BootSequence

@Suite struct BootHistoryTests {
    private func report(_ outcome: Outcome = .restored, reason: String? = "held: 7_x.sql:1: no such table: t; tried again 4 boots from now", lost: String? = nil) -> BootReport {
        var report = BootReport(sqlite: "3.46.1")
        report.state = .ready
        report.outcome = outcome
        report.sinceBootMilliseconds = 3_700
        report.data = DataReport(
            device: "/dev/mmcblk0p3", mount: "/data", filesystem: "ext4",
            actions: [
                DataAction(rung: .preen, result: "fixed", detail: "exit 1: 12/400 files"), DataAction(rung: .clean, result: "ok", detail: ""),
                DataAction(rung: .mount, result: "ok", detail: ""),
            ])
        var app = RepositoryReport(name: "app", path: "/data/app/app.db", outcome: outcome)
        app.reason = reason
        app.lost = lost
        (app.schema, app.wanted) = (6, 7)
        report.repositories = [app]
        report.warnings = ["app: 12 MiB are free"]
        return report
    }

    private func entry(_ report: BootReport) throws -> JSON { try #require(report.historyEntry(clock: 1_700_000_000)) }

    private func add(_ report: BootReport, to history: inout BootHistory) throws -> Bool { history.add(try entry(report)) }

    @Test func saysWhatAPersonWouldAskFor() throws {
        var history = BootHistory(text: "")
        #expect(try add(report(), to: &history))
        #expect(
            history.text == """
                {"number": 1, "version": "\(firstlightVersion)", "outcome": "restored", "since_boot_ms": 3700, "clock": 1700000000, "repositories": \
                [{"name": "app", "outcome": "restored", "schema": 6, "wanted": 7, "reason": "held: 7_x.sql:1: no such table: t; tried again 4 boots from now", \
                "lost": null}], "data": [{"rung": "preen", "result": "fixed", "detail": "exit 1: 12/400 files"}], "warnings": ["app: 12 MiB are free"]}

                """)
    }

    @Test func nothingIsKeptOfABootWithNothingToTellOrWithoutAPlaceForIt() {
        #expect(report(.current).historyEntry(clock: 0) == nil)
        var early = report()
        early.state = .working
        #expect(early.historyEntry(clock: 0) == nil)
        var inRAM = report(.volatile)
        inRAM.data?.volatile = true
        #expect(inRAM.historyEntry(clock: 0) == nil)
        var broken = report(.volatile)
        broken.data?.problem = "/dev/mmcblk0p3 has become read-only"
        #expect(broken.historyEntry(clock: 0) == nil)
        var without = report(.failed)
        without.data = nil
        #expect(without.historyEntry(clock: 0) == nil)
    }

    @Test func aHundredBootsOfTheSameKindAreOne() throws {
        var history = BootHistory(text: "")
        #expect(try add(report(), to: &history))
        for boot in 0..<100 {
            // What differs though nothing has happened: times, boots until a held plan is tried, free room, what e2fsck -p counts.
            var again = report(reason: "held: 7_x.sql:1: no such table: t; tried again \(100 - boot) boots from now")
            again.sinceBootMilliseconds = 2_000 + Int64(boot)
            again.warnings = ["app: \(boot) MiB are free"]
            again.data?.actions[0] = DataAction(rung: .preen, result: "fixed", detail: "exit 1: \(boot)/400 files")
            let isNew = history.add(try #require(again.historyEntry(clock: Int64(boot))))
            #expect(!isNew)
        }
        #expect(history.entries.count == 1)
    }

    @Test func whatIsDifferentIsAnotherOne() throws {
        var changes: [BootReport] = [report(.rebuilt), report(reason: "no such table: other"), report(lost: "12 rows of readings"), report(lost: "13 rows of readings")]
        var schema = report()
        schema.repositories[0].schema = 5
        var wiped = report()
        wiped.data?.actions.append(DataAction(rung: .wipe, result: "ok", detail: "button"))
        var preened = report()
        preened.data?.actions.removeFirst()
        changes += [schema, wiped, preened]
        var history = BootHistory(text: "")
        #expect(try add(report(), to: &history))
        for change in changes {
            let entry = try entry(change)
            let isNew = history.add(entry)
            #expect(isNew, "\(entry.text)")
        }
        #expect(history.entries.compactMap { $0["number"]?.numberValue } == Array(1...8))
    }

    @Test func theOldestGo() throws {
        var history = BootHistory(text: "")
        for boot in 1...200 {
            history = BootHistory(text: history.text)
            #expect(try add(report(lost: "\(boot) rows"), to: &history))
        }
        #expect(history.entries.compactMap { $0["number"]?.numberValue } == Array(137...200))
        #expect(history.text.split(separator: "\n").count == BootHistory.mostEntries)
    }

    @Test func longOnesLeaveRoomForFewer() throws {
        var history = BootHistory(text: "")
        for boot in 1...64 {
            var long = report(reason: String(repeating: "\u{1}\"", count: 4000), lost: "\(boot) rows")
            long.repositories = (0..<40).map { _ in long.repositories[0] }
            long.warnings = (0..<40).map { _ in String(repeating: "w", count: 500) }
            long.data?.actions = (0..<40).map { _ in DataAction(rung: .repair, result: "failed", detail: String(repeating: "d", count: 500)) }
            let entry = try entry(long)
            #expect(entry.text.utf8.count <= BootHistory.longestEntry)
            #expect(entry["repositories"]?.elements.count == 12 && entry["warnings"]?.elements.count == 4)
            _ = history.add(entry)
        }
        #expect(history.text.utf8.count <= BootHistory.longest)
        #expect(history.entries.count > 12 && history.entries.last?["number"]?.numberValue == 64)
        #expect(BootHistory(text: history.text).text == history.text)
    }

    @Test(arguments: [
        "garbage\n{\"number\": 4, \"outcome\": \"rebuilt\"}\n{\"number\": 5, \"outco", "\u{0}\u{FFFD}\n{\"number\": 4, \"outcome\": \"rebuilt\"}",
        "{\"number\": -1, \"outcome\": \"x\"}\n{\"number\": 9223372036854775807, \"outcome\": \"x\"}\n[]\n{}\n{\"number\": 4, \"outcome\": \"rebuilt\"}\n7\n",
    ])
    func whatIsNoEntryIsLeftOut(text: String) throws {
        var history = BootHistory(text: text)
        #expect(history.entries.count == 1)
        #expect(try add(report(), to: &history))
        #expect(history.entries.last?["number"]?.numberValue == 5)
        #expect(history.text.split(separator: "\n").count == 2)
    }
}
