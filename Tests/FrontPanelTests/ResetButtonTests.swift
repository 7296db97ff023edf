import FrontPanel
import Testing

@Suite struct ResetButtonTests {
    typealias Gesture = ResetButton.Gesture

    /// Plays edges (true presses) and lets time pass to the end; every gesture with its time.
    private func play(_ button: inout ResetButton, _ edges: [(Bool, Int64)], until end: Int64) -> [Gesture] {
        var gestures: [Gesture] = []
        for (pressed, at) in edges {
            while let next = button.next, next <= at { gestures += button.time(next) }
            gestures += button.edge(pressed: pressed, at: at)
        }
        while let next = button.next, next <= end { gestures += button.time(next) }
        return gestures
    }

    @Test func upAtPowerOnCostsNothing() {
        var button = ResetButton()
        #expect(button.start(down: false, at: 0).isEmpty)
        #expect(button.next == nil)
    }

    @Test func heldAtPowerOnAndLetGoResets() {
        var button = ResetButton()
        #expect(button.start(down: true, at: 0) == [.held])
        #expect(play(&button, [(false, 6000)], until: 7000) == [.letGo, .resetAtStart])
        #expect(button.text == "up")
    }

    @Test(arguments: [(Int64(4999), false), (5000, true)])
    func theHoldIsMeasuredToTheEdgeOfTheRelease(at: Int64, resets: Bool) {
        var button = ResetButton()
        _ = button.start(down: true, at: 0)
        // The contacts bounce for 15 ms, past the end of the hold.
        let gestures = play(&button, [(false, at), (true, at + 3), (false, at + 7), (true, at + 9), (false, at + 15)], until: at + 500)
        // A bounce takes the release back, so the last one counts: 15 ms later.
        #expect(gestures.contains(.resetAtStart) == (at + 15 >= 5000))
        #expect(gestures.contains(.windowClosed) == (at + 15 < 5000))
        var clean = ResetButton()
        _ = clean.start(down: true, at: 0)
        #expect(play(&clean, [(false, at)], until: at + 500).contains(.resetAtStart) == resets)
    }

    @Test func letGoTooEarlyTheBootGoesOn() {
        var button = ResetButton()
        _ = button.start(down: true, at: 0)
        #expect(play(&button, [(false, 2000)], until: 3000) == [.cancelled, .windowClosed])
    }

    @Test func neverLetGoIsStuckAndNotAReset() {
        var button = ResetButton()
        _ = button.start(down: true, at: 0)
        #expect(play(&button, [], until: 40_000) == [.letGo, .cancelled, .stuck, .windowClosed])
        #expect(button.text == "stuck")
        #expect(play(&button, [(false, 50_000)], until: 51_000).isEmpty)
        #expect(play(&button, [(true, 60_000), (false, 60_200)], until: 61_000) == [.held, .cancelled, .pressed])
    }

    @Test func heldWhileRunningResetsOnRelease() {
        var button = ResetButton()
        #expect(play(&button, [(true, 1000), (false, 6001)], until: 7000) == [.held, .letGo, .reset])
    }

    @Test func aBounceOfFifteenMillisecondsIsOnePress() {
        var button = ResetButton()
        let gestures = play(
            &button, [(true, 0), (false, 4), (true, 15), (false, 300), (true, 308), (false, 311)], until: 1000)
        #expect(gestures == [.held, .cancelled, .pressed])
    }

    @Test func aGlitchShorterThanTheDebounceIsNothing() {
        var button = ResetButton()
        #expect(play(&button, [(true, 0), (false, 5)], until: 1000).isEmpty)
    }

    @Test func nineEdgesInASecondCancel() {
        var button = ResetButton()
        _ = button.start(down: true, at: 0)
        var edges: [(Bool, Int64)] = []
        for index in 0..<9 { edges.append((index % 2 == 1, 5100 + Int64(index) * 10)) }
        let gestures = play(&button, edges, until: 10_000)
        #expect(!gestures.contains(.resetAtStart))
        #expect(gestures.contains(.windowClosed))
    }

    @Test func whileSuspendedNothingIsTaken() {
        var button = ResetButton()
        button.suspend()
        #expect(play(&button, [(true, 0), (false, 9000)], until: 10_000).isEmpty)
        button.resume(down: true)
        #expect(button.text == "stuck")
    }

    /// The oracle knows no states: a reset needs an uninterrupted press of at least the hold and less than 30 s, interruptions
    /// shorter than the debounce not counted, and no more than 8 edges in any second up to its release.
    @Test func tenThousandRandomSequencesGiveNoFalseReset() {
        var seed: UInt64 = 20_261_123
        func random(_ bound: UInt64) -> Int64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64((seed >> 33) % bound)
        }
        var resets = 0
        for _ in 0..<10_000 {
            var edges: [(Bool, Int64)] = []
            var now: Int64 = 0
            var pressed = true
            for _ in 0..<(2 + 2 * random(5)) {
                edges.append((pressed, now))
                switch random(4) {
                case 0: now += 1 + random(15)
                case 1: now += 4900 + random(200)
                default: now += 21 + random(7000)
                }
                pressed.toggle()
            }
            var button = ResetButton()
            let seen = play(&button, edges, until: now + 40_000).filter { $0 == .reset }.count
            var presses: [(from: Int64, to: Int64)] = []
            for pair in stride(from: 0, to: edges.count, by: 2) {
                let (from, to) = (edges[pair].1, edges[pair + 1].1)
                if let last = presses.last, from - last.to < 20 { presses[presses.count - 1].to = to } else { presses.append((from, to)) }
            }
            let possible = presses.filter { $0.to - $0.from >= 5000 && $0.to - $0.from < 30_000 }.count
            #expect(seen <= possible, "\(edges)")
            resets += seen
        }
        #expect(resets > 1000, "the sequences hardly ever hold the button long enough to test anything")
    }
}
