import Testing

@testable import FrontPanel

@Suite struct ButtonInputTests {
    /// A line as the kernel's first interface keeps it for who does not read: the first 16 edges, and what comes then is lost.
    private struct Line {
        var isDown = false
        var waiting: [(pressed: Bool, at: Int64)] = []

        mutating func turn(at now: Int64) {
            isDown.toggle()
            if waiting.count < 16 { waiting.append((isDown, now)) }
        }

        mutating func edges(now: Int64) -> [(pressed: Bool, at: Int64)] {
            var waiting = waiting
            self.waiting = []
            let level = isDown
            return ButtonInput.edges(now: now, next: { waiting.isEmpty ? nil : waiting.removeFirst() }, isDown: { level })
        }
    }

    @Test(arguments: 1...40) func theEdgesEndAtTheLevelHoweverManyWereLost(turns: Int) throws {
        var line = Line()
        for turn in 1...turns { line.turn(at: Int64(turn) * 10) }
        let edges = line.edges(now: 1_000)
        #expect(edges.last?.pressed == line.isDown)
        // Only what is made up is dated by the clock.
        #expect(edges.map { $0.at } == (1...min(turns, 16)).map { Int64($0) * 10 } + (turns > 16 && turns % 2 == 1 ? [1_000] : []))
    }

    /// A release that overflowed the queue is a release all the same: the button is not held for ever.
    @Test func aReleaseThatWasLostIsMadeUpFor() {
        var button = ResetButton(hold: 5_000)
        _ = button.start(down: true, at: 0)
        var line = Line(isDown: true)
        for turn in 1...17 { line.turn(at: Int64(turn) * 200) }
        #expect(!line.isDown)
        for edge in line.edges(now: 3_410) { _ = button.edge(pressed: edge.pressed, at: edge.at) }
        _ = button.time(4_000)
        #expect(button.text == "up")
    }

    /// Its edge is on its way, and must not be counted twice.
    @Test func aLevelThatIsAheadOfItsEdgeAddsNone() {
        var waiting: [(pressed: Bool, at: Int64)] = [(true, 5), (false, 7)]
        let edges = ButtonInput.edges(now: 9, next: { waiting.isEmpty ? nil : waiting.removeFirst() }, isDown: { true })
        #expect(edges.map { $0.pressed } == [true, false])
        #expect(ButtonInput.edges(now: 9, next: { nil }, isDown: { true }).isEmpty)
    }
}
