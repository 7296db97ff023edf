internal import Linux

/// How often a snapshot is taken without an upgrade: corruption does not wait for one.
public enum SnapshotInterval: Sendable, Equatable {
    /// Never.
    case never
    /// When the newest is as many days old by the board's clock, or the board has run for as long: for boards that know the time, at least
    /// once they are up.
    case days(Int64)
    /// After as many boots; for boards that never know it. Costs a write of one small file in every boot, behind READY.
    case boots(Int64)

    /// `never`, `7d`, `50 boots`; nil for anything else.
    public init?(text: String) {
        let words = Text.words(text)
        if words == ["never"] {
            self = .never
        } else if words.count == 2, words[1] == "boots", let count = Text.number(words[0]), count > 0 {
            self = .boots(count)
        } else if words.count == 1, Text.hasSuffix(text, "d"), let count = Text.number(String(text.dropLast())), (1...3650).contains(count) {
            self = .days(count)
        } else {
            return nil
        }
    }
}
