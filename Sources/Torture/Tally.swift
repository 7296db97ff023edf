#if Lab
/// Faults that were tried, and those that found something.
struct Tally {
    /// The first failure was all that was asked for.
    struct Enough: Error {}

    private(set) var tried = 0
    private(set) var failures: [Lane.Failure] = []
    /// What became of them, as often as it did.
    private(set) var remarks: [String: Int] = [:]
    /// This process takes every `of`-th fault, from the `part`-th on.
    let part: Int
    let of: Int
    let untilFirst: Bool

    func isMine(_ number: Int, stride: Int) -> Bool { number % stride == 0 && number / stride % of == part }

    /// Whether the next fault's end is looked at for one boot longer; of four of them one is enough.
    var isConfirmed: Bool { tried % 4 == 0 }

    /// Whether the next fault is met by two boots in a row; one of twelve is.
    var isTwice: Bool { tried % 12 == 1 }

    /// Faults that found nothing.
    mutating func count(_ number: Int) { tried += number }

    mutating func remark(_ text: String) { remarks[text, default: 0] += 1 }

    mutating func note(_ fault: String, _ problem: String?) throws {
        tried += 1
        guard let problem else { return }
        failures.append(Lane.Failure(fault: fault, problem: problem))
        if untilFirst { throw Enough() }
    }
}
#endif
