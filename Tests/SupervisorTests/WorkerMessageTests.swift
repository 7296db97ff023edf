import AutoMigrator
import BootSequence
import DataPartition
import Testing

@testable import Supervisor

@Suite struct WorkerMessageTests {
    private func again(_ message: WorkerMessage) -> WorkerMessage? {
        WorkerMessage(line: String(message.line.dropLast()))
    }

    @Test func aReportSurvivesThePipe() {
        var report = RepositoryReport(name: "app", path: "/data/a\tb.db", outcome: .restored)
        report.reason = "line one\nline two \"quoted\""
        report.schema = 20_260_413_084_500
        report.lost = "some"
        report.warnings = ["a\tb"]
        guard case .result(.report(let read))? = again(.result(.report(report))) else {
            Issue.record("not a report")
            return
        }
        #expect(read.path == report.path)
        #expect(read.outcome == .restored)
        #expect(read.reason == report.reason)
        #expect(read.schema == report.schema)
        #expect(read.warnings == report.warnings)
    }

    @Test func aMountSurvivesThePipe() {
        var report = DataReport(
            device: "/dev/vda1", mount: "/data", filesystem: "ext4", unclean: true, formatted: true,
            actions: [DataAction(rung: .backupSuperblock, result: "fixed", detail: "exit 1")], problem: nil)
        report.warnings = ["worn"]
        guard case .result(.mounted(let read))? = again(.result(.mounted(report))) else {
            Issue.record("not a mount")
            return
        }
        #expect(read == report)
    }

    @Test(arguments: [nil, 0, 42] as [Int64?])
    func progressSurvivesThePipe(percent: Int64?) {
        guard case .progress(.recovering, "restore a", let read)? = again(.progress(.recovering, "restore a", percent: percent)) else {
            Issue.record("no progress")
            return
        }
        #expect(read == percent)
    }

    @Test func aTabOrANewlineInALogLineDoesNotMakeTwo() {
        guard case .log(.warning, "a b c")? = again(.log(.warning, "a\tb\nc")) else {
            Issue.record("not one line")
            return
        }
    }

    @Test(arguments: ["", "progress", "progress\tsleeping\tx\t", "progress\tworking\tx", "child\tx", "log\t99\tx", "result\treport\t{}", "result\twhat\t{}", "\t\t"])
    func whatIsNotAMessageIsNone(line: String) { #expect(WorkerMessage(line: line) == nil) }
}
