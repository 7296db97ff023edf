internal import Linux

/// How often a plan was tried, in the file `attempts`: two slots of 512 bytes, each with a checksum, overwritten in place in turn. Made with
/// the state directory, so that a full disk cannot keep it from being written, and a power cut leaves the other slot.
///
///     none ──begin──► running ──clear──► none              committed, or the machine was in trouble
///                        │ ──fail───► failed               an SQL error or a failed check: rests until the key changes
///                        │ cut short, found by the next boot
///                        ▼
///                     resting ──rested──► running          the n-th time for 2^(n-1) - 1 boots, at most 31
struct Attempts {
    enum Verdict: Equatable {
        case none, running, failed, resting

        var text: String {
            switch self {
            case .none: "none"
            case .running: "running"
            case .failed: "failed"
            case .resting: "resting"
            }
        }

        init?(text: String) {
            switch text {
            case "none": self = .none
            case "running": self = .running
            case "failed": self = .failed
            case "resting": self = .resting
            default: return nil
            }
        }
    }

    struct Record: Equatable {
        var sequence: Int64 = 0
        /// What the plan was made of; another key is another plan.
        var key: UInt64 = 0
        var verdict = Verdict.none
        /// How often it was cut short.
        var cuts: Int64 = 0
        /// Boots that it still rests.
        var rest: Int64 = 0
        /// How far the last attempt got.
        var stage = ""
        /// Why it failed.
        var reason = ""
    }

    enum Decision: Equatable {
        case attempt(Record)
        /// Not now; a record to be written where the count changes.
        case hold(reason: String, boots: Int64?, write: Record?)
    }

    static let slot = 512
    /// The longest rest: 32 boots later.
    private static let longest: Int64 = 31

    let path: String

    init(_ state: RepositoryState) { path = state.attemptsPath }

    // ---- Decided purely ----

    /// What to do with a plan of this key at a new boot, given what is recorded.
    static func decide(_ last: Record, key: UInt64) -> Decision {
        var record = last
        record.stage = ""
        record.verdict = .running
        guard last.key == key else {
            record.key = key
            record.cuts = 0
            record.rest = 0
            return .attempt(record)
        }
        switch last.verdict {
        case .none:
            record.cuts = 0
            return .attempt(record)
        case .failed:
            return .hold(reason: last.reason, boots: nil, write: nil)
        case .running:
            record.cuts = last.cuts + 1
            record.rest = record.cuts > 5 ? longest : (1 << (record.cuts - 1)) - 1
            record.reason = "cut short \(record.cuts) times, the last time at \(last.stage.utf8.isEmpty ? "its start" : last.stage)"
        case .resting:
            record.rest = last.rest - 1
        }
        if record.rest <= 0 { return .attempt(record) }
        record.verdict = .resting
        return .hold(reason: record.reason, boots: record.rest, write: record)
    }

    // ---- On the disk ----

    /// The newer of the two slots that hold; an empty record when neither does.
    func read() -> Record {
        var newest = Record()
        guard let bytes = try? FileSystem.read(path, limit: 2 * Attempts.slot) else { return newest }
        for start in [0, Attempts.slot] where bytes.count >= start + Attempts.slot {
            let text = bytes[start..<start + Attempts.slot].prefix { $0 != 0 }
            if let record = Record(text: String(decoding: text, as: UTF8.self)), record.sequence > newest.sequence {
                newest = record
            }
        }
        return newest
    }

    /// Overwrites the older slot. Durable when it returns, if asked; else it survives a crash of this process only.
    func write(_ record: Record, durable: Bool) throws(LinuxError) {
        var next = record
        next.sequence = read().sequence + 1
        var bytes = Array(next.text.utf8)
        bytes += [UInt8](repeating: 0, count: Attempts.slot - bytes.count)
        let file = try FileDescriptor.open(path, .readWrite)
        let offset = Int64(next.sequence % 2) * Int64(Attempts.slot)
        try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: offset)
        }
        if durable { try file.sync() }
    }

    /// Notes how far an attempt is. Not synced: after a crash it is exact, after a power cut at least the start is known.
    func note(stage: String) {
        var record = read()
        guard record.verdict == .running else { return }
        record.stage = stage
        try? write(record, durable: false)
    }

    /// The attempt failed in a way that would be the same next time.
    func fail(_ reason: String) throws(LinuxError) {
        var record = read()
        record.verdict = .failed
        record.reason = reason
        try write(record, durable: true)
    }

    /// The attempt is over, and nothing speaks against another one. Not synced: where it is lost, so is nothing; a plan that was
    /// carried out is not made again.
    func clear() {
        var record = read()
        if record.verdict == .none { return }
        record.verdict = .none
        record.cuts = 0
        try? write(record, durable: false)
    }
}

extension Attempts.Record {
    /// Lines for a person who looks at the slot, the last with the checksum of the others.
    var text: String {
        // What does not fit is cut off: a slot is one sector, so that it is written whole or not at all.
        let reason = String(decoding: self.reason.utf8.prefix(280).map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
        return CheckedText.text([
            ("sequence", "\(sequence)"), ("key", Text.hex(key)), ("verdict", verdict.text), ("cuts", "\(cuts)"),
            ("rest", "\(rest)"), ("stage", String(decoding: stage.utf8.prefix(60), as: UTF8.self)), ("reason", reason),
        ])
    }

    init?(text: String) {
        guard let fields = CheckedText.fields(text), let sequence = Text.number(fields["sequence"] ?? ""),
            let key = Text.hexValue(fields["key"] ?? ""), let verdict = Attempts.Verdict(text: fields["verdict"] ?? ""),
            let cuts = Text.number(fields["cuts"] ?? ""), let rest = Text.number(fields["rest"] ?? "")
        else { return nil }
        self.init(
            sequence: sequence, key: key, verdict: verdict, cuts: cuts, rest: rest, stage: fields["stage"] ?? "",
            reason: fields["reason"] ?? "")
    }
}
