import AutoMigrator
import BootSequence
@testable import DataPartition
import Testing

@testable import Commands

@Suite struct StatusPageTests {
    private var report: BootReport {
        var report = BootReport(sqlite: "3.51.3")
        report.state = .ready
        report.outcome = .rebuilt
        report.sinceBootMilliseconds = 3_712
        (report.lightBackend, report.lightPattern) = ("gpiochip0:5", "3 blinks")
        (report.buttonBackend, report.buttonState) = ("gpiochip0:2", "up")
        var data = DataReport(
            device: "/dev/mmcblk0p3", mount: "/data", filesystem: "ext4",
            actions: [
                DataAction(rung: .repair, result: "fixed", detail: "exit 1: 12 files"), DataAction(rung: .mount, result: "ok", detail: "/dev/mmcblk0p3 on /data"),
            ])
        data.resets = 1
        data.history = ["4 reset: button", "9 format: nothing of it could be read"]
        report.data = data
        var app = RepositoryReport(name: "app", path: "/data/app/app.db", outcome: .rebuilt)
        app.reason = "table \u{1B}[31mreadings\nis damaged"
        (app.schema, app.wanted) = (20_261_123_104_500, 20_261_123_104_500)
        app.lost = "12 of 4000 rows of readings"
        app.quarantine = "/data/app/.firstlight/app/quarantine/000003"
        app.durationMilliseconds = 312
        var log = RepositoryReport(name: "log", path: "/data/log/log.db", outcome: .restored)
        log.reason = "held: 7_x.sql:1: no such table: t; tried again 4 boots from now"
        (log.schema, log.wanted, log.pending, log.heldForBoots) = (6, 7, 1, 4)
        log.durationMilliseconds = 61_000
        report.repositories = [app, log]
        report.warnings = ["app: rows were salvaged"]
        return report
    }

    private func page(_ report: BootReport, _ now: StatusPage.Now = StatusPage.Now()) -> String { StatusPage.text(report.json, now) }

    @Test func readsLikeAPageForThePhone() {
        var history = BootHistory(text: "")
        for outcome in ["migrated", "restored"] {
            _ = history.add(
                .object([
                    ("outcome", .string(outcome)), ("clock", .number(1795686607)),
                    ("repositories", .array([.object([("name", .string("app")), ("outcome", .string("restored")), ("reason", .string("a power cut"))])])),
                ]))
        }
        #expect(
            StatusPage.boots(history)
                == "boots        2 on record that were not current; the last: restored, 2026-11-26 09:50:07 by the board's clock: app: a power cut\n")
        let now = StatusPage.Now(uptime: 2 * 86_400_000 + 3 * 3_600_000, flash: FlashWear(disk: "mmcblk0", lifetime: [9, 1], preEOL: 1))
        #expect(
            page(report, now) == """
                firstlight   \(firstlightVersion)
                sqlite       3.51.3
                state        ready: the boot is over
                outcome      rebuilt: damaged or gone, and made anew with what could be read; the old files are in quarantine
                led          three blinks and a pause, again and again: a database was made anew
                led line     gpiochip0:5
                button       up
                button line  gpiochip0:2
                power-on     2 d 3 h ago
                written      3.7 s after power-on

                data         /data
                device       /dev/mmcblk0p3
                filesystem   ext4
                kept         yes
                repaired     yes, by force: files may be missing
                done         repair: fixed: exit 1: 12 files
                done         mount: ok: /dev/mmcblk0p3 on /data
                resets       1 factory reset so far
                destroyed    9 format: nothing of it could be read
                destroyed    4 reset: button
                flash        mmcblk0: lifetime used: area A 80 to 90 %, area B 0 to 10 %; spare blocks: normal

                database     app
                file         /data/app/app.db
                outcome      rebuilt: damaged or gone, and made anew with what could be read; the old files are in quarantine
                reason       table  [31mreadings is damaged
                schema       20261123104500
                wanted       20261123104500
                pending      no step
                lost         12 of 4000 rows of readings
                snapshot     none in this boot
                quarantine   /data/app/.firstlight/app/quarantine/000003
                took         312 ms

                database     log
                file         /data/log/log.db
                outcome      restored: a snapshot or a copy was put back, or the schema from before this image stays
                reason       held: 7_x.sql:1: no such table: t; tried again 4 boots from now
                schema       6
                wanted       7
                pending      1 step
                held         the steps are tried again 4 boots from now
                lost         nothing
                snapshot     none in this boot
                quarantine   nothing went there
                took         1 min 1 s

                warning 1    app: rows were salvaged
                warning 2    the flash is wearing out: area A of mmcblk0 has used 80 to 90 % of its lifetime; plan its replacement

                """)
    }

    /// What is on every page has a word for every value: no outcome and no pattern comes out as its code.
    @Test func everyOutcomeAndItsLEDHaveTheirWords() {
        for outcome in Outcome.all {
            var report = report
            report.outcome = outcome
            report.lightPattern = BootMachine.pattern(outcome: outcome).text
            let page = page(report)
            #expect(page.contains("\noutcome      \(outcome.text): ") && !page.contains("unknown to this"))
            #expect(!page.contains("\nled          \(report.lightPattern)"), "\(page)")
        }
        for pattern in ["starting", "working", "recovering", "wiping"] {
            var report = report
            report.lightPattern = pattern
            #expect(!page(report).contains("\nled          \(pattern)\n"))
        }
    }

    @Test func inRAMNothingIsSaidToBeKept() {
        var report = report
        report.data = DataReport(device: nil, mount: "/data", filesystem: "tmpfs", volatile: true, problem: "no such device after 10000 ms")
        let page = page(report)
        for line in ["device       none: it is in RAM", "kept         no: all of it goes with the power", "why          no such device after 10000 ms"] {
            #expect(page.contains("\n\(line)\n"), "\(page)")
        }
        report.data?.volatile = false
        #expect(self.page(report).contains("\nkept         not any more: it takes no write\n"))
    }

    @Test func aBootThatIsNotOverAndAFileThatSaysNothingHaveAPage() throws {
        let early = page(BootReport(sqlite: "3.51.3"))
        #expect(early.contains("\noutcome      not known yet\n") && early.contains("\ndata         not there yet\n") && early.hasSuffix("\nwarnings     none\n"))
        #expect(StatusPage.text(try #require(JSON(parsing: "{}"))).contains("firstlight   none"))
        var later = report
        later.sinceBootMilliseconds = 5_000
        #expect(!page(later, StatusPage.Now(uptime: 4_999)).contains("power-on     "))
    }

    @Test(arguments: [
        ("3.6.23", false), ("3.7.0", true), ("3.40.1", true), ("3.44.5", true), ("3.44.6", false), ("3.46.1", true), ("3.50.6", true), ("3.50.7", false),
        ("3.51.2", true), ("3.51.3", false), ("3.53.0", false), ("4.0.0", false), ("", false), ("3.x.y", false),
    ])
    func warnsOfASQLiteThatCanCorruptAWALDatabase(version: String, isWarned: Bool) {
        var report = report
        report.warnings = []
        report.sqlite = version
        #expect(page(report).contains("\nwarning 1    SQLite \(version) has the WAL-reset bug") == isWarned)
        #expect(page(report).hasSuffix("\nwarnings     none\n") == !isWarned)
    }

    @Test(arguments: [
        (0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (9_999, "9.9 s"), (10_000, "10 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h 0 min"),
        (90_000_000, "1 d 1 h"),
    ] as [(Int64, String)])
    func tellsTimesAsPeopleDo(milliseconds: Int64, text: String) { #expect(StatusPage.duration(milliseconds) == text) }
}
