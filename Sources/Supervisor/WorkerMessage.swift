internal import BootSequence
internal import DataPartition
internal import AutoMigrator
internal import Linux

/// A line from a worker to its supervisor, down the pipe on descriptor 3: fields between tabs, no tab or newline inside one.
///
///     progress  PHASE  STEP  PERCENT    a step begins; silence is what a stall is made of. No number where nobody knows it
///     child     PID                     a program was started whose movement counts as the worker's
///     log       PRIORITY  TEXT
///     result    KIND  JSON              the last line: wiped, mounted, unusable, report, requested or kept
enum WorkerMessage {
    case progress(Reporter.Phase, String, percent: Int64?)
    case child(Int32)
    case log(LogLevel, String)
    case result(BootMachine.Event)

    static let descriptor: Int32 = 3

    /// The line, newline included.
    var line: String {
        switch self {
        case .progress(let phase, let step, let percent): WorkerMessage.join("progress", phase.text, step, percent.map { "\($0)" } ?? "")
        case .child(let process): WorkerMessage.join("child", "\(process)")
        case .log(let level, let text): WorkerMessage.join("log", "\(level.rawValue)", text)
        case .result(let event): WorkerMessage.result(event)
        }
    }

    private static func result(_ event: BootMachine.Event) -> String {
        switch event {
        case .wiped:
            join("result", "wiped", "{}")
        case .mounted(let report):
            join("result", "mounted", report.workerJSON.text)
        case .unusable(let reason, let actions):
            join(
                "result", "unusable",
                DataReport(device: nil, mount: "", filesystem: nil, actions: actions, problem: reason).workerJSON.text)
        case .report(let report):
            join("result", "report", report.workerJSON.text)
        case .requested:
            join("result", "requested", "{}")
        case .kept(let snapshot, let warning):
            join("result", "kept", JSON.object([("snapshot", .string(snapshot)), ("warning", .string(warning))]).text)
        default:
            ""
        }
    }

    private static func join(_ fields: String...) -> String {
        fields.map { field in
            String(decoding: field.utf8.map { $0 == 0x09 || $0 == 0x0A ? 0x20 : $0 }, as: UTF8.self)
        }.joined(separator: "\t") + "\n"
    }

    /// Nil for a line that is none of these: a worker that went astray proves nothing.
    init?(line: String) {
        let fields = Text.split(line, 0x09)
        switch (fields[0], fields.count) {
        case ("progress", 4):
            guard let phase = Reporter.Phase(text: fields[1]) else { return nil }
            self = .progress(phase, fields[2], percent: Text.number(fields[3]))
        case ("child", 2):
            guard let process = Text.number(fields[1]) else { return nil }
            self = .child(Int32(clamping: process))
        case ("log", 3):
            guard let level = Text.number(fields[1]).flatMap({ LogLevel(rawValue: Int32(clamping: $0)) }) else { return nil }
            self = .log(level, fields[2])
        case ("result", 3):
            guard let json = JSON(parsing: fields[2]), let event = WorkerMessage.event(fields[1], json) else { return nil }
            self = .result(event)
        default:
            return nil
        }
    }

    private static func event(_ kind: String, _ json: JSON) -> BootMachine.Event? {
        switch kind {
        case "wiped":
            return .wiped
        case "mounted":
            return DataReport(workerJSON: json).map { .mounted($0) }
        case "unusable":
            return DataReport(workerJSON: json).map {
                .unusable(reason: $0.problem ?? "no reason given", actions: $0.actions)
            }
        case "report":
            return RepositoryReport(workerJSON: json).map { .report($0) }
        case "requested":
            return .requested
        case "kept":
            return .kept(snapshot: json["snapshot"]?.stringValue, warning: json["warning"]?.stringValue)
        default:
            return nil
        }
    }
}
