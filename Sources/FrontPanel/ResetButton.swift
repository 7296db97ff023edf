/// The gestures of the one button. Pure: levels and times in milliseconds come in, gestures come out.
///
///     from             event                                to         gestures                    walked by
///     up               pressed                              held       held                        press
///     held             down for `hold`                      ripe       letGo                       step
///     held             let go                               up         cancelled, pressed          release
///     ripe             let go                               up         reset                       release
///     held, ripe       down for 30 s                        stuck      cancelled, stuck            step
///     held, ripe       noise, or suspend                    ignored    cancelled                   ignore
///     up               pressed amid noise, or suspended     ignored                                ignore, press
///     ignored, stuck   let go                               up                                     release
///
/// In the press that was there at power-on `resetAtStart` stands for `reset`, and `windowClosed` for `pressed` and
/// after every other end: exactly one of the two, and the last of that press.
///
/// `pressed` and `let go` are believed changes (Debounce), dated by the first edge of each: let go 1 ms before its
/// time is no reset, however the contacts bounce. Time stands still while the level is in doubt, so that `letGo` is
/// never shown to a finger that has gone. Noise is more than 8 edges in a second. `ignored` and `stuck` are down and
/// count for nothing until let go.
///
/// A button that is down at power-on never gave an edge, so its level is read: it is `held` from `start` on. A button
/// that is up at power-on costs no time at all.
public struct ResetButton: Sendable {
    /// What the button asks for, and what the LED has to answer.
    public enum Gesture: Sendable, Equatable {
        /// Held, not yet long enough.
        case held
        /// Long enough: let go now.
        case letGo
        /// Nothing of it: what the LED showed of a gesture goes.
        case cancelled
        /// Down at power-on, held long enough, let go: reset now.
        case resetAtStart
        /// Down at power-on, and no reset after all: the boot goes on.
        case windowClosed
        /// Held long enough while running, and let go.
        case reset
        /// Let go before its time, while running.
        case pressed
        /// Down for 30 s: a fault, not a finger.
        case stuck
    }

    private enum State: Sendable, Equatable {
        /// No gesture.
        case up
        /// Pressed for less than `hold`.
        case held
        /// Pressed for `hold`: letting go resets.
        case ripe
        /// Down, and of no account until let go.
        case ignored
        /// As `ignored`, after `stuckTime`.
        case stuck
    }

    /// How long a level must rest to be believed, in milliseconds.
    public static let debounce = Debounce.time
    /// Longer is not a finger, in milliseconds.
    public static let stuckTime: Int64 = 30_000
    /// More edges than this within a second are not a finger either.
    public static let edgeLimit = 8

    /// How long to hold, in milliseconds. From `stuckTime` on no reset is possible.
    public let hold: Int64
    private var state = State.up
    private var contact = Debounce()
    /// Whether the present press is the one that was there at power-on.
    private var inWindow = false
    private var suspended = false
    /// When the present press began: its first edge, or the first LED edge for a button down at power-on.
    private var pressedAt: Int64 = 0
    /// Edges of the last second.
    private var edges: [Int64] = []

    /// A button that is up.
    public init(hold: Int64 = 5_000) { self.hold = hold }

    /// `up`, `down` or `stuck`, for status.json.
    public var text: String {
        switch state {
        case .up: "up"
        case .held, .ripe, .ignored: "down"
        case .stuck: "stuck"
        }
    }

    /// The level at power-on; `now` is the LED's first edge, from which a button that is down counts its time.
    public mutating func start(down: Bool, at now: Int64) -> [Gesture] {
        guard down else { return [] }
        contact = Debounce(isDown: true)
        inWindow = true
        pressedAt = now
        state = .held
        return [.held]
    }

    /// An edge, with the time it happened at, which may be long ago.
    public mutating func edge(pressed: Bool, at now: Int64) -> [Gesture] {
        var gestures = time(now)
        contact.edge(pressed: pressed, at: now)
        edges.removeAll { now - $0 >= 1000 }
        edges.append(now)
        if edges.count > ResetButton.edgeLimit {
            // No more than that many are needed, whatever a broken line does.
            edges.removeFirst()
            gestures += ignore()
        }
        return gestures
    }

    /// Time has passed. To be called at `next`, and harmless at any other time.
    public mutating func time(_ now: Int64) -> [Gesture] {
        var gestures: [Gesture] = []
        while let due = next, now >= due { gestures += step() }
        return gestures
    }

    /// When something will happen without another edge; nil for never.
    public var next: Int64? {
        if let settled = contact.next { return settled }
        switch state {
        case .held: return pressedAt + min(hold, ResetButton.stuckTime)
        case .ripe: return pressedAt + ResetButton.stuckTime
        case .up, .ignored, .stuck: return nil
        }
    }

    /// Takes no gesture until `resume`, and cancels the present one: while wiping, a second press means nothing.
    @discardableResult
    public mutating func suspend() -> [Gesture] {
        suspended = true
        return ignore()
    }

    /// Takes gestures again. A button that is down first has to be let go.
    public mutating func resume() { suspended = false }

    /// What was due at `next`.
    private mutating func step() -> [Gesture] {
        if contact.isDoubted {
            let changedAt = contact.settle()
            if !contact.isDown { return release(at: changedAt) }
            return changedAt.map { press(at: $0) } ?? []
        }
        if state == .held && hold < ResetButton.stuckTime {
            state = .ripe
            return [.letGo]
        }
        state = .stuck
        return [.cancelled, .stuck] + closeWindow()
    }

    private mutating func press(at now: Int64) -> [Gesture] {
        // Noise made it `ignored` before it was believed.
        guard state == .up else { return [] }
        if suspended {
            state = .ignored
            return []
        }
        pressedAt = now
        state = .held
        return [.held]
    }

    /// - Parameter now: nil when the doubt was about a press that came to nothing.
    private mutating func release(at now: Int64?) -> [Gesture] {
        let was = state
        state = .up
        guard let now, was == .held || was == .ripe else { return [] }
        if now - pressedAt < hold { return [.cancelled] + (inWindow ? closeWindow() : [.pressed]) }
        if !inWindow { return [.reset] }
        inWindow = false
        return [.resetAtStart]
    }

    /// Whatever the button does now counts for nothing until it has been let go.
    private mutating func ignore() -> [Gesture] {
        switch state {
        case .held, .ripe:
            state = .ignored
            return [.cancelled] + closeWindow()
        case .up:
            // A press that is not believed yet is part of it.
            if contact.isDoubted { state = .ignored }
            return []
        case .ignored, .stuck:
            return []
        }
    }

    private mutating func closeWindow() -> [Gesture] {
        guard inWindow else { return [] }
        inWindow = false
        return [.windowClosed]
    }
}
