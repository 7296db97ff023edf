internal import AutoMigrator
internal import BootSequence
internal import DataPartition
internal import Linux

/// status.json as a page to be read out over the phone: one fact a line, what it is called in front, and no word that is in no sentence.
enum StatusPage {
    /// What status.json cannot say: it was written when something last happened, perhaps a year ago.
    struct Now {
        /// Since power-on, in milliseconds.
        var uptime: Int64?
        var flash: FlashWear?
    }

    static func text(_ status: JSON, _ now: Now = Now()) -> String {
        var page = line("firstlight", word(status["version"])) + line("sqlite", word(status["sqlite"]))
        page += line("state", state(word(status["state"])))
        page += line("outcome", status["outcome"]?.stringValue.map { outcome($0) } ?? "not known yet")
        page += panel(status)
        let told = status["since_boot_ms"]?.numberValue ?? 0
        // A file from another device is read by an engineer, too.
        if let uptime = now.uptime, uptime >= told { page += line("power-on", "\(duration(uptime)) ago") }
        page += line("written", "\(duration(told)) after power-on")
        if let data = status["data"] { page += partition(data, now) } else { page += line("data", "not there yet") }
        for repository in status["repositories"]?.elements ?? [] { page += "\n" + StatusPage.repository(repository) }
        return page + "\n" + warnings(status, now)
    }

    // ---- The device ----

    private static func state(_ state: String) -> String {
        switch state {
        case "starting": "starting: nothing has been looked at yet"
        case "working": "working: the data partition or a database is being looked at, repaired or migrated"
        case "ready": "ready: the boot is over"
        default: state
        }
    }

    /// README's table, in half a sentence.
    private static func outcome(_ outcome: String) -> String {
        let meaning =
            switch Outcome(text: outcome) {
            case .current: "the schema that the image wants; nothing had to be done"
            case .migrated: "the schema that the image wants, after new steps; nothing was lost"
            case .ahead: "a newer schema than the image's, used as it is; nothing was lost"
            case .downgraded: "the image is older, and the database was taken back to its schema; what the newer steps added is gone"
            case .skipped: "whatever is there: migrations are switched off, or there are none"
            case .restored: "a snapshot or a copy was put back, or the schema from before this image stays"
            case .rebuilt: "damaged or gone, and made anew with what could be read; the old files are in quarantine"
            case .volatile: "it works, but nothing is kept when the power goes"
            case .failed: "there is no database to work with"
            case nil: "unknown to this firstlightctl"
            }
        return "\(outcome): \(meaning)"
    }

    private static func panel(_ status: JSON) -> String {
        let led = word(status["light"]?["backend"])
        var page = line("led", light(word(status["light"]?["pattern"])) + (led == "none" ? " (were there one: none is configured)" : ""))
        if led != "none" { page += line("led line", led) }
        let button = word(status["button"]?["backend"])
        let position =
            switch word(status["button"]?["state"]) {
            case "down": "held down"
            case "stuck": "stuck: held down for too long, and ignored"
            case let other: other
            }
        page += line("button", button == "none" ? "none is configured" : position)
        return button == "none" ? page : page + line("button line", button)
    }

    private static func light(_ pattern: String) -> String {
        let meaning =
            switch pattern {
            case "solid": "lit without a break: ready, and nothing to tell"
            case "2 blinks": "two blinks and a pause, again and again: something was restored"
            case "3 blinks": "three blinks and a pause, again and again: a database was made anew"
            case "4 blinks": "four blinks and a pause, again and again: nothing is kept"
            case "5 blinks": "five blinks and a pause, again and again: there is no database to work with"
            case "starting": "flickers: starting"
            case "working": "blinks evenly: checking, mounting or migrating"
            case "recovering": "lit with short gaps: repairing or restoring"
            case "wiping": "two short beats and a pause: erasing"
            case "off": "dark"
            default: pattern
            }
        return meaning
    }

    // ---- The data partition ----

    private static func partition(_ data: JSON, _ now: Now) -> String {
        let isVolatile = data["volatile"]?.boolValue == true
        let problem = data["problem"]?.stringValue
        var page = "\n" + line("data", word(data["mount"]))
        page += line("device", isVolatile ? "none: it is in RAM" : data["device"]?.stringValue ?? "whatever is mounted there already")
        page += line("filesystem", data["filesystem"]?.stringValue ?? "not looked at")
        page += line("kept", isVolatile ? "no: all of it goes with the power" : problem == nil ? "yes" : "not any more: it takes no write")
        if let problem { page += line("why", problem) }
        let actions = data["actions"]?.elements ?? []
        page += line("repaired", repairs(actions))
        for action in actions { page += line("done", "\(word(action["rung"])): \(word(action["result"])): \(action["detail"]?.stringValue ?? "")") }
        let resets = data["resets"]?.numberValue ?? 0
        page += line("resets", resets == 0 ? "no factory reset so far" : "\(resets) factory \(resets == 1 ? "reset" : "resets") so far")
        let destroyed = data["history"]?.elements.compactMap { $0.stringValue } ?? []
        if destroyed.isEmpty { page += line("destroyed", "nothing on record") }
        for text in destroyed.reversed() { page += line("destroyed", text) }
        if let flash = now.flash { page += line("flash", flash.text) }
        return page
    }

    /// The most that was done.
    private static func repairs(_ actions: [JSON]) -> String {
        func did(_ rung: Rung) -> Bool { actions.contains { $0["rung"]?.stringValue == rung.text && $0["result"]?.stringValue != "refused" } }
        if did(.salvage) { return "yes: what could be read was carried over a format" }
        if did(.format) { return "it was formatted" }
        if did(.repair) || did(.backupSuperblock) { return "yes, by force: files may be missing" }
        if did(.preen) { return "checked, as after every power cut" }
        return "nothing had to be"
    }

    static func boots(_ history: BootHistory) -> String {
        guard let last = history.entries.last else { return line("boots", "none on record but current ones") }
        let number = last["number"]?.numberValue ?? 0
        var text = "\(number) on record that \(number == 1 ? "was" : "were") not current; the last: \(word(last["outcome"]))"
        if let clock = last["clock"]?.numberValue { text += ", \(Clock.text(clock)) by the board's clock" }
        for repository in last["repositories"]?.elements ?? [] where repository["outcome"]?.stringValue == last["outcome"]?.stringValue {
            if let why = repository["reason"]?.stringValue { return line("boots", text + ": \(word(repository["name"])): \(why)") }
        }
        return line("boots", text)
    }

    // ---- The databases ----

    static func repository(_ report: JSON) -> String {
        var page = line("database", word(report["name"])) + line("file", word(report["path"]))
        page += line("outcome", outcome(word(report["outcome"])))
        let reason = report["reason"]?.stringValue
        if let reason { page += line("reason", reason) }
        page += line("schema", report["schema"]?.numberValue.map { "\($0)" } ?? "none")
        page += line("wanted", report["wanted"]?.numberValue.map { "\($0)" } ?? "none")
        let pending = report["pending"]?.numberValue ?? 0
        page += line("pending", pending == 0 ? "no step" : "\(pending) \(pending == 1 ? "step" : "steps")")
        if let boots = report["held_for_boots"]?.numberValue {
            page += line("held", "the steps are tried again \(boots) \(boots == 1 ? "boot" : "boots") from now")
        } else if reason.map({ Text.contains($0, "held:") }) == true {
            page += line("held", "the steps rest until the image changes, or firstlightctl migrate tries them")
        }
        page += line("lost", report["lost"]?.stringValue ?? "nothing")
        page += line("snapshot", report["snapshot"]?.stringValue ?? "none in this boot")
        page += line("quarantine", report["quarantine"]?.stringValue ?? "nothing went there")
        return page + line("took", duration(report["duration_ms"]?.numberValue ?? 0))
    }

    // ---- Warnings ----

    private static func warnings(_ status: JSON, _ now: Now) -> String {
        var all = status["warnings"]?.elements.compactMap { $0.stringValue } ?? []
        for warning in now.flash?.warnings ?? [] where !all.contains(warning) { all.append(warning) }
        if let warning = status["sqlite"]?.stringValue.flatMap({ SQLiteBugs.warning($0) }) { all.append(warning) }
        if all.isEmpty { return line("warnings", "none") }
        var page = ""
        for (index, warning) in all.enumerated() { page += line("warning \(index + 1)", warning) }
        return page
    }

    // ---- Words ----

    /// A name from a database or a file could hold anything; it is to stay one line, and no order to a terminal.
    static func line(_ label: String, _ text: String) -> String {
        let bytes = text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        return label + String(repeating: " ", count: max(13 - label.utf8.count, 1)) + String(decoding: bytes, as: UTF8.self) + "\n"
    }

    private static func word(_ value: JSON?) -> String { value?.stringValue ?? "none" }

    /// `312 ms`, `3.7 s`, `4 min 10 s`, `3 h 4 min`, `2 d 3 h`
    static func duration(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<1: return "\(milliseconds) ms"
        case ..<10: return "\(seconds).\(milliseconds / 100 % 10) s"
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        case ..<86400: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: return "\(seconds / 86400) d \(seconds / 3600 % 24) h"
        }
    }
}
