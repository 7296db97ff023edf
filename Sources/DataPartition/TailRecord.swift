import Linux

/// What must outlive the filesystem: the record in the partition's last MiB, which mkfs, fsck, a full disk and a
/// damaged filesystem leave alone (RULES.md F13).
struct TailRecord: Equatable {
    /// An operation that destroys, announced before it begins and taken back when it has ended (RULES.md B6).
    struct Intent: Equatable {
        enum Operation: Equatable {
            case wipe, format, salvage

            var text: String {
                switch self {
                case .wipe: "wipe"
                case .format: "format"
                case .salvage: "salvage"
                }
            }
        }
        /// How far it had come. Every stage is done again from the beginning; the stage is for the report.
        enum Stage: Equatable {
            case erase, format

            var text: String {
                switch self {
                case .erase: "erase"
                case .format: "format"
                }
            }
        }
        let operation: Operation
        var stage: Stage
        /// For a person: `button`.
        let reason: String
    }

    /// Where what is carried over a format lies on the partition (`SalvageBundle`).
    struct Bundle: Equatable {
        /// In bytes.
        let offset: Int64
        let size: Int64
        /// XXH64.
        let checksum: UInt64
    }

    /// Counts the writes; of two valid slots the higher one holds.
    var sequence: Int64 = 0
    var intent: Intent?
    /// How far the partition has been erased by the intent, in bytes: a card that cannot discard is overwritten, which may take longer than one boot.
    var erased: Int64 = 0
    var bundle: Bundle?
    /// A factory reset that was asked for and has not begun, and by whom. What it erases the configuration says when it begins.
    var request: String?
    /// How often a reset by files could not be finished.
    var failures: Int64 = 0
    /// A repair by force, or a format, has begun of what was in use, and nobody was told yet: what is missing on it now is lost, not new.
    var repaired = false
    /// The filesystem has been made, and nobody was given it yet: nothing can be missing on it.
    var isUnused = false
    /// Factory resets of this partition, ever.
    var resets: Int64 = 0
    /// The last `firstlight.factory_reset=` of the kernel's command line that was acted on (RULES.md B12).
    var token: String?
    /// What was destroyed here and why, the newest last: `3 wipe: button`, the number being the record's.
    private(set) var history: [String] = []
    /// Lines of a newer image's making, handed on as they are: an A/B rollback must not lose them.
    var others: [String] = []

    /// Of a token, in bytes.
    static let longestToken = 64
    private static let longestHistory = 8

    /// As much of a token as is kept; nil for one that says nothing.
    static func token(_ text: String) -> String? {
        let bytes = text.utf8.prefix(longestToken).filter { $0 > 0x20 && $0 < 0x7F }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Notes what has just been done.
    mutating func remember(_ what: String, _ reason: String) {
        history.append("\(sequence + 1) \(what): \(TailRecord.line(reason))")
        if history.count > TailRecord.longestHistory { history.removeFirst(history.count - TailRecord.longestHistory) }
    }

    /// One line of at most 200 bytes: a newline would end it, and with it what stands behind.
    private static func line(_ text: String, limit: Int = 200) -> String {
        String(decoding: text.utf8.prefix(limit).map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
    }

    /// `key=value` lines, the ones that matter most first; those that go beyond `limit` bytes are left out.
    func text(limit: Int) -> String {
        var lines = ["resets=\(resets)"]
        if let intent {
            // In the head there is room for a short one.
            lines += ["intent=\(intent.operation.text)", "stage=\(intent.stage.text)", "reason=\(TailRecord.line(intent.reason, limit: min(200, limit / 4)))"]
        }
        if erased > 0 { lines.append("erased=\(erased)") }
        if let bundle { lines.append("bundle=\(bundle.offset),\(bundle.size),\(Text.hex(bundle.checksum))") }
        if let request { lines.append("request=\(TailRecord.line(request, limit: min(200, limit / 4)))") }
        if failures > 0 { lines.append("failures=\(failures)") }
        if repaired { lines.append("repaired=yes") }
        if isUnused { lines.append("unused=yes") }
        if let token { lines.append("token=\(token)") }
        lines += history.reversed().map { "history=\($0)" } + others
        var text = ""
        for line in lines where text.utf8.count + line.utf8.count < limit { text += line + "\n" }
        return text
    }

    init() {}

    /// Reads `text` again.
    init(sequence: Int64, text: String) {
        self.sequence = sequence
        var operation: Intent.Operation?
        var stage = Intent.Stage.erase
        var reason = ""
        for line in Text.lines(text) {
            switch Text.cut(line, at: 0x3D) {
            case (before: "resets", let value)?: resets = Text.number(value) ?? 0
            case (before: "intent", after: "wipe")?: operation = .wipe
            case (before: "intent", after: "format")?: operation = .format
            case (before: "intent", after: "salvage")?: operation = .salvage
            case (before: "erased", let value)?: erased = Text.number(value) ?? 0
            case (before: "bundle", let value)?: bundle = Bundle(text: value)
            case (before: "stage", let value)?: stage = value == "format" ? .format : .erase
            case (before: "reason", let value)?: reason = value
            case (before: "request", let value)?: request = value
            case (before: "failures", let value)?: failures = Text.number(value) ?? 0
            case (before: "repaired", let value)?: repaired = value == "yes"
            case (before: "unused", let value)?: isUnused = value == "yes"
            case (before: "token", let value)?: token = value
            case (before: "history", let value)?: history.insert(value, at: 0)
            default: others.append(line)
            }
        }
        if let operation { intent = Intent(operation: operation, stage: stage, reason: reason) }
    }
}

extension TailRecord.Bundle {
    /// Reads `OFFSET,SIZE,CHECKSUM` again; nil for anything else.
    init?(text: String) {
        let parts = Text.split(text, 0x2C)
        guard parts.count == 3, let offset = Text.number(parts[0]), let size = Text.number(parts[1]),
            let checksum = Text.hexValue(parts[2]), offset > 0, size > 0
        else { return nil }
        self.init(offset: offset, size: size, checksum: checksum)
    }
}
