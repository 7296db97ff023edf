internal import Linux

/// The wrapper that SQLite's documentation teaches for changing a table (lang_altertable.html, 7), around a whole script:
///
///     PRAGMA foreign_keys=OFF; BEGIN; … COMMIT; PRAGMA foreign_keys=ON;
///
/// Our own run has the transaction and the foreign keys off already, so that the wrapper is left out and what it wraps runs. So is the same
/// inside out, which scripts for runners with a transaction of their own have: `COMMIT; PRAGMA …; BEGIN; … COMMIT; PRAGMA …; BEGIN;`, or with the first two the other way round. Any
/// other BEGIN or COMMIT stays, for the authorizer to refuse with its line.
///
/// A `PRAGMA journal_mode=WAL` in front can only be carried out after the transaction, and is.
enum TransactionWrapper {
    /// Overwrites a wrapper's statements with blanks; line ends stay, so that errors name the right lines.
    /// - Returns: whether the script wants the database in WAL mode.
    static func leaveOut(of text: UnsafeMutableBufferPointer<CChar>) -> Bool {
        enum State { case before, inside, after, reopened }
        var state = State.before
        var isInsideOut = false
        var wantsWAL = false
        var wrapper: [Range<Int>] = []
        func blank(_ range: Range<Int>) {
            for index in range where text[index] != 0x0A { text[index] = 0x20 }
        }
        var scanner = StatementScanner(text)
        // Most scripts are not wrapped, and are not read for nothing.
        guard let first = scanner.peek(), ["pragma", "begin", "commit", "end", ";"].contains(first) else {
            return false
        }
        while let statement = scanner.next() {
            let isPragma = statement.words.first == "pragma"
            switch state {
            case .before:
                if isForeignKeys(statement.words) {
                    wrapper.append(statement.range)
                } else if isBegin(statement.words) {
                    wrapper.append(statement.range)
                    state = .inside
                } else if isCommit(statement.words) && !isInsideOut {
                    wrapper.append(statement.range)
                    isInsideOut = true
                } else if isWAL(statement.words) {
                    blank(statement.range)
                    wantsWAL = true
                } else if !isPragma {
                    return wantsWAL
                }
            case .inside:
                if isBegin(statement.words) { return wantsWAL }
                if isCommit(statement.words) {
                    wrapper.append(statement.range)
                    state = .after
                }
            case .after:
                if isForeignKeys(statement.words) {
                    wrapper.append(statement.range)
                } else if isInsideOut && isBegin(statement.words) {
                    wrapper.append(statement.range)
                    state = .reopened
                } else if !isPragma {
                    return wantsWAL
                }
            case .reopened:
                return wantsWAL
            }
        }
        if state == (isInsideOut ? .reopened : .after) {
            for range in wrapper { blank(range) }
        }
        return wantsWAL
    }

    private static func isWAL(_ words: [String]) -> Bool {
        words == ["pragma", "journal_mode", "=", "wal"]
    }

    private static func isBegin(_ words: [String]) -> Bool {
        var rest = words[...]
        guard rest.first == "begin" else { return false }
        rest = rest.dropFirst()
        if let kind = rest.first, kind == "deferred" || kind == "immediate" || kind == "exclusive" { rest = rest.dropFirst() }
        if rest.first == "transaction" { rest = rest.dropFirst() }
        return rest.isEmpty
    }

    private static func isCommit(_ words: [String]) -> Bool {
        guard let first = words.first, first == "commit" || first == "end" else { return false }
        return words.count == 1 || words.count == 2 && words[1] == "transaction"
    }

    private static func isForeignKeys(_ words: [String]) -> Bool {
        guard words.first == "pragma" else { return false }
        return words.dropFirst().first == "foreign_keys" || words.count > 3 && words[2] == "." && words[3] == "foreign_keys"
    }
}
