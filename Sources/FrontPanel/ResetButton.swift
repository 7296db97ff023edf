/// The gestures of the one button. Pure: levels and times in milliseconds come in, gestures come out.
///
///     up ──pressed──► bouncing ──20 ms──► held ──hold──► ripe ──let go──► up     reset, or resetAtStart
///      ▲                  │ let go          │ let go       │ 30 s
///      ├──────────────────┘                 │              ▼
///      ├───────────── pressed ◄─────────────┘            stuck ──let go──► up
///      └── more than 8 edges in a second, from any state ──► up             cancelled
///
/// "let go" counts when the level has stayed up for the debounce time, but the hold is measured to the edge itself: a release 1 ms before
/// its time is no reset, however long the contacts bounce afterwards.
///
/// A button that is down at power-on never gave an edge, so its level is read: it is `held` from the start, until a `resetAtStart` or
/// `windowClosed` ends the reset window. A button that is up at power-on costs no time at all.
public struct ResetButton: Sendable {
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
        /// A short press.
        case pressed
        /// Down for 30 s: a fault, not a finger.
        case stuck
    }

    enum State: Sendable, Equatable {
        case up
        /// Just pressed; not yet believed.
        case bouncing
        case held
        /// Held long enough.
        case ripe
        case stuck
    }

    public static let debounce: Int64 = 20
    /// Longer is not a finger, in milliseconds.
    public static let stuckTime: Int64 = 30_000
    /// More edges than this within a second are not a finger either.
    public static let edgeLimit = 8

    /// How long to hold, in milliseconds.
    public let hold: Int64
    private(set) var state = State.up
    private var inWindow = false
    private var suspended = false
    private var down = false
    /// When the present press began: its first edge, or the first LED edge for a button down at power-on.
    private var pressedAt: Int64 = 0
    /// When the level went up, while it is not yet believed.
    private var releasedAt: Int64?
    /// Edges of the last second.
    private var edges: [Int64] = []

    public init(hold: Int64 = 5_000) { self.hold = hold }

    /// `up`, `down` or `stuck`, for status.json.
    public var text: String {
        switch state {
        case .up: "up"
        case .bouncing, .held, .ripe: "down"
        case .stuck: "stuck"
        }
    }

    /// The level at power-on, read once the LED has given its first edge.
    public mutating func start(down: Bool, at now: Int64) -> [Gesture] {
        guard down else { return [] }
        self.down = true
        inWindow = true
        state = .held
        pressedAt = now
        return [.held]
    }

    /// An edge, with the time it happened at.
    public mutating func edge(pressed: Bool, at now: Int64) -> [Gesture] {
        var gestures = time(now)
        edges.append(now)
        edges.removeAll { now - $0 >= 1000 }
        down = pressed
        if suspended || state == .stuck && pressed { return gestures }
        if edges.count > ResetButton.edgeLimit {
            if state != .up { gestures += end([.cancelled]) }
            return gestures
        }
        switch (state, pressed) {
        case (.up, true):
            state = .bouncing
            pressedAt = now
            releasedAt = nil
        case (.up, false):
            break
        case (_, true):
            // The contacts bounced: it was never let go.
            releasedAt = nil
        case (_, false):
            if releasedAt == nil { releasedAt = now }
        }
        return gestures
    }

    /// Time has passed. To be called at `next`, and harmless at any other time.
    public mutating func time(_ now: Int64) -> [Gesture] {
        if suspended { return [] }
        var gestures: [Gesture] = []
        while let due = next, now >= due { gestures += step(at: due) }
        return gestures
    }

    /// When something will happen without another edge; nil for never.
    public var next: Int64? {
        if suspended { return nil }
        if let releasedAt { return releasedAt + ResetButton.debounce }
        switch state {
        case .up, .stuck: return nil
        case .bouncing: return pressedAt + ResetButton.debounce
        case .held: return pressedAt + hold
        case .ripe: return pressedAt + ResetButton.stuckTime
        }
    }

    private mutating func step(at now: Int64) -> [Gesture] {
        if let releasedAt {
            let held = releasedAt - pressedAt
            let was = state
            let window = inWindow
            switch was {
            case .up: return end([])
            case .stuck: return end([])
            case .bouncing: return end(held >= ResetButton.debounce ? [.pressed] : [])
            case .held, .ripe:
                if held >= hold { return end(window ? [.resetAtStart] : [.reset]) }
                return end(window ? [.cancelled] : [.cancelled, .pressed])
            }
        }
        switch state {
        case .bouncing:
            state = .held
            return [.held]
        case .held:
            state = .ripe
            return [.letGo]
        case .ripe:
            state = .stuck
            let closing: [Gesture] = inWindow ? [.windowClosed] : []
            inWindow = false
            return [.cancelled, .stuck] + closing
        case .up, .stuck:
            return []
        }
    }

    /// Back to `up`, and the reset window with it.
    private mutating func end(_ gestures: [Gesture]) -> [Gesture] {
        var gestures = gestures
        if inWindow && !gestures.contains(.resetAtStart) { gestures.append(.windowClosed) }
        inWindow = false
        releasedAt = nil
        state = .up
        return gestures
    }

    /// Takes no gesture until `resume`: while wiping, a second press means nothing.
    public mutating func suspend() {
        suspended = true
        state = .up
        releasedAt = nil
        inWindow = false
    }

    /// Takes gestures again. A button that is still down first has to be let go.
    public mutating func resume(down: Bool) {
        suspended = false
        self.down = down
        edges = []
        state = down ? .stuck : .up
    }
}
