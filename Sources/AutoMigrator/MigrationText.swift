internal import Linux

/// What one migration file says: its up, its down, and the options behind their markers.
///
///     -- migrate:up [transaction:false] …    -- migrate:down                dbmate
///     -- +goose Up    -- +goose Down    -- +goose NO TRANSACTION            goose
///     -- +migrate Up [notransaction]    -- +migrate Down                    sql-migrate
///     -- no-transaction, as the first line                                  sqlx
///
/// goose's and sql-migrate's StatementBegin and StatementEnd stay what they are, comments: SQLite finds the ends of statements
/// itself. A file without markers is all up. Line ends and a byte-order mark make no difference.
struct MigrationText {
    var up = Migration.Script(sql: "")
    var down: Migration.Script?
    var options = Migration.Options()
    var downOptions = Migration.Options()

    private let path: String
    private let bytes: [UInt8]
    /// The family of the markers found: a file of two tools' markers is a mistake.
    private var style: Style?

    private enum Style { case dbmate, goose, sqlMigrate }

    private enum Marker {
        case up([String])
        case down([String])
        case noTransaction
        case comment
    }

    init(_ raw: [UInt8], path: String) throws(MigrationError) {
        self.path = path
        bytes = MigrationText.normalized(raw)
        if let zero = bytes.firstIndex(of: 0) {
            throw .file(path: path, line: line(at: zero), reason: "a NUL byte: is this SQL in UTF-8?")
        }
        try parse()
    }

    /// Without a byte-order mark, and with `\n` for `\r\n`.
    static func normalized(_ raw: [UInt8]) -> [UInt8] {
        var bytes = raw
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        if !bytes.contains(0x0D) { return bytes }
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() where byte != 0x0D || index + 1 == bytes.count || bytes[index + 1] != 0x0A {
            kept.append(byte)
        }
        return kept
    }

    private mutating func parse() throws(MigrationError) {
        var upRange: Range<Int>?
        var downRange: Range<Int>?
        var isDown = false
        var number: Int64 = 0
        var start = 0
        var isBare = true
        while start < bytes.count {
            var end = start
            while end < bytes.count && bytes[end] != 0x0A { end += 1 }
            let next = min(end + 1, bytes.count)
            number += 1
            if let comment = comment(start, end) {
                switch try marker(comment, number) {
                case .up(let words):
                    if upRange != nil { throw mistake(number, "a second marker of the up part") }
                    if !isBare && downRange == nil { throw mistake(number, "SQL before the marker of the up part would never run") }
                    upRange = next..<next
                    isDown = false
                    try apply(words, to: &options, number)
                case .down(let words):
                    if downRange != nil { throw mistake(number, "a second marker of the down part") }
                    // sql-migrate takes either first.
                    if upRange == nil && style == .dbmate { throw mistake(number, "the down part before the up part") }
                    if upRange == nil && !isBare { throw mistake(number, "SQL before the marker of the down part would never run") }
                    downRange = next..<next
                    isDown = true
                    try apply(words, to: &downOptions, number)
                case .noTransaction:
                    options.transaction = false
                    if style == .goose { downOptions.transaction = false }
                case .comment:
                    break
                }
            } else if !isBlank(start, end) {
                isBare = false
            }
            start = next
            // A part goes on until the next one's marker.
            if let range = downRange, isDown {
                downRange = range.lowerBound..<max(range.lowerBound, next)
            } else if let range = upRange {
                upRange = range.lowerBound..<max(range.lowerBound, next)
            }
        }
        if upRange == nil && style != nil { throw mistake(nil, "it has markers, but none of the up part") }
        if upRange == nil { try refuseOtherSections() }
        up = script(upRange ?? 0..<bytes.count)
        down = downRange.map { script($0) }
    }

    private func script(_ range: Range<Int>) -> Migration.Script {
        let start = range.lowerBound
        var end = range.upperBound
        while end > start, Text.isBlank(bytes[end - 1]) { end -= 1 }
        return Migration.Script(sql: String(decoding: bytes[start..<end], as: UTF8.self), firstLine: line(at: start))
    }

    private func line(at offset: Int) -> Int64 { bytes[..<offset].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) } }

    private func mistake(_ line: Int64?, _ reason: String) -> MigrationError { .file(path: path, line: line, reason: reason) }

    private func isBlank(_ start: Int, _ end: Int) -> Bool { bytes[start..<end].allSatisfy { Text.isBlank($0) } }

    /// What stands behind `--` on a line that has nothing else; nil for any other line.
    private func comment(_ start: Int, _ end: Int) -> String? {
        var start = start
        while start < end, Text.isBlank(bytes[start]) { start += 1 }
        guard end - start >= 2, bytes[start] == 0x2D, bytes[start + 1] == 0x2D else { return nil }
        return Text.trim(String(decoding: bytes[(start + 2)..<end], as: UTF8.self))
    }

    // ---- Markers ----

    private mutating func marker(_ comment: String, _ line: Int64) throws(MigrationError) -> Marker {
        let lowered = Text.lowercase(comment)
        if Text.hasPrefix(lowered, "migrate:") {
            try use(.dbmate, line)
            let words = Text.words(String(decoding: comment.utf8.dropFirst(8), as: UTF8.self))
            // Letter case is not forgiven: what other tools take for a comment would silently do nothing there.
            switch words.first {
            case "up": return .up(Array(words.dropFirst()))
            case "down": return .down(Array(words.dropFirst()))
            default:
                throw mistake(line, "unknown marker \"migrate:\(words.first ?? "")\"; there are migrate:up and migrate:down")
            }
        }
        if Text.hasPrefix(lowered, "+goose") {
            try use(.goose, line)
            switch Text.words(lowered).dropFirst().joined(separator: " ") {
            case "up": return .up([])
            case "down": return .down([])
            case "no transaction": return .noTransaction
            case "statementbegin", "statementend", "envsub off": return .comment
            case "envsub on": throw mistake(line, "goose's ENVSUB: nothing is substituted here")
            default: throw mistake(line, "unknown annotation \"\(comment)\"")
            }
        }
        if Text.hasPrefix(lowered, "+migrate") {
            try use(.sqlMigrate, line)
            let words = Text.words(lowered)
            let options = words.contains("notransaction") ? ["transaction:false"] : []
            switch words.count > 1 ? words[1] : "" {
            case "up": return .up(options)
            case "down": return .down(options)
            case "statementbegin", "statementend": return .comment
            default: throw mistake(line, "unknown command \"\(comment)\"")
            }
        }
        return lowered == "no-transaction" && line == 1 ? .noTransaction : .comment
    }

    private mutating func use(_ found: Style, _ line: Int64) throws(MigrationError) {
        if let style, style != found { throw mistake(line, "markers of two tools in one file") }
        style = found
    }

    /// Another tool's section of a file that has no marker of ours: run whole, it would undo itself.
    private func refuseOtherSections() throws(MigrationError) {
        let sections = ["down", "down:", "@down", "@undo", "undo", "rollback", "down migration"]
        var number: Int64 = 0
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count && bytes[end] != 0x0A { end += 1 }
            number += 1
            if let comment = comment(start, end) {
                let text = Text.lowercase(String(decoding: comment.utf8.drop { $0 == 0x2D || Text.isBlank($0) }, as: UTF8.self))
                if sections.contains(text) || Text.hasPrefix(text, "rollback ") && number > 1 {
                    throw mistake(
                        number, "\"--\(comment)\" looks like the down part of another tool's file; mark it with \"-- migrate:down\"")
                }
            }
            start = end + 1
        }
    }

    private func apply(_ words: [String], to options: inout Migration.Options, _ line: Int64) throws(MigrationError) {
        for word in words {
            switch word {
            case "transaction:true": options.transaction = true
            case "transaction:false": options.transaction = false
            case "foreign-keys:on": options.foreignKeys = true
            case "foreign-keys:off": options.foreignKeys = false
            case "compatible:true": options.compatible = true
            case "compatible:false": options.compatible = false
            default:
                throw mistake(line, "unknown option \"\(word)\"; there are transaction:, foreign-keys: and compatible:")
            }
        }
    }
}
