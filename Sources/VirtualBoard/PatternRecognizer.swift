#if Lab
/// Names the patterns in a record of LED edges. Pure: the same edges give the same names.
///
/// A board in software emulation on a busy host is late now and then, so one interval may be off by a third; but a run's mean
/// must be right, and a pattern with a long pause counts only when a whole cycle was seen between two such pauses. A pattern of
/// other times is no pattern, never the nearest one.
public struct PatternRecognizer: Sendable {
    /// A light that stays on this long is solid.
    static let solid = 2000.0
    /// A light that stays off this long is dark; the longest pause in any pattern is 1750 ms.
    static let dark = 2500.0

    private struct Interval {
        let isOn: Bool
        let from: Double
        let to: Double
        /// Still going on when the record ends: it can become longer, so it proves only what it has lasted.
        let isOpen: Bool
        var length: Double { to - from }
    }

    private let intervals: [Interval]

    /// - Parameters:
    ///   - edges: in the order of their times; the pin is low at power-on.
    ///   - end: until when the pin was watched, in milliseconds since power-on.
    public init(edges: [LightEdge], until end: Double) {
        var intervals: [Interval] = []
        var (isOn, from) = (false, 0.0)
        for edge in edges where edge.isOn != isOn {
            intervals.append(Interval(isOn: isOn, from: from, to: edge.milliseconds, isOpen: false))
            (isOn, from) = (edge.isOn, edge.milliseconds)
        }
        intervals.append(Interval(isOn: isOn, from: from, to: max(end, from), isOpen: true))
        self.intervals = intervals
    }

    /// What the LED showed, in order. What belongs to no pattern (the cut-off blink at a change) is left out.
    public var segments: [LightSegment] {
        var found: [LightSegment] = []
        var index = 0
        while index < intervals.count {
            let interval = intervals[index]
            if let still = still(interval, isFirst: index == 0) {
                append(LightSegment(pattern: still, from: interval.from, to: interval.to), to: &found)
                index += 1
            } else if let (pattern, count) = longestRun(at: index) {
                let last = intervals[index + count - 1]
                append(LightSegment(pattern: pattern, from: interval.from, to: last.to), to: &found)
                index += count
            } else {
                index += 1
            }
        }
        return found
    }

    /// One late blink in the middle of a pattern does not make two of it.
    private func append(_ segment: LightSegment, to found: inout [LightSegment]) {
        if let last = found.last, last.pattern == segment.pattern, segment.from - last.to < 1000 {
            found[found.count - 1].to = segment.to
        } else {
            found.append(segment)
        }
    }

    private func still(_ interval: Interval, isFirst: Bool) -> LightPattern? {
        if interval.isOn { return interval.length > Self.solid ? .solid : nil }
        // Before its first edge the light is dark, however short that is.
        return isFirst || interval.length > Self.dark ? .dark : nil
    }

    /// The pattern that explains the most intervals from here on. The longest, because the end of three blinks looks like two.
    private func longestRun(at start: Int) -> (LightPattern, Int)? {
        var best: (pattern: LightPattern, count: Int)?
        for pattern in LightPattern.rhythms {
            guard let cycle = pattern.cycle else { continue }
            // A run may begin anywhere in the cycle: its first blink is often swallowed by the pattern before.
            for phase in stride(from: intervals[start].isOn ? 0 : 1, to: cycle.count, by: 2) {
                let count = runLength(of: cycle, phase: phase, at: start)
                if count > best?.count ?? 0, isProof(cycle, phase: phase, start: start, count: count) {
                    best = (pattern, count)
                }
            }
        }
        return best.map { ($0.pattern, $0.count) }
    }

    private func runLength(of cycle: [Double], phase: Int, at start: Int) -> Int {
        var count = 0
        while start + count < intervals.count {
            let (interval, wanted) = (intervals[start + count], cycle[(phase + count) % cycle.count])
            let slack = max(30, wanted * 0.3)
            guard interval.length <= wanted + slack, interval.isOpen || interval.length >= wanted - slack else { break }
            count += 1
        }
        return count
    }

    /// Whether a run is long enough to be told from every other pattern, and right on average.
    private func isProof(_ cycle: [Double], phase: Int, start: Int, count: Int) -> Bool {
        var sums = [Double](repeating: 0, count: cycle.count)
        var seen = [Int](repeating: 0, count: cycle.count)
        var complete: [Int] = []
        for offset in 0..<count {
            let (interval, slot) = (intervals[start + offset], (phase + offset) % cycle.count)
            if interval.isOpen && interval.length < cycle[slot] * 0.85 { continue }
            complete.append(slot)
            // An open interval is a lower bound, nothing to take a mean of.
            if interval.isOpen { continue }
            sums[slot] += interval.length
            seen[slot] += 1
        }
        for slot in cycle.indices where seen[slot] > 0 {
            let mean = sums[slot] / Double(seen[slot])
            if abs(mean - cycle[slot]) > max(15, cycle[slot] * 0.15) { return false }
        }
        guard cycle.count > 2 || cycle[1] > 1000 else { return complete.count >= 3 }
        let pauses = complete.count { $0 == cycle.count - 1 }
        return pauses >= 2
    }
}
#endif
