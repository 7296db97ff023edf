#if Lab
/// Names the patterns in a record of LED edges. Pure: the same edges give the same names.
///
/// A board in software emulation on a busy host is late now and then. So one interval may be off by 30 % (at least 30 ms), but
/// over the whole run only the first and the last edge count, 40 ms for the two and 1 % for the clocks, and the mean of each
/// interval of the cycle must be right to 5 % and 30 ms shared among the cycles. Together that tells a period from one that is
/// 8 % off. A plain blinking takes four intervals and 600 ms; a pattern with a long pause a whole cycle between two such pauses. Other
/// times are no pattern, never the nearest one.
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
                if count > best?.count ?? 0 { best = (pattern, count) }
            }
        }
        return best.map { ($0.pattern, $0.count) }
    }

    /// How many intervals from `start` on are this cycle's, begun at `phase`: the longest stretch that proves it, 0 for none.
    private func runLength(of cycle: [Double], phase: Int, at start: Int) -> Int {
        var run = Run(cycle: cycle)
        var proven = 0
        for offset in 0..<(intervals.count - start) {
            let interval = intervals[start + offset]
            guard run.add(interval, slot: (phase + offset) % cycle.count) else { break }
            if run.isProof { proven = offset + 1 }
        }
        return proven
    }

    /// Intervals that may be one pattern's, and what they add up to.
    private struct Run {
        let cycle: [Double]
        private var sums: [Double]
        private var seen: [Int]
        private var complete = 0
        private var pauses = 0

        init(cycle: [Double]) {
            self.cycle = cycle
            sums = [Double](repeating: 0, count: cycle.count)
            seen = [Int](repeating: 0, count: cycle.count)
        }

        /// False when the interval cannot be the cycle's.
        mutating func add(_ interval: Interval, slot: Int) -> Bool {
            let wanted = cycle[slot]
            let slack = max(30, wanted * 0.3)
            guard interval.length <= wanted + slack, interval.isOpen || interval.length >= wanted - slack else {
                return false
            }
            if interval.isOpen {
                // A lower bound: enough to have seen a pause, nothing to take a mean of.
                if slot == cycle.count - 1 && interval.length >= wanted * 0.85 { pauses += 1 }
                return true
            }
            sums[slot] += interval.length
            seen[slot] += 1
            complete += 1
            if slot == cycle.count - 1 { pauses += 1 }
            return true
        }

        /// Whether it is long enough to be told from every other pattern, and right as a whole.
        var isProof: Bool {
            var (length, wanted) = (0.0, 0.0)
            for slot in cycle.indices where seen[slot] > 0 {
                let count = Double(seen[slot])
                if abs(sums[slot] / count - cycle[slot]) > cycle[slot] * 0.05 + 30 / count { return false }
                length += sums[slot]
                wanted += cycle[slot] * count
            }
            if abs(length - wanted) > 40 + wanted * 0.01 { return false }
            let hasPause = cycle.last! >= 500
            return hasPause ? pauses >= 2 : complete >= 4 && wanted >= 600
        }
    }
}
#endif
