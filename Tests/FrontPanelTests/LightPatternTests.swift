import FrontPanel
import Testing

@Suite struct LightPatternTests {
    /// The table of the design, in milliseconds on, off, on, off …
    @Test(arguments: [
        (LightPattern.starting, [100, 100]), (.working, [200, 200]), (.recovering, [400, 100]), (.held, [50, 50]),
        (.wiping, [100, 100, 100, 700]), (.identify, [80, 80, 80, 80, 80, 580]), (.blinks(1), [150, 1750]),
        (.blinks(2), [150, 250, 150, 1750]), (.blinks(5), [150, 250, 150, 250, 150, 250, 150, 250, 150, 1750]),
    ] as [(LightPattern, [Int64])])
    func changesWhenTheTableSays(pattern: LightPattern, times: [Int64]) {
        var elapsed: Int64 = 0
        for index in 0..<(times.count * 3) {
            let (lit, until) = pattern.state(at: elapsed)
            #expect(lit == (index % 2 == 0), "\(pattern.text) at \(elapsed)")
            #expect(until == elapsed + times[index % times.count], "\(pattern.text) at \(elapsed)")
            #expect(pattern.state(at: elapsed + times[index % times.count] - 1).lit == lit)
            elapsed += times[index % times.count]
        }
    }

    @Test func solidAndOffNeverChange() {
        #expect(LightPattern.solid.state(at: 987_654) == (true, nil))
        #expect(LightPattern.letGo.state(at: 5) == (true, nil))
        #expect(LightPattern.off.state(at: 5) == (false, nil))
    }
}

@Suite struct StatusLightTests {
    @Test func theHighestSlotWinsAndGivesWayAgain() {
        var light = StatusLight()
        light.show(.working, in: .status, at: 0)
        light.show(.identify, in: .identify, at: 10)
        #expect(light.shown == .identify)
        light.show(.held, in: .gesture, at: 20)
        #expect(light.shown == .held)
        light.show(nil, in: .gesture, at: 30)
        #expect(light.shown == .identify)
        _ = light.update(at: 10 + 14_999)
        #expect(light.shown == .identify)
        _ = light.update(at: 10 + 15_000)
        #expect(light.shown == .working)
    }

    @Test func theApplicationIsSeenOnlyUnderAPlainSolidReady() {
        var light = StatusLight()
        light.show(.starting, in: .application, at: 0)
        light.show(.blinks(2), in: .status, at: 0)
        #expect(light.shown == .blinks(2))
        light.show(.solid, in: .status, at: 5)
        #expect(light.shown == .starting)
    }

    @Test func showingAgainAndWakingLateMoveNoEdge() {
        var light = StatusLight()
        light.show(.working, in: .status, at: 1000)
        #expect(light.update(at: 1000).next == 1200)
        light.show(.working, in: .status, at: 1150)
        #expect(light.update(at: 1150) == (true, 1200))
        #expect(light.update(at: 1237) == (false, 1400))
        #expect(light.update(at: 1401) == (true, 1600))
    }
}
