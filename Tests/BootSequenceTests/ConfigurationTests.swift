import BootSequence
import Testing

@Suite struct ConfigurationTests {
    private func read(_ text: String) -> ConfigurationReader {
        var reader = ConfigurationReader()
        reader.read(text: text, file: "f.conf")
        return reader
    }

    @Test func readsWhatTheDesignHas() {
        let reader = read(
            """
            [boot]
            limit = 5min   # a comment behind a value
            [data]
            device = PARTUUID=ABCD-01
            [database app]
            path = /data/x/x.db
            user = app
            on-failure = restore, keep
            verify = quick
            on-newer = keep
            adopt = golang-migrate
            strict-order = yes
            extensions = /usr/lib/a.so, /usr/lib/b.so
            [light]
            line = STATUS#LED
            active = low
            """)
        #expect(reader.mistakes.isEmpty)
        let configuration = reader.configuration
        #expect(configuration.limit == 300_000)
        #expect(configuration.databases.first?.repository.onFailure == [.restore, .keep])
        #expect(configuration.databases.first?.user == "app")
        #expect(configuration.databases.first?.repository.onNewer == .keep)
        #expect(configuration.databases.first?.repository.adopt == .golangMigrate)
        #expect(configuration.databases.first?.repository.strictOrder == true)
        #expect(configuration.databases.first?.repository.extensions == ["/usr/lib/a.so", "/usr/lib/b.so"])
        #expect(configuration.lightLine == .gpio("STATUS#LED"))
        #expect(configuration.lightActiveLow)
    }

    @Test(arguments: [
        ("[colour]\nx = 1", 1, "unknown section"), ("[boot]\nlimt = 1s", 2, "limt: unknown key"),
        ("[boot]\nlimit = soon", 2, "limit = soon"), ("[data]\nformat = often", 2, "format = often"),
        ("[database a/b]\npath = /x", 1, "letters, digits"), ("[boot\nlimit = 1s", 1, "no closing bracket"),
        ("limit = 1s", 1, "outside"), ("[boot]\nlimit", 2, "neither"), ("[button]\nline = led:x", 2, "line = led:x"), ("[button]\nline = key:ENTER", 2, "key:RESTART, key:WPS_BUTTON or none"),
        ("[light]\nline = key:RESTART", 2, "line = key:RESTART"), ("[button]\nhold = 30s", 2, "1s to 29s"),
        ("[database a]\nadopt = flyway", 2, "adopt = flyway"), ("[database a]\nextensions = a.so", 2, "absolute paths"),
        ("[watchdog]\ndevice = watchdog0", 2, "an absolute path or none"), ("[watchdog]\ntimeout = 1500ms", 2, "whole seconds"), ("[boot]\nlimit = 9223372036854775807ms", 2, "1s to 24h"), ("[boot]\nstall = 1ms", 2, "1s to 24h"), ("[database a]\nuser =", 2, "a user of /etc/passwd"),
        ("[button]\npress = once", 2, "none, identify or reboot"),
        ("[light]\nerror = key:RESTART", 2, "error = key:RESTART"), ("[data]\ngrow = much", 2, "filesystem, partition or no"),
        ("[button]\nreset = all", 2, "partition or database"),
    ])
    func aMistakeNamesFileLineAndKeyAndKeepsTheDefault(text: String, line: Int, words: String) {
        let reader = read(text)
        #expect(reader.mistakes.first?.text.hasPrefix("f.conf:\(line): ") == true, "\(reader.mistakes)")
        #expect(reader.mistakes.first?.text.contains(words) == true, "\(reader.mistakes)")
        #expect(reader.configuration.limit == 600_000)
    }

    @Test func readsWhatAResetKeepsWhereverTheMountPointIsSaid() {
        var reader = read("[data]\npreserve = identity, /var/keys/new/, ./a//b\nmount = /var")
        reader.finish()
        #expect(reader.mistakes.isEmpty)
        #expect(reader.configuration.data.preserve == [["identity"], ["keys", "new"], ["a", "b"]])
        #expect(reader.configuration.data.resetMistake == nil)
    }

    /// What cannot be understood may be what must not go.
    @Test(arguments: ["/etc/keys", "a/../../b", "/data", "/database/x", "/"])
    func aMistakeInPreserveForbidsAReset(path: String) {
        var reader = read("[data]\npreserve = identity, \(path)")
        reader.finish()
        #expect(reader.mistakes.first?.text.hasPrefix("f.conf:2: [data] preserve: \(path)") == true, "\(reader.mistakes)")
        #expect(reader.configuration.data.resetMistake != nil)
        #expect(reader.configuration.data.preserve == [["identity"]])
    }

    /// Nor may anything else of it be that could have been what a reset is to leave alone.
    @Test(arguments: ["[dta]\npreserve = identity", "[button]\nreset = databse", "[data]\nformat = nevr", "[data\npreserve = identity", "preserve = identity"])
    func aMistakeThatMayProtectSomethingForbidsAReset(text: String) { #expect(read(text).configuration.data.resetMistake != nil) }

    @Test func aMistakeElsewhereForbidsNoReset() {
        var reader = read("[data]\nmount = /data\n[light]\nline = key:x\n[boot]\nlimit = soon\n[button]\nhold = 1h")
        reader.finish()
        #expect(reader.mistakes.count == 3 && reader.configuration.data.resetMistake == nil)
    }

    @Test func theShippedConfigurationHasNoMistake() {
        var reader = ConfigurationReader()
        reader.read("rootfs-overlay/etc/firstlight.conf")
        #expect(reader.mistakes.map { $0.text } == [])
        #expect(reader.configuration.databases.map { $0.repository.name } == ["app"])
    }

    @Test(arguments: ["{\"a\": [1, -2, null, true], \"b\": \"x\\n\\u00e9\\\"\"}", "[]", "\"\\\\\""])
    func jsonSurvivesReadingAndWriting(text: String) {
        let once = JSON(parsing: text)?.text
        #expect(once != nil)
        #expect(once.flatMap { JSON(parsing: $0)?.text } == once)
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\"}", "nul", "1.5", "\"", "[1] x", String(repeating: "[", count: 100)])
    func malformedJSONIsRefused(text: String) { #expect(JSON(parsing: text) == nil) }
}
