internal import AutoMigrator
internal import DataPartition
internal import FrontPanel
internal import Linux

/// Reads configuration files: sections and `key = value`, `#` begins a comment. A mistake never stops the boot: the key keeps its
/// default and the mistake is told with file, line and key.
public struct ConfigurationReader {
    public private(set) var configuration = Configuration()
    public private(set) var mistakes: [Configuration.Mistake] = []

    private var file = ""
    private var line: Int64 = 0
    private var section = ""
    /// Which of `configuration.databases` the section is.
    private var database: Int?
    /// As it was written: what is below the mount point can be told once that is known.
    private var preserve: (value: String, file: String, line: Int64)?

    public init() {}

    /// Reads `path`, then the `.conf` files of `path.d` in the order of their names. A file that cannot be read is a mistake; a
    /// missing `path.d` is none.
    public mutating func read(_ path: String) {
        readFile(path)
        do throws(LinuxError) {
            for name in try FileSystem.list(path + ".d") where Text.hasSuffix(name, ".conf") { readFile("\(path).d/\(name)") }
        } catch {
            file = path + ".d"
            (line, section) = (0, "")
            if !error.isMissing { mistake("\(error.text); what is in it is left out") }
        }
        finish()
    }

    /// What can be judged once everything has been read.
    public mutating func finish() {
        configuration.data.databases = configuration.databases.map { $0.repository.path }
        guard let preserve else { return }
        configuration.data.preserve = []
        let mount = configuration.data.mount
        for part in Text.split(preserve.value, 0x2C) {
            let path = Text.trim(part)
            if path.utf8.isEmpty { continue }
            let inside = Text.hasPrefix(path, "/") ? Text.dropPrefix(path, mount.utf8.last == 0x2F ? mount : mount + "/") : path
            let names = Text.split(inside ?? "", 0x2F).filter { !$0.utf8.isEmpty && $0 != "." }
            if !names.isEmpty && !names.contains("..") {
                configuration.data.preserve.append(names)
                continue
            }
            // Guessed wrong, a reset would take what was to be kept.
            configuration.data.resetMistake = "[data] preserve: \(path) is no path below \(mount)"
            let reason = "[data] preserve: \(path) is no path below \(mount); there will be no factory reset until it is one"
            mistakes.append(Configuration.Mistake(file: preserve.file, line: preserve.line, reason: reason))
        }
    }

    private mutating func readFile(_ path: String) {
        file = path
        line = 0
        section = ""
        do throws(LinuxError) {
            read(text: try FileSystem.readText(path, limit: 1 << 20), file: path)
        } catch {
            mistake("\(error.text); the defaults are used")
        }
    }

    /// Reads one file's text.
    public mutating func read(text: String, file: String) {
        self.file = file
        section = ""
        database = nil
        for (index, raw) in Text.lines(text).enumerated() {
            line = Int64(index + 1)
            let content = Text.trim(ConfigurationReader.withoutComment(raw))
            if content.utf8.isEmpty { continue }
            if Text.hasPrefix(content, "[") {
                open(section: content)
            } else if let (key, value) = Text.cut(content, at: 0x3D) {
                set(Text.trim(key), Text.trim(value))
            } else {
                mistake("\"\(content)\" is neither a [section] nor key = value; it is left out")
            }
        }
    }

    /// A `#` at the beginning or behind a blank begins a comment; one inside a value does not.
    private static func withoutComment(_ line: String) -> String {
        // Most lines of the file that is shipped are nothing but one.
        if line.utf8.first == 0x23 { return "" }
        var before: UInt8 = 0x20
        var kept: [UInt8] = []
        for byte in line.utf8 {
            if byte == 0x23 && Text.isBlank(before) { break }
            kept.append(byte)
            before = byte
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private mutating func mistake(_ reason: String, forbidsReset: Bool = false) {
        // What could not be read may have been what a factory reset is to leave alone.
        if forbidsReset || section == "data" || section == "" { configuration.data.resetMistake = reason }
        mistakes.append(Configuration.Mistake(file: file, line: line, reason: reason))
    }

    private mutating func open(section content: String) {
        database = nil
        guard Text.hasSuffix(content, "]") else {
            section = ""
            return mistake("\"\(content)\" has no closing bracket; the section is left out")
        }
        let words = Text.words(String(decoding: content.utf8.dropFirst().dropLast(), as: UTF8.self))
        section = words.first ?? ""
        switch (section, words.count) {
        case ("boot", 1), ("data", 1), ("light", 1), ("button", 1), ("status", 1), ("hooks", 1), ("watchdog", 1): return
        case ("database", 2):
            guard ConfigurationReader.isName(words[1]) else {
                mistake("[database \(words[1])]: the name may have letters, digits, _ and - only; the section is left out")
                break
            }
            // A file in firstlight.conf.d may add keys to a section that is there already.
            database = configuration.databases.firstIndex { $0.repository.name == words[1] }
            if database == nil {
                database = configuration.databases.count
                configuration.databases.append(
                    Configuration.Database(
                        repository: Repository(
                            name: words[1], path: "/data/\(words[1])/\(words[1]).db",
                            migrations: "/usr/share/firstlight/migrations/\(words[1])"), user: nil))
            }
            return
        default: mistake("\(content): unknown section; it is left out")
        }
        section = ""
    }

    private static func isName(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x41 && $0 <= 0x5A || $0 >= 0x61 && $0 <= 0x7A || $0 == 0x5F || $0 == 0x2D
        }
    }

    private mutating func set(_ key: String, _ value: String) {
        switch section {
        case "": mistake("\(key): outside a known section; it is left out")
        case "boot": setBoot(key, value)
        case "data": setData(key, value)
        case "database": setDatabase(key, value)
        case "light": setLight(key, value)
        case "button": setButton(key, value)
        case "status":
            switch key {
            case "directory": setValue(key, value, "an absolute path") { assign(ConfigurationReader.path(value), &$0.statusDirectory) }
            case "group": setValue(key, value, "a group of /etc/group") { assign(value.utf8.isEmpty ? nil : value, &$0.group) }
            default: unknown(key)
            }
        case "hooks":
            switch key {
            case "on-ready": configuration.onReady = value
            case "on-degraded": configuration.onDegraded = value
            default: unknown(key)
            }
        default:
            switch key {
            case "device":
                setValue(key, value, "an absolute path or none") {
                    if value != "none" && ConfigurationReader.path(value) == nil { return false }
                    $0.watchdog = value == "none" ? nil : value
                    return true
                }
            case "timeout":
                // Shorter than a busy moment it resets a board that is well.
                setValue(key, value, "a time from 5s to 10min, in whole seconds") {
                    assign(ConfigurationReader.duration(value).flatMap { (5_000...600_000).contains($0) && $0 % 1000 == 0 ? $0 / 1000 : nil }, &$0.watchdogTimeout)
                }
            default: unknown(key)
            }
        }
    }

    private mutating func setBoot(_ key: String, _ value: String) {
        switch key {
        case "limit": setValue(key, value, ConfigurationReader.stageTime) { assign(ConfigurationReader.stage(value), &$0.limit) }
        case "stall": setValue(key, value, ConfigurationReader.stageTime) { assign(ConfigurationReader.stage(value), &$0.stall) }
        default: unknown(key)
        }
    }

    private mutating func setData(_ key: String, _ value: String) {
        switch key {
        case "device": setValue(key, value, "PARTLABEL=, PARTUUID=, LABEL=, UUID=, a path or none") { assign(DeviceSpec(text: value), &$0.data.device) }
        case "mount": setValue(key, value, "an absolute path") { assign(ConfigurationReader.path(value), &$0.data.mount) }
        case "filesystem": setValue(key, value, "ext4 or f2fs") { assign(FilesystemKind(text: value), &$0.data.filesystem) }
        case "format": setValue(key, value, "if-unusable, if-blank, never or always") { assign(FormatPolicy(text: value), &$0.data.format) }
        case "wait": setValue(key, value, ConfigurationReader.time) { assign(ConfigurationReader.duration(value), &$0.data.wait) }
        case "grow": setValue(key, value, "filesystem, partition or no") { assign(GrowPolicy(text: value), &$0.data.grow) }
        case "preserve": preserve = (value, file, line)
        default: unknown(key)
        }
    }

    private mutating func setDatabase(_ key: String, _ value: String) {
        guard let database else { return }
        switch key {
        case "path": setValue(key, value, "an absolute path") { assign(ConfigurationReader.path(value), &$0.databases[database].repository.path) }
        case "migrations": setValue(key, value, "an absolute path") { assign(ConfigurationReader.path(value), &$0.databases[database].repository.migrations) }
        case "user":
            setValue(key, value, "a user of /etc/passwd") {
                if value.utf8.isEmpty { return false }
                $0.databases[database].user = value
                return true
            }
        case "run-migrations":
            setValue(key, value, "yes or no") { assign(ConfigurationReader.flag(value), &$0.databases[database].repository.runMigrations) }
        default:
            switch configuration.databases[database].repository.set(key, value) {
            case .set: break
            case .wrong(let expected): setValue(key, value, expected) { _ in false }
            case .unknown: unknown(key)
            }
        }
    }

    private mutating func setLight(_ key: String, _ value: String) {
        switch key {
        case "line": setValue(key, value, ConfigurationReader.lightLine) { assign(ConfigurationReader.light(value), &$0.lightLine) }
        case "error": setValue(key, value, ConfigurationReader.lightLine) { assign(ConfigurationReader.light(value), &$0.errorLine) }
        case "active": setValue(key, value, "high or low") { assign(ConfigurationReader.activeLow(value), &$0.lightActiveLow) }
        case "drive":
            setValue(key, value, "push-pull or open-drain") {
                assign(value == "open-drain" ? true : value == "push-pull" ? false : nil, &$0.lightOpenDrain)
            }
        default: unknown(key)
        }
    }

    private mutating func setButton(_ key: String, _ value: String) {
        switch key {
        case "line":
            setValue(
                key, value,
                "gpiochipN:M, a line name, \(LineSpec.keyNames) or none"
            ) {
                guard let line = LineSpec(text: value) else { return false }
                if case .led = line { return false }
                $0.buttonLine = line
                return true
            }
        case "active": setValue(key, value, "high or low") { assign(ConfigurationReader.activeLow(value), &$0.buttonActiveLow) }
        case "bias":
            setValue(key, value, "pull-up, pull-down, disabled or as-is") { assign(Bias(text: value), &$0.buttonBias) }
        case "hold":
            // From the time on that counts as stuck no reset would be possible, and below a second a press would be one.
            setValue(key, value, "a time from 1s to 29s") {
                assign(ConfigurationReader.duration(value).flatMap { (1000..<ResetButton.stuckTime).contains($0) ? $0 : nil }, &$0.hold)
            }
        case "press": setValue(key, value, "none, identify or reboot") { assign(Configuration.Press(text: value), &$0.press) }
        case "reset": setValue(key, value, "partition or database") { assign(ResetScope(text: value), &$0.data.reset) }
        case "reboot-command": setValue(key, value, "a command") { assign(value.utf8.isEmpty ? nil : value, &$0.rebootCommand) }
        default: unknown(key)
        }
    }

    // ---- Values ----

    /// Stores a value, unless `store` says that it is none.
    private mutating func setValue(
        _ key: String, _ value: String, _ expected: String, _ store: (inout Configuration) -> Bool
    ) {
        if !store(&configuration) {
            mistake("[\(section)] \(key) = \(value): it must be \(expected); the default is used", forbidsReset: section == "button" && key == "reset")
        }
    }

    private static let lightLine = "gpiochipN:M, a line name, led:NAME or none"

    private static func light(_ text: String) -> LineSpec? {
        guard let line = LineSpec(text: text) else { return nil }
        if case .key = line { return nil }
        return line
    }

    private static let time = "a time such as 500ms, 5s or 10min"

    private static let stageTime = "a time from 1s to 24h"

    /// No stage is done in less, and nobody waits longer.
    private static func stage(_ text: String) -> Int64? { duration(text).flatMap { (1_000...86_400_000).contains($0) ? $0 : nil } }

    private static func duration(_ text: String) -> Int64? {
        Text.milliseconds(text).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func path(_ text: String) -> String? {
        Text.hasPrefix(text, "/") && text.utf8.count > 1 ? text : nil
    }

    private mutating func unknown(_ key: String) { mistake("[\(section)] \(key): unknown key; it is left out") }

    static func flag(_ text: String) -> Bool? {
        switch text {
        case "yes", "true", "on", "1": true
        case "no", "false", "off", "0": false
        default: nil
        }
    }

    private static func activeLow(_ text: String) -> Bool? { text == "low" ? true : text == "high" ? false : nil }
}

/// Puts what was parsed in its place; false when there was nothing to put.
private func assign<T>(_ parsed: T?, _ place: inout T) -> Bool {
    guard let parsed else { return false }
    place = parsed
    return true
}
