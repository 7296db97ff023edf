internal import Linux

/// Reads one migration file in dbmate's convention (github.com/amacneil/dbmate, "Creating Migrations"): a name
/// `VERSION_name.sql`, `-- migrate:up` and an optional `-- migrate:down`; a file without markers is all up.
enum MigrationFile {
    static func parse(path: String, bytes: [UInt8]) throws(MigrationError) -> Migration {
        let (version, name) = try title(path: path)
        var bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        if let zero = bytes.firstIndex(of: 0) {
            let line = bytes[..<zero].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
            throw .file(path: path, line: Int64(line), reason: "a NUL byte: is this SQL in UTF-8?")
        }
        let lines = Text.lines(String(decoding: bytes, as: UTF8.self))

        var options = Migration.Options()
        var downOptions = Migration.Options()
        var up: (first: Int, end: Int)?
        var down: (first: Int, end: Int)?
        for (index, line) in lines.enumerated() {
            guard let words = marker(line) else { continue }
            let number = Int64(index + 1)
            switch words[0] {
            case "up":
                if up != nil { throw .file(path: path, line: number, reason: "a second \"-- migrate:up\"") }
                if let early = lines[..<index].firstIndex(where: { !isCommentOrBlank($0) }) {
                    throw .file(path: path, line: Int64(early + 1), reason: "SQL before \"-- migrate:up\" would never run")
                }
                up = (index + 1, lines.count)
                for word in words.dropFirst() {
                    try apply(option: word, to: &options, path: path, line: number)
                }
            case "down":
                if down != nil { throw .file(path: path, line: number, reason: "a second \"-- migrate:down\"") }
                guard let start = up?.first else {
                    throw .file(path: path, line: number, reason: "\"-- migrate:down\" before \"-- migrate:up\"")
                }
                up = (start, index)
                down = (index + 1, lines.count)
                for word in words.dropFirst() {
                    try apply(option: word, to: &downOptions, path: path, line: number)
                }
            default:
                throw .file(
                    path: path, line: number,
                    reason: "unknown marker \"migrate:\(words[0])\"; there are migrate:up and migrate:down")
            }
        }
        func script(_ range: (first: Int, end: Int)) -> Migration.Script {
            Migration.Script(
                sql: lines[range.first..<range.end].joined(separator: "\n"), firstLine: Int64(range.first + 1))
        }
        return Migration(
            version: version, name: name, file: path, up: script(up ?? (0, lines.count)), down: down.map(script),
            options: options, downOptions: downOptions)
    }

    /// Version and name out of `…/20240301120000_add_sensors.sql`.
    private static func title(path: String) throws(MigrationError) -> (version: Int64, name: String) {
        let name = Text.name(of: path)
        guard let (digits, rest) = Text.cut(Text.stem(of: name), at: 0x5F), !rest.utf8.isEmpty,
            let version = Text.number(digits), version > 0
        else {
            throw .file(
                path: path, line: nil,
                reason: "the name is not VERSION_name.sql, VERSION a positive number below 2^63")
        }
        return (version, rest)
    }

    /// The words behind `-- migrate:`; nil for any other line. Letter case is not forgiven further on: a `Migrate:Up` that was
    /// taken for a comment would silently do nothing.
    private static func marker(_ line: String) -> [String]? {
        guard let comment = Text.dropPrefix(Text.trim(line), "--") else { return nil }
        let text = Text.trim(comment)
        guard Text.hasPrefix(Text.lowercase(text), "migrate:") else { return nil }
        let words = Text.words(String(decoding: text.utf8.dropFirst(8), as: UTF8.self))
        return words.isEmpty ? [""] : words
    }

    private static func isCommentOrBlank(_ line: String) -> Bool {
        let text = Text.trim(line)
        return text.utf8.isEmpty || Text.hasPrefix(text, "--")
    }

    private static func apply(
        option: String, to options: inout Migration.Options, path: String, line: Int64
    ) throws(MigrationError) {
        switch option {
        case "transaction:true": options.transaction = true
        case "transaction:false": options.transaction = false
        case "foreign-keys:on": options.foreignKeys = true
        case "foreign-keys:off": options.foreignKeys = false
        case "compatible:true": options.compatible = true
        case "compatible:false": options.compatible = false
        default:
            throw .file(
                path: path, line: line,
                reason: "unknown option \"\(option)\"; there are transaction:, foreign-keys: and compatible:")
        }
    }
}
