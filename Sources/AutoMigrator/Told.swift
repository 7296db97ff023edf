internal import Linux

/// What a swap means for the application's data: how a boot that does it ends, and what is gone.
///
/// It travels in the intent, and when the swap is done the intent becomes the file `untold` by one rename. It goes only when somebody has
/// been told: a power cut between the last rename and READY must not turn a loss into `current`.
struct Told: Equatable {
    var outcome: Outcome
    var reason: String
    /// Nil when nothing is.
    var lost: String?
    /// The one that was put in place.
    var snapshot: String?

    /// As fields of a checked text; a line each.
    var fields: [(key: String, value: String)] {
        [
            ("outcome", outcome.text), ("reason", Told.line(reason)), ("lost", Told.line(Told.short(lost ?? "", longest: Told.longest))),
            ("snapshot", Told.line(snapshot ?? "")),
        ]
    }

    init(_ outcome: Outcome, reason: String, lost: String? = nil, snapshot: String? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.lost = lost
        self.snapshot = snapshot
    }

    /// Nil where the fields say nothing of an outcome.
    init?(_ fields: [String: String]) {
        guard let outcome = Outcome(text: fields["outcome"] ?? "") else { return nil }
        func text(_ key: String) -> String? { fields[key].flatMap { $0.utf8.isEmpty ? nil : $0 } }
        self.init(outcome, reason: text("reason") ?? "", lost: text("lost"), snapshot: text("snapshot"))
    }

    /// This one, and what an earlier one had to say of rows.
    func joined(with earlier: Told?) -> Told {
        var told = self
        told.lost = Told.joined(lost, earlier?.lost)
        // The worse of the two is told.
        if let earlier { told.outcome = max(outcome, earlier.outcome) }
        return told
    }

    /// The newest first. What one of them says already is not said twice.
    static func joined(_ lost: String?, _ earlier: String?) -> String? {
        guard let lost, let earlier else { return lost ?? earlier }
        let said = losses(lost)
        return text([said, losses(earlier).filter { !said.contains($0) }].flatMap { $0 })
    }

    private static let separator = "; also: "

    /// One by one, what `joined` has put together.
    static func losses(_ lost: String?) -> [String] {
        guard let lost else { return [] }
        var (losses, rest) = ([String](), lost)
        while let at = Text.find(rest, separator) {
            losses.append(String(decoding: rest.utf8.prefix(at), as: UTF8.self))
            rest = String(decoding: rest.utf8.dropFirst(at + separator.utf8.count), as: UTF8.self)
        }
        return losses + [rest]
    }

    static func text(_ losses: [String]) -> String? { losses.isEmpty ? nil : losses.joined(separator: separator) }

    /// Each of them shortened, so that none of them goes.
    static func short(_ lost: String, longest: Int) -> String {
        if lost.utf8.count <= longest { return lost }
        let losses = losses(lost)
        let share = max(8, longest / losses.count - separator.utf8.count - 4)
        return text(losses.map { Text.short($0, longest: share) }) ?? lost
    }

    /// At most so long: an intent is read at once.
    private static let longest = 4096

    private static func line(_ text: String) -> String {
        String(decoding: text.utf8.prefix(longest).map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
    }
}
