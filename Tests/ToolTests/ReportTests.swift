import Foundation
import Testing

/// The report for support, from the firmware as built.
@Suite(.enabled(if: Tool.directory != nil, "build/x86_64 is not there: scripts/build-firmware x86_64 makes it"))
struct ReportTests {
    private func write(_ text: String, _ path: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }

    /// The sections by their names.
    private func sections(_ report: String) -> [String: String] {
        var sections: [String: String] = [:]
        for part in ("\n" + report).components(separatedBy: "\n==== ").dropFirst() {
            guard let end = part.range(of: " ====\n") else { continue }
            sections[String(part[..<end.lowerBound])] = String(part[end.upperBound...])
        }
        return sections
    }

    @Test func hasAllThatSupportAsksFor() throws {
        let appliance = try Appliance()
        try FileManager.default.createDirectory(atPath: appliance.configuration + ".d", withIntermediateDirectories: true)
        try write("[data]\nwait = 11s\n# \u{1B}[2J moves a cursor\n", appliance.configuration + ".d/10-more.conf")
        try write("# begins\n" + String(repeating: "# long\n", count: 60_000) + "# the end of it\n", appliance.configuration + ".d/20-long.conf")
        try write("no configuration", appliance.configuration + ".d/README")
        // The second is `current`, and adds nothing of its own to the history.
        for _ in 0..<2 { _ = try appliance.boot() }
        try write("what customers wrote\n", appliance.root + "/data/app/letters.txt")
        try write("{\"number\": 3, \"outcome\": \"restored\", \"warnings\": []}\n", appliance.root + "/data/.firstlight-boots")

        let result = try Tool.ctl("report", "--config", appliance.configuration)
        #expect(result.code == 0 && result.errors == "", "\(result.errors)")
        #expect(result.output.hasPrefix("Firstlight report, by firstlightctl "))
        #expect(result.output.hasSuffix("\n==== end ====\n"))
        #expect(result.output.utf8.count < 2 << 20)
        #expect(!result.output.contains("cannot print value") && !result.output.contains("\u{1B}"))
        let sections = sections(result.output)
        let page = try Tool.ctl("status", "--config", appliance.configuration).output
        // But for the history, and for how long ago the power came.
        func withoutTimes(_ page: String) -> String {
            page.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("boots ") && !$0.hasPrefix("power-on ") }.joined(separator: "\n")
        }
        #expect(page.contains("\nboots        3 on record that were not current; the last: restored\n"), "\(page)")
        #expect(withoutTimes(sections["status"] ?? "") == withoutTimes(page))
        #expect(sections[appliance.status] == (try String(contentsOfFile: appliance.status, encoding: .utf8)))
        #expect(sections[appliance.configuration]?.contains("[database app]") == true)
        #expect(sections[appliance.configuration + ".d/10-more.conf"] == "[data]\nwait = 11s\n# ?[2J moves a cursor\n")
        let long = try #require(sections[appliance.configuration + ".d/20-long.conf"])
        #expect(long.hasSuffix("# long\n# the end of it\n") && !long.contains("# begins") && long.utf8.count == 256 << 10)
        #expect(!sections.keys.contains { $0.contains("README") })
        #expect(sections["kernel"]?.hasPrefix("Linux version ") == true)
        #expect(sections["memory"]?.contains("MemAvailable:") == true)
        #expect(sections["mounts"]?.contains("/proc") == true && sections["partitions"]?.contains("#blocks") == true)
        #expect(sections["room on \(appliance.root)/data"]?.contains(" available, in blocks of ") == true)
        #expect(sections["history of boots that were not current"] == "{\"number\": 3, \"outcome\": \"restored\", \"warnings\": []}\n")
        let files = try #require(sections["files of database app: \(appliance.root)/data/app"])
        #expect(files.contains(" app.db\n") && files.contains(" letters.txt\n") && files.contains("/data/app/.firstlight/app/snapshots:\n"), "\(files)")
        #expect(!result.output.contains("what customers wrote"))
        for name in ["kernel log: firstlight, filesystems, flash, errors", "journal of firstlight.service", "kernel command line", "system", "flash"] {
            #expect(sections[name]?.isEmpty == false, "\(name)")
        }
    }

    /// A partition that hangs whoever touches it must not take the rest of the report with it.
    @Test func touchesThePartitionLast() throws {
        let appliance = try Appliance()
        _ = try appliance.boot()
        let trace = appliance.root + "/trace"
        _ = try Tool.run(
            "/usr/bin/env",
            ["strace", "-e", "trace=file", "-o", trace, "\(Tool.directory!)/firstlightctl", "report", "--config", appliance.configuration, "--output", "/dev/null"])
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let first = try #require(calls.firstIndex { $0.contains("\"\(appliance.root)/data") })
        let last = try #require(calls.firstIndex { $0.contains("\"/proc/partitions\"") })
        #expect(last < first, "\(calls[first])")
        #expect(!calls.contains { $0.contains("open") && $0.contains("app.db") })
    }

    @Test func needsNoDaemonAndNoConfiguration() throws {
        let appliance = try Appliance()
        let result = try Tool.ctl("report", "--config", appliance.root + "/nowhere.conf")
        #expect(result.code == 0)
        let sections = sections(result.output)
        #expect(sections[appliance.root + "/nowhere.conf"] == "not to be had: open \(appliance.root)/nowhere.conf: ENOENT\n")
        let fresh = try Tool.ctl("report", "--config", appliance.configuration)
        #expect(fresh.code == 0 && self.sections(fresh.output)["status"]?.contains("is firstlightd running?") == true)
        #expect(self.sections(fresh.output)["history of boots that were not current"]?.hasPrefix("none: there is no ") == true)
    }

    @Test func goesToAFileOfItsOwnersAndOverNoLink() throws {
        let appliance = try Appliance()
        let path = appliance.root + "/report.txt"
        let result = try Tool.ctl("report", "--config", appliance.configuration, "--output", path)
        #expect(result.code == 0 && result.output == "\(path)\n")
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("\n==== end ====\n"))
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try Tool.ctl("report", "--config", appliance.configuration, "--output", path, "--json").output == "{\"path\": \"\(path)\"}\n")

        let victim = appliance.root + "/victim"
        try write("precious", victim)
        try FileManager.default.createSymbolicLink(atPath: appliance.root + "/link", withDestinationPath: victim)
        let refused = try Tool.ctl("report", "--config", appliance.configuration, "--output", appliance.root + "/link")
        #expect(refused.code == 1 && refused.errors.contains("/link: ELOOP"), "\(refused)")
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
        let full = try Tool.ctl("report", "--config", appliance.configuration, "--output", "/dev/full")
        #expect(full.code == 1 && full.errors.contains("/dev/full: ENOSPC; the report is not whole"), "\(full)")
    }
}
