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
    var bundle: Bundle?
    /// Factory resets of this partition, ever.
    var resets: Int64 = 0
    /// Lines of a newer image's making, handed on as they are: an A/B rollback must not lose them.
    var others: [String] = []

    /// `key=value` lines.
    var text: String {
        var text = "resets=\(resets)\n"
        if let intent {
            // A newline would end the line, and with it what stands behind.
            let reason = String(decoding: intent.reason.utf8.prefix(200).map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
            text += "intent=\(intent.operation.text)\nstage=\(intent.stage.text)\nreason=\(reason)\n"
        }
        if let bundle { text += "bundle=\(bundle.offset),\(bundle.size),\(Text.hex(bundle.checksum))\n" }
        for line in others { text += line + "\n" }
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
            case (before: "bundle", let value)?: bundle = Bundle(text: value)
            case (before: "stage", let value)?: stage = value == "format" ? .format : .erase
            case (before: "reason", let value)?: reason = value
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
