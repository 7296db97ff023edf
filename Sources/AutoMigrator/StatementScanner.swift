internal import Linux

/// Finds the statements of an SQL text by its tokens, before anything is prepared: what sqlite3_complete does (complete.c), with the first
/// words of each.
struct StatementScanner {
    struct Statement {
        /// In lower case, punctuation included, as many as it takes to know a transaction's or a pragma's statement.
        var words: [String] = []
        /// From the first token to behind the semicolon, in bytes.
        var range: Range<Int>
    }

    private static let limit = 8

    private let text: UnsafeMutableBufferPointer<CChar>
    /// Without the terminating NUL.
    private let end: Int
    private var at = 0

    init(_ text: UnsafeMutableBufferPointer<CChar>) {
        self.text = text
        end = text.count - 1
    }

    private func byte(_ index: Int) -> UInt8 { index < end ? UInt8(bitPattern: text[index]) : 0 }

    /// The next statement that has a token; nil at the end. A last one may lack its semicolon.
    mutating func next() -> Statement? {
        var statement = Statement(range: at..<at)
        var last = [String](repeating: "", count: 2)
        while let (token, range) = nextToken() {
            if token == ";" {
                if statement.words.isEmpty { continue }
                // A trigger's body has semicolons of its own; it ends at `; END ;`.
                if !isTrigger(statement) || last == [";", "end"] {
                    statement.range = statement.range.lowerBound..<range.upperBound
                    return statement
                }
            }
            if statement.words.isEmpty { statement.range = range }
            if statement.words.count < StatementScanner.limit { statement.words.append(token) }
            statement.range = statement.range.lowerBound..<range.upperBound
            last = [last[1], token]
        }
        return statement.words.isEmpty ? nil : statement
    }

    /// The first token of what follows.
    func peek() -> String? {
        var ahead = self
        return ahead.nextToken()?.0
    }

    private func isTrigger(_ statement: Statement) -> Bool {
        var words = statement.words[...]
        if words.first == "explain" { words = words.dropFirst() }
        guard words.first == "create" else { return false }
        words = words.dropFirst()
        if words.first == "temp" || words.first == "temporary" { words = words.dropFirst() }
        return words.first == "trigger"
    }

    /// A word in lower case, a punctuation mark, or `'` for anything in quotes.
    private mutating func nextToken() -> (String, Range<Int>)? {
        while at < end {
            let start = at
            let first = byte(at)
            switch first {
            case 0x20, 0x09, 0x0A, 0x0C, 0x0D:
                at += 1
            case 0x2D where byte(at + 1) == 0x2D:
                while at < end && byte(at) != 0x0A { at += 1 }
            case 0x2F where byte(at + 1) == 0x2A:
                at += 2
                while at < end && !(byte(at) == 0x2A && byte(at + 1) == 0x2F) { at += 1 }
                at = min(at + 2, end)
            case 0x27, 0x22, 0x60, 0x5B:
                // A doubled quote is two strings end to end, which is all the same here.
                let close: UInt8 = first == 0x5B ? 0x5D : first
                at += 1
                while at < end && byte(at) != close { at += 1 }
                at = min(at + 1, end)
                return ("'", start..<at)
            default:
                if StatementScanner.isWord(first) {
                    while at < end && StatementScanner.isWord(byte(at)) { at += 1 }
                    let word = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[start..<at])
                    return (Text.lowercase(String(decoding: word, as: UTF8.self)), start..<at)
                }
                at += 1
                return (String(decoding: [first], as: UTF8.self), start..<at)
            }
        }
        return nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == 0x5F || byte == 0x24 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte)
    }
}
