internal import BootSequence
internal import Linux

/// status.json as a page to be read out over the phone.
enum StatusPage {
    static func text(_ status: JSON) -> String {
        var page = "Firstlight \(word(status["version"])), SQLite \(word(status["sqlite"]))\n"
        let state = word(status["state"])
        let outcome = status["outcome"]?.stringValue.map { ": \($0)" } ?? ""
        page += "state     \(state)\(outcome), \(status["since_boot_ms"]?.numberValue ?? 0) ms after power-on\n"
        page += "light     \(word(status["light"]?["pattern"])) on \(word(status["light"]?["backend"]))\n"
        page += "button    \(word(status["button"]?["state"])) on \(word(status["button"]?["backend"]))\n"
        if let data = status["data"] {
            let place = data["volatile"]?.boolValue == true ? "RAM: nothing is kept" : word(data["device"])
            page += "data      \(word(data["mount"])) on \(place) (\(word(data["filesystem"])))\n"
            for action in data["actions"]?.elements ?? [] {
                page += "          \(word(action["rung"])): \(word(action["result"])): \(word(action["detail"]))\n"
            }
        }
        for repository in status["repositories"]?.elements ?? [] { page += StatusPage.repository(repository) }
        for warning in status["warnings"]?.elements ?? [] { page += "warning   \(warning.stringValue ?? "")\n" }
        return page
    }

    static func repository(_ report: JSON) -> String {
        var page = "database  \(word(report["name"])): \(word(report["outcome"])), \(word(report["path"]))\n"
        let schema = report["schema"]?.numberValue.map { "\($0)" } ?? "none"
        let wanted = report["wanted"]?.numberValue.map { "\($0)" } ?? "none"
        page += "          schema \(schema), wanted \(wanted), \(report["pending"]?.numberValue ?? 0) pending, "
        page += "\(report["duration_ms"]?.numberValue ?? 0) ms\n"
        for key in ["reason", "lost", "snapshot", "quarantine"] {
            if let text = report[key]?.stringValue { page += "          \(key): \(text)\n" }
        }
        return page
    }

    private static func word(_ value: JSON?) -> String { value?.stringValue ?? "none" }
}
