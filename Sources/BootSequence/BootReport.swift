public import AutoMigrator
public import DataPartition

/// What status.json says, and env with it. The fields are a contract (`"format": 1`).
public struct BootReport: Sendable {
    public enum State: Sendable, Equatable {
        case starting, working, ready

        public var text: String {
            switch self {
            case .starting: "starting"
            case .working: "working"
            case .ready: "ready"
            }
        }
    }

    public var state = State.starting
    /// The worst of the repositories'; nil before READY.
    public var outcome: Outcome?
    /// From power-on to the writing of this report, in milliseconds.
    public var sinceBootMilliseconds: Int64 = 0
    public var sqlite: String
    public var data: DataReport?
    public var repositories: [RepositoryReport] = []
    public var lightBackend = "none"
    public var lightPattern = "off"
    public var buttonBackend = "none"
    public var buttonState = "none"
    public var warnings: [String] = []

    public init(sqlite: String) { self.sqlite = sqlite }

    public var json: JSON {
        .object([
            ("format", .number(1)),
            ("version", .string(firstlightVersion)),
            ("sqlite", .string(sqlite)),
            ("state", .string(state.text)),
            ("outcome", .string(outcome?.text)),
            ("since_boot_ms", .number(sinceBootMilliseconds)),
            ("data", data?.json ?? .null),
            ("repositories", .array(repositories.map { $0.json })),
            ("light", .object([("backend", .string(lightBackend)), ("pattern", .string(lightPattern))])),
            ("button", .object([("backend", .string(buttonBackend)), ("state", .string(buttonState))])),
            ("warnings", .array(warnings.map { .string($0) })),
        ])
    }

    /// Lines of `NAME=value` for `EnvironmentFile=` and for a shell's `.`.
    public var environment: String {
        var text = "FIRSTLIGHT_OUTCOME=\(outcome?.text ?? "")\n"
        for repository in repositories {
            let name = BootReport.variable(repository.name)
            text += "FIRSTLIGHT_\(name)_DB=\(repository.path)\n"
            text += "FIRSTLIGHT_\(name)_OUTCOME=\(repository.outcome.text)\n"
        }
        return text
    }

    /// Upper case, and `_` for what a shell's variable cannot have.
    private static func variable(_ name: String) -> String {
        String(
            decoding: name.utf8.map { byte -> UInt8 in
                switch byte {
                case 0x61...0x7A: byte - 0x20
                case 0x2D: 0x5F
                default: byte
                }
            }, as: UTF8.self)
    }
}

extension RepositoryReport {
    /// One element of status.json's `repositories`.
    public var json: JSON {
        .object([
            ("name", .string(name)),
            ("path", .string(path)),
            ("outcome", .string(outcome.text)),
            ("reason", .string(reason)),
            ("schema", .number(schema)),
            ("wanted", .number(wanted)),
            ("pending", .number(pending)),
            ("lost", .string(lost)),
            ("snapshot", .string(snapshot)),
            ("quarantine", .string(quarantine)),
            ("duration_ms", .number(durationMilliseconds)),
            ("held_for_boots", .number(heldForBoots)),
        ])
    }

    /// Reads what `json` wrote, from a worker's last line.
    public init?(json: JSON, warnings: [String] = []) {
        guard let name = json["name"]?.stringValue, let path = json["path"]?.stringValue,
            let outcome = json["outcome"]?.stringValue.flatMap({ Outcome(text: $0) })
        else { return nil }
        self.init(name: name, path: path, outcome: outcome)
        reason = json["reason"]?.stringValue
        schema = json["schema"]?.numberValue
        wanted = json["wanted"]?.numberValue
        pending = json["pending"]?.numberValue ?? 0
        lost = json["lost"]?.stringValue
        snapshot = json["snapshot"]?.stringValue
        quarantine = json["quarantine"]?.stringValue
        heldForBoots = json["held_for_boots"]?.numberValue
        durationMilliseconds = json["duration_ms"]?.numberValue ?? 0
        self.warnings = warnings
    }
}

extension DataReport {
    /// status.json's `data`.
    public var json: JSON {
        .object([
            ("device", .string(device)),
            ("mount", .string(mount)),
            ("filesystem", .string(filesystem)),
            ("volatile", .bool(volatile)),
            ("problem", .string(problem)),
            ("resets", .number(resets)),
            ("history", .array(history.map { .string($0) })),
            (
                "actions",
                .array(
                    actions.map {
                        .object([
                            ("rung", .string($0.rung.text)), ("result", .string($0.result)), ("detail", .string($0.detail)),
                        ])
                    })
            ),
        ])
    }

    /// A worker's last line: status.json's fields, and what only the supervisor needs.
    public var workerJSON: JSON {
        .object([
            ("data", json), ("unclean", .bool(unclean)), ("repaired", .bool(repaired)), ("formatted", .bool(formatted)), ("wiped", .bool(wiped)),
            ("warnings", .array(warnings.map { .string($0) })),
        ])
    }

    public init?(workerJSON json: JSON) {
        guard let data = json["data"], let mount = data["mount"]?.stringValue else { return nil }
        var actions: [DataAction] = []
        for action in data["actions"]?.elements ?? [] {
            guard let rung = action["rung"]?.stringValue.flatMap({ Rung(text: $0) }) else { continue }
            actions.append(
                DataAction(
                    rung: rung, result: action["result"]?.stringValue ?? "", detail: action["detail"]?.stringValue ?? ""))
        }
        self.init(
            device: data["device"]?.stringValue, mount: mount, filesystem: data["filesystem"]?.stringValue,
            volatile: data["volatile"]?.boolValue ?? false, unclean: json["unclean"]?.boolValue ?? false,
            formatted: json["formatted"]?.boolValue ?? false, wiped: json["wiped"]?.boolValue ?? false, actions: actions,
            problem: data["problem"]?.stringValue)
        repaired = json["repaired"]?.boolValue ?? false
        resets = data["resets"]?.numberValue ?? 0
        history = data["history"]?.elements.compactMap { $0.stringValue } ?? []
        warnings = json["warnings"]?.elements.compactMap { $0.stringValue } ?? []
    }
}
