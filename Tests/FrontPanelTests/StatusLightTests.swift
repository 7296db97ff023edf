import FrontPanel
import Testing

@Suite struct StatusLightTests {
    @Test func theHighestSlotWins() {
        var light = StatusLight()
        light.show(.solid, in: .status, at: 0)
        #expect(light.shown == .solid)
        light.show(.working, in: .application, at: 1)
        #expect(light.shown == .working)
        light.show(.identify, in: .identify, at: 2)
        #expect(light.shown == .identify)
        light.show(.held, in: .gesture, at: 3)
        #expect(light.shown == .held)
        light.show(.blinks(3), in: .status, at: 4)
        #expect(light.shown == .held)
        light.show(nil, in: .gesture, at: 5)
        #expect(light.shown == .identify)
        light.show(nil, in: .identify, at: 6)
        #expect(light.shown == .blinks(3))
        light.show(nil, in: .status, at: 7)
        #expect(light.shown == .off)
    }

    @Test func theApplicationIsSeenOnlyWhileTheStatusIsPlainSolid() {
        for status: LightPattern? in [nil, .starting, .working, .recovering, .wiping, .blinks(2), .off] {
            var light = StatusLight()
            light.show(.identify, in: .application, at: 0)
            light.show(status, in: .status, at: 0)
            #expect(light.shown == status ?? .off)
            light.show(.solid, in: .status, at: 10)
            #expect(light.shown == .identify)
        }
    }

    @Test func nothingShownIsDarkAndNeedsNoWakeUp() {
        var light = StatusLight()
        let state = light.update(at: 12_345)
        #expect(state.lit == false)
        #expect(state.next == nil)
    }

    @Test func aPatternBeginsWhenItIsFirstSeen() {
        var light = StatusLight()
        light.show(.working, in: .status, at: 1_030)
        #expect(light.update(at: 1_030).lit)
        #expect(light.update(at: 1_030).next == 1_230)
        #expect(!light.update(at: 1_230).lit)
    }

    @Test func showingTheSameAgainDoesNotDisturbItsPhase() {
        var light = StatusLight()
        light.show(.working, in: .status, at: 0)
        for now in stride(from: Int64(0), to: 4_000, by: 7) {
            light.show(.working, in: .status, at: now)
            let state = light.update(at: now)
            #expect(state.lit == (now % 400 < 200))
            #expect(state.next == now / 200 * 200 + 200)
        }
    }

    @Test func aHiddenChangeDoesNotDisturbWhatIsSeen() {
        var light = StatusLight()
        light.show(.held, in: .gesture, at: 0)
        light.show(.working, in: .status, at: 30)
        #expect(light.update(at: 30).next == 50)
        light.show(.recovering, in: .status, at: 70)
        #expect(light.update(at: 70).lit == false)
        #expect(light.update(at: 70).next == 100)
    }

    @Test func lateWakeUpsMoveNoLaterEdge() {
        var light = StatusLight()
        light.show(.recovering, in: .status, at: 0)
        var now: Int64 = 0
        // Each wake-up comes up to 19 ms late, as on a busy board.
        for turn in 0..<1_000 {
            let (lit, next) = light.update(at: now)
            #expect(lit == (now % 500 < 400))
            #expect(next == (now % 500 < 400 ? now / 500 * 500 + 400 : now / 500 * 500 + 500))
            now = next! + Int64(turn * 7 % 20)
        }
    }

    @Test func aWakeUpMissedByMinutesFallsBackIntoStep() {
        var light = StatusLight()
        light.show(.blinks(2), in: .status, at: 0)
        let cycle: Int64 = 150 + 250 + 150 + 1_750
        #expect(light.update(at: 100 * cycle + 410).lit)
        #expect(light.update(at: 100 * cycle + 410).next == 100 * cycle + 550)
    }

    @Test func identifyEndsByItselfAfterFifteenSeconds() {
        var light = StatusLight()
        light.show(.solid, in: .status, at: 0)
        light.show(.identify, in: .identify, at: 1_000)
        #expect(light.update(at: 15_999).next == 16_000)
        #expect(light.shown == .identify)
        let state = light.update(at: 16_000)
        #expect(light.shown == .solid)
        #expect(state.lit)
        #expect(state.next == nil)
    }

    @Test func identifyAskedForAgainLastsFifteenSecondsFromThen() {
        var light = StatusLight()
        light.show(.solid, in: .status, at: 0)
        light.show(.identify, in: .identify, at: 0)
        light.show(.identify, in: .identify, at: 10_000)
        _ = light.update(at: 24_999)
        #expect(light.shown == .identify)
        _ = light.update(at: 25_000)
        #expect(light.shown == .solid)
    }

    @Test func identifyEndsUnseenBehindAGesture() {
        var light = StatusLight()
        light.show(.working, in: .status, at: 0)
        light.show(.identify, in: .identify, at: 0)
        light.show(.letGo, in: .gesture, at: 14_000)
        #expect(light.update(at: 14_000).next == 15_000)
        #expect(light.update(at: 15_000).next == nil)
        light.show(nil, in: .gesture, at: 16_000)
        #expect(light.shown == .working)
    }

    /// The kernel makes the edges; the end of `identify` is still ours.
    @Test func whoMakesNoEdgesIsWokenForAnotherPatternOnly() {
        var light = StatusLight()
        light.show(.working, in: .status, at: 0)
        #expect(light.update(at: 30, edges: false).lit)
        #expect(light.update(at: 30, edges: false).next == nil)
        light.show(.identify, in: .identify, at: 100)
        #expect(light.update(at: 100, edges: false).next == 15_100)
        #expect(light.update(at: 15_100, edges: false).next == nil)
        #expect(light.shown == .working)
        // As before for who makes them.
        #expect(light.update(at: 15_100).next == 15_300)
    }
}
