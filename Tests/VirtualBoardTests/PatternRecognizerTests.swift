#if Lab
import Testing

@testable import VirtualBoard

@Suite struct PatternRecognizerTests {
    /// Edges of a light that is on, off, on … for the given milliseconds, beginning at `start`.
    private func edges(_ lengths: [Double], from start: Double = 300, firstIsOn: Bool = true) -> ([LightEdge], Double) {
        var (time, isOn) = (start, firstIsOn)
        var edges: [LightEdge] = []
        for length in lengths {
            edges.append(LightEdge(milliseconds: time, isOn: isOn))
            (time, isOn) = (time + length, !isOn)
        }
        edges.append(LightEdge(milliseconds: time, isOn: isOn))
        return (edges, time)
    }

    private func patterns(_ lengths: [Double], watched more: Double = 1) -> [LightPattern] {
        let (edges, end) = edges(lengths)
        return PatternRecognizer(edges: edges, until: end + more).segments.map(\.pattern).filter { $0 != .dark }
    }

    private func repeated(_ cycle: [Double], _ count: Int) -> [Double] { (0..<count).flatMap { _ in cycle } }

    @Test(arguments: [
        (LightPattern.starting, [100.0, 100]), (.working, [200, 200]), (.recovering, [400, 100]), (.held, [50, 50]),
        (.wiping, [100, 100, 100, 700]), (.identify, [80, 80, 80, 80, 80, 580]), (.blinks(1), [150, 1750]),
        (.blinks(2), [150, 250, 150, 1750]), (.blinks(3), [150, 250, 150, 250, 150, 1750]),
        (.blinks(5), [150, 250, 150, 250, 150, 250, 150, 250, 150, 1750]),
    ])
    func namesEveryPatternOfTheTable(pattern: LightPattern, cycle: [Double]) {
        #expect(patterns(repeated(cycle, 8)) == [pattern])
    }

    @Test(arguments: LightPattern.rhythms)
    func forgivesWhatASlowHostAdds(pattern: LightPattern) throws {
        // Each edge comes late by itself: firstlightd counts from the pattern's beginning, so that nothing adds up.
        var (noise, late) = (7, 0.0)
        let lengths = try repeated(#require(pattern.cycle), 10).map { length in
            noise = (noise * 1103 + 12345) % 65536
            let before = late
            late = Double(noise % 25)
            return length + late - before
        }
        #expect(patterns(lengths) == [pattern])
    }

    @Test(arguments: [
        // 8 % off, or between two patterns: what a wrong table in the firmware could be.
        [108.0, 108], [92, 92], [115, 115], [85, 85], [45, 45], [55, 55], [65, 65], [185, 185], [215, 215], [230, 230], [150, 150],
        [140, 140], [300, 300], [400, 200], [400, 140], [300, 100], [70, 70], [100, 200], [100, 100, 100, 400],
        [100, 100, 100, 600], [80, 80, 80, 300], [150, 250], [150, 1000], [150, 250, 150, 1200], [150, 250, 150, 1400],
        [250, 150, 250, 1750], [150, 400, 150, 1750], [200, 250, 200, 1750], [500, 100], [100, 100, 100, 100, 100, 700],
    ])
    func acceptsNoPatternOfOtherTimes(cycle: [Double]) {
        let pattern = patterns(repeated(cycle, 12))
        #expect(pattern == [], "\(cycle) was taken for \(pattern)")
    }

    @Test(arguments: 1...6)
    func tellsABlinkCodeThatComesAfterWorking(count: Int) {
        let code = Array([[Double]](repeating: [150, 250], count: count - 1).joined()) + [150, 1750]
        #expect(patterns(repeated([200, 200], 10) + repeated(code, 3)) == [.working, .blinks(count)])
    }

    @Test func oneCycleOfABlinkCodeProvesNothing() {
        #expect(patterns(repeated([200, 200], 10) + [150, 250, 150, 1750]) == [.working])
    }

    @Test func doesNotTakeTheEndOfThreeBlinksForTwo() {
        #expect(patterns([150, 250, 150, 1750, 150]) == [])
        #expect(patterns([320, 250, 150, 1750, 150, 250, 150, 250, 150, 1750]) == [.blinks(3)])
    }

    @Test func callsALightSolidOnlyAfterTwoSeconds() {
        #expect(patterns([1900, 100]) == [])
        #expect(patterns([2100, 100]) == [.solid])
    }

    @Test func cutsAWholeBootIntoItsPatterns() {
        // At a change of pattern the blink that was going on is cut short, or runs into the next one.
        let lengths = repeated([100, 100], 5) + [100, 37] + repeated([200, 200], 3) + [137, 60] + repeated([400, 100], 3)
        let (edges, end) = edges(lengths + [37, 1750] + repeated([150, 250, 150, 1750], 2), from: 850)
        let segments = PatternRecognizer(edges: edges, until: end).segments
        #expect(segments.map(\.pattern) == [.dark, .starting, .working, .recovering, .blinks(2)])
        #expect(segments[0].from == 0 && segments[0].to == 850)
        #expect(segments[1].from == 850 && segments[1].to == 1950)
        #expect(segments[2].from == 1987 && segments[2].to == 3187)
    }

    @Test func oneLateBlinkDoesNotEndAPattern() {
        #expect(patterns(repeated([200, 200], 4) + [200, 420] + repeated([200, 200], 4)) == [.working])
    }

    @Test func aBoardWithoutEdgesIsDark() {
        #expect(PatternRecognizer(edges: [], until: 5000).segments.map(\.pattern) == [.dark])
    }
}
#endif
