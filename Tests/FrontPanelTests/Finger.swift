import FrontPanel

/// A gesture and when the machine gave it.
struct Told: Equatable, CustomStringConvertible {
    let gesture: ResetButton.Gesture
    let at: Int64
    var description: String { "\(gesture) at \(at)" }
}

/// An edge on the button's line.
struct Edge: Equatable {
    let pressed: Bool
    let at: Int64
}

/// Drives a machine as the poll loop does: it sleeps until `next` or the next edge.
struct Finger {
    var button: ResetButton
    var told: [Told] = []
    private var now: Int64 = 0

    init(hold: Int64 = 5_000) { button = ResetButton(hold: hold) }

    var gestures: [ResetButton.Gesture] { told.map(\.gesture) }

    mutating func start(down: Bool, at time: Int64 = 0) {
        now = time
        tell(button.start(down: down, at: time))
    }

    mutating func wait(until time: Int64) {
        while let next = button.next, next <= time {
            // A due time in the past is one that was held up by a doubt; it is told now.
            now = max(now, next)
            tell(button.time(now))
        }
        now = max(now, time)
    }

    mutating func edge(_ pressed: Bool, at time: Int64) {
        wait(until: time)
        tell(button.edge(pressed: pressed, at: time))
    }

    mutating func press(at time: Int64, bounces: [Int64] = []) { train(true, time, bounces) }
    mutating func release(at time: Int64, bounces: [Int64] = []) { train(false, time, bounces) }

    /// One clean edge, then a pair of edges for each bounce: away and back, that many milliseconds apart each.
    private mutating func train(_ pressed: Bool, _ time: Int64, _ bounces: [Int64]) {
        edge(pressed, at: time)
        var time = time
        for gap in bounces {
            edge(!pressed, at: time + gap)
            edge(pressed, at: time + 2 * gap)
            time += 2 * gap
        }
    }

    private mutating func tell(_ gestures: [ResetButton.Gesture]) {
        told += gestures.map { Told(gesture: $0, at: now) }
    }
}

/// SplitMix64: the same sequences on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
