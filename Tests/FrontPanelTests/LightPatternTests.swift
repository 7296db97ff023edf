import FrontPanel
import Testing

/// The table of the design, row by row: the stretches of one cycle, lit first.
private let table: [(pattern: LightPattern, text: String, cycle: [Int64])] = [
    (.starting, "starting", [100, 100]),
    (.working, "working", [200, 200]),
    (.recovering, "recovering", [400, 100]),
    (.blinks(1), "1 blinks", [150, 1750]),
    (.blinks(2), "2 blinks", [150, 250, 150, 1750]),
    (.blinks(3), "3 blinks", [150, 250, 150, 250, 150, 1750]),
    (.blinks(4), "4 blinks", [150, 250, 150, 250, 150, 250, 150, 1750]),
    (.blinks(5), "5 blinks", [150, 250, 150, 250, 150, 250, 150, 250, 150, 1750]),
    (.held, "button held", [50, 50]),
    (.wiping, "wiping", [100, 100, 100, 700]),
    (.identify, "identify", [80, 80, 80, 80, 80, 580]),
]

@Suite struct LightPatternTests {
    @Test(arguments: table.indices) func followsTheTableForThreeCycles(row: Int) {
        let (pattern, text, cycle) = table[row]
        #expect(pattern.text == text)
        var begin: Int64 = 0
        for (index, length) in (cycle + cycle + cycle).enumerated() {
            let end = begin + length
            for elapsed in [begin, begin + 1, end - 1] {
                let state = pattern.state(at: elapsed)
                #expect(state.lit == (index % 2 == 0), "\(text) at \(elapsed) ms")
                #expect(state.until == end, "\(text) at \(elapsed) ms")
            }
            begin = end
        }
    }

    @Test(arguments: [(LightPattern.solid, "solid", true), (.letGo, "let go", true), (.off, "off", false)])
    func whatNeverChangesAsksForNoWakeUp(pattern: LightPattern, text: String, lit: Bool) {
        #expect(pattern.text == text)
        for elapsed: Int64 in [0, 1, 999, 1000, 86_400_000_000] {
            #expect(pattern.state(at: elapsed).lit == lit)
            #expect(pattern.state(at: elapsed).until == nil)
        }
    }

    @Test(arguments: [
        ("100/100", [100, 100]), ("80/80,80/580", [80, 80, 80, 580]), ("20/60000", [20, 60_000]),
        ("20/20,30/30,40/40,50/50,60/60,70/70,80/80,90/91", [20, 20, 30, 30, 40, 40, 50, 50, 60, 60, 70, 70, 80, 80, 90, 91]),
    ] as [(String, [Int64])])
    func readsTheApplicationsPattern(text: String, times: [Int64]) throws {
        let pattern = try #require(LightPattern(application: text))
        #expect(pattern.text == "application")
        #expect(pattern.phases.map { $0.milliseconds } == times)
        #expect(pattern.phases.map { $0.lit } == times.indices.map { $0 % 2 == 0 })
    }

    @Test(arguments: [("on", true), ("off", false)]) func anApplicationsLightMayBeSteady(text: String, lit: Bool) throws {
        let pattern = try #require(LightPattern(application: text))
        #expect(pattern.text == "application")
        #expect(pattern.state(at: 12_345) == (lit, nil))
    }

    @Test(arguments: [
        "", "ON", "100", "100/", "/100", "100/100,", ",100/100", "100/100/100", "100/100/100/100", "100/100,100", "19/100", "100/60001", "0/100",
        "-100/100", "100/ 100", "1e3/100", "99999999999999999999/100",
        "20/20,20/20,20/20,20/20,20/20,20/20,20/20,20/20,20/20",
    ])
    func refusesWhatIsNoPattern(text: String) { #expect(LightPattern(application: text) == nil) }

    @Test func isTheSameAfterAYearOfUptime() {
        let year: Int64 = 365 * 86_400_000
        let cycles = year / 400 * 400
        #expect(LightPattern.working.state(at: cycles + 199) == (true, cycles + 200))
        #expect(LightPattern.working.state(at: cycles + 200) == (false, cycles + 400))
    }
}

private func == (a: (lit: Bool, until: Int64?), b: (Bool, Int64?)) -> Bool { a.lit == b.0 && a.until == b.1 }
