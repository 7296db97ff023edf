internal import AutoMigrator
internal import DataPartition
internal import Linux

/// The boots that were not `current`, the oldest first: what `.firstlight-boots` on the data partition holds, one JSON object a line.
///
/// Bounded by `mostEntries` and `longest`: the oldest go. Ordered by their numbers, since no board knows the date at boot (RULES.md F11).
public struct BootHistory: Sendable {
    public static let mostEntries = 64
    /// Of the file, in bytes.
    public static let longest = 65536
    /// Of one entry, in bytes: it travels on a worker's command line.
    public static let longestEntry = 4096

    public private(set) var entries: [JSON] = []

    /// Reads a file's text. A line that is no entry is left out: the file was damaged, or is not ours.
    public init(text: String) {
        for line in Text.lines(text) {
            guard line.utf8.count <= BootHistory.longestEntry, let entry = JSON(parsing: line), BootHistory.number(entry) > 0 else { continue }
            entries.append(entry)
        }
        trim()
    }

    /// Adds a boot, counted up from the last one.
    /// - Returns: false where the last boot was the same but for its times: nothing has changed then, and nothing is to be written.
    public mutating func add(_ entry: JSON) -> Bool {
        guard case .object(let members) = entry else { return false }
        if let last = entries.last {
            var (old, new): ([UInt8], [UInt8]) = ([], [])
            BootHistory.gist(last, "", &old)
            BootHistory.gist(entry, "", &new)
            if old == new { return false }
        }
        entries.append(.object([("number", .number((entries.last.map { BootHistory.number($0) } ?? 0) + 1))] + members))
        trim()
        return true
    }

    public var text: String {
        var text = ""
        for entry in entries { text += entry.text + "\n" }
        return text
    }

    private mutating func trim() {
        var bytes = 0
        var kept = 0
        for entry in entries.reversed() {
            bytes += entry.text.utf8.count + 1
            if kept == BootHistory.mostEntries || bytes > BootHistory.longest { break }
            kept += 1
        }
        entries.removeFirst(entries.count - kept)
    }

    /// 0 for what is no entry.
    private static func number(_ entry: JSON) -> Int64 {
        guard let number = entry["number"]?.numberValue, number < 1 << 53, entry["outcome"]?.stringValue != nil else { return 0 }
        return number
    }

    /// What makes one boot different from another. Not when it was; nor how far something counted down (boots until a held plan is tried again,
    /// bytes that are free, what e2fsck -p counts behind every power cut): a boot with nothing to do is to write nothing, not even at the hundredth time.
    private static func gist(_ value: JSON, _ key: String, _ out: inout [UInt8]) {
        // Between values, so that two of them are not one.
        out.append(0)
        switch value {
        case .object(let members):
            let isPreen = value["rung"]?.stringValue == Rung.preen.text
            for (key, value) in members where !times.contains(key) && !(isPreen && key == "detail") {
                out += Array(key.utf8)
                gist(value, key, &out)
            }
        case .array(let values):
            for value in values { gist(value, key, &out) }
        case .string(let text):
            let isCounting = key == "reason" || key == "warnings"
            for byte in text.utf8 where !isCounting || byte < 0x30 || byte > 0x39 { out.append(byte) }
        default: out += Array(value.text.utf8)
        }
    }

    private static let times = ["number", "since_boot_ms", "clock"]
}

extension BootReport {
    /// This boot's entry in the history, without its number; nil for one that is not to be in it: `current`, not over yet, or without a partition that
    /// could keep it.
    /// - Parameter clock: the wall clock in seconds since 1970, for a person to doubt.
    public func historyEntry(clock: Int64) -> JSON? {
        guard state == .ready, let outcome, outcome != .current, let data, !data.volatile, data.problem == nil else { return nil }
        // What is left of each text, until the whole is short enough.
        var longest = 200
        while true {
            let entry = historyEntry(outcome, data, clock, longest: longest)
            if longest == 0 || entry.text.utf8.count + 32 <= BootHistory.longestEntry { return entry }
            longest /= 2
        }
    }

    private func historyEntry(_ outcome: Outcome, _ data: DataReport, _ clock: Int64, longest: Int) -> JSON {
        func short(_ text: String?) -> JSON { .string(text.map { Text.short($0, longest: longest) }) }
        let actions = data.actions.filter { !(($0.rung == .clean || $0.rung == .mount) && $0.result == "ok") }
        return .object([
            ("version", .string(firstlightVersion)),
            ("outcome", .string(outcome.text)),
            ("since_boot_ms", .number(sinceBootMilliseconds)),
            ("clock", .number(clock)),
            (
                "repositories",
                .array(
                    repositories.prefix(12).map {
                        .object([
                            ("name", .string(Text.short($0.name, longest: 40))), ("outcome", .string($0.outcome.text)),
                            ("schema", .number($0.schema)), ("wanted", .number($0.wanted)), ("reason", short($0.reason)), ("lost", short($0.lost)),
                        ])
                    })
            ),
            (
                "data",
                .array(
                    actions.prefix(8).map {
                        .object([("rung", .string($0.rung.text)), ("result", .string($0.result)), ("detail", short($0.detail))])
                    })
            ),
            ("warnings", .array(warnings.prefix(4).map { short($0) })),
        ])
    }
}
