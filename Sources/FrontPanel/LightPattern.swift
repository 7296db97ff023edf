internal import Linux

/// What the status LED does, over and over, until it shows something else.
public struct LightPattern: Sendable, Equatable {
    /// One stretch of light or dark.
    public struct Phase: Sendable, Equatable {
        public let lit: Bool
        /// For how long; a pattern of one phase never changes.
        public let milliseconds: Int64
    }

    /// Its name in status.json and in logs.
    public let text: String
    /// In order, then from the beginning.
    public let phases: [Phase]

    private init(_ text: String, _ times: Int64...) {
        self.init(text, times: times)
    }

    /// On, off, on, off …
    private init(_ text: String, times: [Int64]) {
        self.text = text
        phases = times.enumerated().map { Phase(lit: $0.offset % 2 == 0, milliseconds: $0.element) }
    }

    private init(_ text: String, phases: [Phase]) {
        self.text = text
        self.phases = phases
    }

    /// Starting, and the reset window.
    public static let starting = LightPattern("starting", 100, 100)
    /// Checking, mounting, migrating.
    public static let working = LightPattern("working", 200, 200)
    /// Repairing, restoring, rebuilding.
    public static let recovering = LightPattern("recovering", 400, 100)
    /// Ready, and nothing to tell.
    public static let solid = LightPattern("solid", 1000)
    /// The button is held, not yet long enough.
    public static let held = LightPattern("button held", 50, 50)
    /// Long enough: let go now.
    public static let letGo = LightPattern("let go", 1000)
    /// Erasing: a heartbeat.
    public static let wiping = LightPattern("wiping", 100, 100, 100, 700)
    /// Which of the devices on the wall it is.
    public static let identify = LightPattern("identify", 80, 80, 80, 80, 80, 580)
    public static let off = LightPattern("off", phases: [Phase(lit: false, milliseconds: 1000)])

    /// Ready with a code to count, from 1: N × (150 on, 250 off), then 1500 more dark.
    public static func blinks(_ n: Int) -> LightPattern {
        let blink = [Phase(lit: true, milliseconds: 150), Phase(lit: false, milliseconds: 250)]
        var phases: [Phase] = []
        for _ in 1..<max(n, 1) { phases += blink }
        return LightPattern("\(n) blinks", phases: phases + [blink[0], Phase(lit: false, milliseconds: 250 + 1500)])
    }

    /// The application's own: `on`, `off`, or on/off in ms as in `100/100` and `80/80,80/580`, at most 8 of these, each time from 20 to
    /// 60000. Nil for anything else.
    public init?(application text: String) {
        switch text {
        case "on": self.init("application", phases: LightPattern.solid.phases)
        case "off": self.init("application", phases: LightPattern.off.phases)
        default:
            var times: [Int64] = []
            for pair in Text.split(text, 0x2C) {
                guard times.count < 16, let pair = Text.cut(pair, at: 0x2F), let on = Text.number(pair.before), let off = Text.number(pair.after),
                    // Shorter is nothing to the eye; the LED would only cost wake-ups.
                    min(on, off) >= 20, max(on, off) <= 60_000
                else { return nil }
                times += [on, off]
            }
            self.init("application", times: times)
        }
    }

    /// The light this long after the pattern began, and the elapsed time at which it next changes; nil when it never
    /// does.
    public func state(at elapsed: Int64) -> (lit: Bool, until: Int64?) {
        if phases.count == 1 { return (phases[0].lit, nil) }
        let cycle = phases.reduce(0) { $0 + $1.milliseconds }
        var end = elapsed - elapsed % cycle
        for phase in phases {
            end += phase.milliseconds
            if elapsed < end { return (phase.lit, end) }
        }
        return (false, end)
    }
}
