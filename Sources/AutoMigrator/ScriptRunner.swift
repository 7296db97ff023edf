internal import Linux
internal import SQLite

/// Runs one migration script, statement by statement as SQLite itself splits it.
struct ScriptRunner {
    let title: String
    let file: String
    /// Outside a transaction (`transaction:false`).
    let alone: Bool
    /// What the database's authorizer asks, for the reason behind a refusal.
    let stepGuard: StepGuard

    /// - Returns: whether the script wants the database in WAL mode once its transaction is committed.
    func run(_ script: Migration.Script, on database: borrowing Database) throws(MigrationError) -> Bool {
        // NUL-terminated once: each prepare then reads on from where the last statement ended.
        let text = UnsafeMutableBufferPointer<CChar>.allocate(capacity: script.sql.utf8.count + 1)
        defer { text.deallocate() }
        _ = text.initialize(from: script.sql.utf8CString)
        let wantsWAL = alone ? false : TransactionWrapper.leaveOut(of: text)
        func line(at byte: Int) -> Int64 {
            text[..<min(byte, text.count - 1)].reduce(script.firstLine) { $0 + ($1 == 0x0A ? 1 : 0) }
        }
        func failure(_ error: SQLiteError, statementAt start: Int) -> MigrationError {
            let place = line(at: start + (error.offset ?? ScriptRunner.skipBlanks(text, from: start) - start))
            if error.kind == .refused, let refusal = stepGuard.refusal {
                return .refused(title: title, file: file, line: place, reason: refusal)
            }
            return .step(title: title, file: file, line: place, error: error)
        }

        var start = 0
        while start < text.count - 1 {
            var next = start
            do throws(SQLiteError) {
                let statement = try database.prepare(script: UnsafeBufferPointer(text), from: start)
                next = statement.end
                if !statement.isEmpty { try statement.run() }
            } catch {
                throw failure(error, statementAt: start)
            }
            if !alone && database.isAutocommit {
                throw .refused(
                    title: title, file: file, line: line(at: ScriptRunner.skipBlanks(text, from: start)),
                    reason: "this statement ended the transaction that all pending steps run in")
            }
            start = next
        }
        if alone && !database.isAutocommit {
            throw .refused(
                title: title, file: file, line: line(at: text.count),
                reason: "the script leaves a transaction open at its end; COMMIT is missing")
        }
        return wantsWAL
    }

    /// Where a statement's first token is: behind blanks and comments, so that an error names the statement's line and not the
    /// end of the one before.
    private static func skipBlanks(_ text: UnsafeMutableBufferPointer<CChar>, from start: Int) -> Int {
        var i = start
        while i + 1 < text.count {
            switch (UInt8(bitPattern: text[i]), UInt8(bitPattern: text[i + 1])) {
            case (0x20, _), (0x09, _), (0x0A, _), (0x0D, _), (0x3B, _):
                i += 1
            case (0x2D, 0x2D):  // -- to the end of the line
                while i < text.count - 1 && text[i] != 0x0A { i += 1 }
            case (0x2F, 0x2A):  // /* to */
                i += 2
                while i + 1 < text.count - 1 && !(text[i] == 0x2A && text[i + 1] == 0x2F) { i += 1 }
                i = min(i + 2, text.count - 1)
            default:
                return i
            }
        }
        return i
    }
}
