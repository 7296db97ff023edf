import FrontPanel
import Testing

/// One test per row of the table at ResetButton.
@Suite struct ResetButtonTests {
    @Test func upAtPowerOnCostsNothing() {
        var finger = Finger()
        finger.start(down: false)
        #expect(finger.told == [])
        #expect(finger.button.next == nil)
        #expect(finger.button.text == "up")
    }

    @Test func aPressIsBelievedAfterTwentyMilliseconds() {
        var finger = Finger()
        finger.press(at: 100)
        #expect(finger.button.next == 120)
        finger.wait(until: 119)
        #expect(finger.told == [])
        #expect(finger.button.text == "up")
        finger.wait(until: 120)
        #expect(finger.told == [Told(gesture: .held, at: 120)])
        #expect(finger.button.text == "down")
        #expect(finger.button.next == 5_100)
    }

    @Test(arguments: [1, 5, 19] as [Int64]) func aTouchShorterThanThatIsNone(length: Int64) {
        var finger = Finger()
        finger.press(at: 100)
        finger.release(at: 100 + length)
        finger.wait(until: 60_000)
        #expect(finger.told == [])
        #expect(finger.button.text == "up")
    }

    @Test func aTouchOfTwentyMillisecondsIsAPress() {
        var finger = Finger()
        finger.press(at: 100)
        finger.release(at: 120)
        finger.wait(until: 60_000)
        #expect(finger.gestures == [.held, .cancelled, .pressed])
    }

    @Test func heldLongEnoughAndLetGoResets() {
        var finger = Finger()
        finger.press(at: 100)
        finger.release(at: 6_000)
        finger.wait(until: 60_000)
        #expect(
            finger.told == [
                Told(gesture: .held, at: 120), Told(gesture: .letGo, at: 5_100), Told(gesture: .reset, at: 6_020),
            ])
        #expect(finger.button.text == "up")
    }

    @Test func nothingIsResetBeforeItIsLetGo() {
        var finger = Finger()
        finger.press(at: 0)
        finger.wait(until: 29_999)
        #expect(finger.gestures == [.held, .letGo])
    }

    @Test(arguments: [[], [1], [15], [15, 15], [3, 9, 1]] as [[Int64]], [[], [1], [15], [15, 15], [4, 15, 2]])
    func aMillisecondDecides(atPress: [Int64], atRelease: [Int64]) {
        for hold: Int64 in [1_500, 5_000, 10_000] {
            for (length, reset) in [(hold - 1, false), (hold, true), (hold + 1, true)] {
                var finger = Finger(hold: hold)
                finger.press(at: 1_000, bounces: atPress)
                finger.release(at: 1_000 + length, bounces: atRelease)
                finger.wait(until: 120_000)
                #expect(finger.gestures == (reset ? [.held, .letGo, .reset] : [.held, .cancelled, .pressed]))

                finger = Finger(hold: hold)
                finger.start(down: true, at: 1_000)
                finger.release(at: 1_000 + length, bounces: atRelease)
                finger.wait(until: 120_000)
                #expect(
                    finger.gestures == (reset ? [.held, .letGo, .resetAtStart] : [.held, .cancelled, .windowClosed]))
            }
        }
    }

    @Test func aContactThatOpensForLessThanTheDebounceWasNeverLetGo() {
        var finger = Finger()
        finger.press(at: 0)
        finger.release(at: 2_500)
        finger.edge(true, at: 2_519)
        finger.release(at: 5_000)
        finger.wait(until: 60_000)
        #expect(finger.gestures == [.held, .letGo, .reset])
    }

    @Test func aContactThatOpensForTheDebounceWasLetGo() {
        var finger = Finger()
        finger.press(at: 0)
        finger.release(at: 2_500)
        finger.edge(true, at: 2_520)
        finger.release(at: 5_000)
        finger.wait(until: 60_000)
        #expect(finger.gestures == [.held, .cancelled, .pressed, .held, .cancelled, .pressed])
    }

    @Test func letGoIsNotShownToAFingerThatHasGone() {
        var finger = Finger()
        finger.press(at: 0)
        finger.release(at: 4_990)
        finger.wait(until: 60_000)
        #expect(finger.told.last == Told(gesture: .pressed, at: 5_010))
        #expect(!finger.gestures.contains(.letGo))
    }

    @Test func downAtPowerOnCountsFromTheFirstEdgeOfTheLED() {
        var finger = Finger()
        finger.start(down: true, at: 300)
        #expect(finger.told == [Told(gesture: .held, at: 300)])
        #expect(finger.button.next == 5_300)
        finger.wait(until: 5_300)
        #expect(finger.told.last == Told(gesture: .letGo, at: 5_300))
        finger.release(at: 6_300)
        finger.wait(until: 60_000)
        #expect(finger.told.last == Told(gesture: .resetAtStart, at: 6_320))
        // The press after it is an ordinary one.
        finger.press(at: 70_000)
        finger.release(at: 76_000)
        finger.wait(until: 80_000)
        #expect(finger.gestures.suffix(3) == [.held, .letGo, .reset])
    }

    @Test func aStuckButtonAtPowerOnHoldsTheBootForThirtySeconds() {
        var finger = Finger()
        finger.start(down: true, at: 300)
        finger.wait(until: 86_400_000)
        #expect(finger.gestures == [.held, .letGo, .cancelled, .stuck, .windowClosed])
        #expect(finger.told.last == Told(gesture: .windowClosed, at: 30_300))
        #expect(finger.button.text == "stuck")
        #expect(finger.button.next == nil)
    }

    @Test func heldForThirtySecondsIsStuckAndNoReset() {
        for (length, stuck) in [(Int64(29_999), false), (30_000, true), (90_000, true)] {
            var finger = Finger()
            finger.press(at: 0)
            finger.release(at: length, bounces: [7])
            finger.wait(until: 200_000)
            #expect(finger.gestures == (stuck ? [.held, .letGo, .cancelled, .stuck] : [.held, .letGo, .reset]))
            #expect(finger.button.text == "up")
        }
    }

    @Test func aStuckButtonCountsAgainOnceLetGo() {
        var finger = Finger()
        finger.start(down: true)
        finger.wait(until: 40_000)
        finger.release(at: 40_000, bounces: [5, 10])
        #expect(finger.button.text == "stuck")
        finger.wait(until: 41_000)
        #expect(finger.button.text == "up")
        finger.press(at: 42_000)
        finger.release(at: 47_000)
        finger.wait(until: 50_000)
        #expect(finger.gestures.suffix(3) == [.held, .letGo, .reset])
    }

    @Test func aHoldBeyondWhatIsStuckNeverResets() {
        var finger = Finger(hold: 30_000)
        finger.start(down: true)
        finger.release(at: 45_000)
        finger.wait(until: 100_000)
        #expect(finger.gestures == [.held, .cancelled, .stuck, .windowClosed])
    }

    @Test func eightEdgesInASecondAreBounceAndNineAreNoise() {
        for (bounces, noise) in [([2, 2, 2], false), ([2, 2, 2, 2], true)] as [([Int64], Bool)] {
            var finger = Finger()
            finger.press(at: 0, bounces: bounces)
            finger.release(at: 6_000)
            finger.wait(until: 60_000)
            #expect(finger.gestures == (noise ? [] : [.held, .letGo, .reset]))
            #expect(finger.button.text == "up")
        }
    }

    @Test func noiseCancelsAGestureAndClosesTheWindow() {
        for atStart in [false, true] {
            var finger = Finger()
            if atStart { finger.start(down: true) } else { finger.press(at: 0) }
            finger.wait(until: 6_000)
            finger.release(at: 6_000, bounces: [3, 3, 3, 3])
            finger.wait(until: 60_000)
            #expect(finger.gestures == [.held, .letGo, .cancelled] + (atStart ? [.windowClosed] : []))
        }
    }

    /// Each bounce is long enough to be believed by itself.
    @Test func aLooseContactNeverResets() {
        var finger = Finger()
        for i in 0..<200 { finger.edge(i % 2 == 0, at: Int64(i) * 60) }
        finger.wait(until: 60_000)
        #expect(!finger.gestures.contains(.reset))
        // The last edge let go: the next press counts.
        finger.press(at: 70_000)
        finger.release(at: 75_000)
        finger.wait(until: 80_000)
        #expect(finger.gestures.last == .reset)
    }

    @Test func whatIsStillDownAfterNoiseHasToBeLetGoFirst() {
        var finger = Finger()
        finger.press(at: 0, bounces: [2, 2, 2, 2, 2])
        #expect(finger.button.text == "down")
        finger.release(at: 8_000)
        finger.wait(until: 9_000)
        #expect(finger.told == [])
        finger.press(at: 10_000)
        finger.release(at: 15_000)
        finger.wait(until: 20_000)
        #expect(finger.gestures == [.held, .letGo, .reset])
    }

    @Test func theLimitCountsWithinOneSecond() {
        // Nine edges, the first and the last 999 or 1000 ms apart; each press short enough to mean nothing but itself.
        for (span, noise) in [(Int64(999), true), (1_000, false)] {
            var finger = Finger()
            for i in 0..<8 { finger.edge(i % 2 == 0, at: Int64(i) * 100) }
            finger.edge(true, at: span)
            finger.wait(until: span + 100)
            #expect(finger.gestures.last == (noise ? .pressed : .held))
        }
    }

    @Test func twoEdgesOfAKindInARowAreABounceTheKernelMissed() {
        var finger = Finger()
        finger.press(at: 0)
        finger.edge(true, at: 4)
        finger.edge(true, at: 2_000)
        finger.release(at: 4_999)
        finger.edge(false, at: 5_003)
        finger.wait(until: 60_000)
        #expect(finger.gestures == [.held, .cancelled, .pressed])
    }

    @Test func noGestureIsTakenWhileSuspended() {
        var finger = Finger()
        _ = finger.button.suspend()
        finger.press(at: 0)
        finger.release(at: 6_000)
        finger.press(at: 7_000)
        finger.wait(until: 50_000)
        #expect(finger.told == [])
        #expect(finger.button.text == "down")
        // Pressed before the end of it: to be let go first.
        finger.button.resume()
        finger.release(at: 60_000)
        finger.wait(until: 61_000)
        #expect(finger.told == [])
        finger.press(at: 62_000)
        finger.release(at: 67_000)
        finger.wait(until: 70_000)
        #expect(finger.gestures == [.held, .letGo, .reset])
    }

    @Test func suspendingCancelsThePresentGesture() {
        var finger = Finger()
        finger.press(at: 0)
        finger.wait(until: 5_500)
        #expect(finger.button.suspend() == [.cancelled])
        finger.button.resume()
        finger.release(at: 6_000)
        finger.wait(until: 60_000)
        #expect(finger.gestures == [.held, .letGo])

        finger = Finger()
        finger.start(down: true)
        #expect(finger.button.suspend() == [.cancelled, .windowClosed])
    }

    @Test func aLoopThatSleptThroughItAllReadsTheSameGestures() {
        var button = ResetButton()
        var gestures = button.edge(pressed: true, at: 100)
        gestures += button.edge(pressed: false, at: 5_099)
        gestures += button.edge(pressed: true, at: 20_000)
        gestures += button.edge(pressed: false, at: 25_000)
        gestures += button.time(90_000)
        #expect(gestures == [.held, .cancelled, .pressed, .held, .letGo, .reset])
    }

    @Test func aReleaseThatComesLateIsDatedByItself() {
        // The timer fired first; the edge lay in the kernel with an earlier time on it.
        var button = ResetButton()
        _ = button.edge(pressed: true, at: 0)
        #expect(button.time(5_001) == [.held, .letGo])
        #expect(button.edge(pressed: false, at: 4_999) == [])
        #expect(button.time(6_000) == [.cancelled, .pressed])
    }
}
