import FrontPanel
import Testing

/// Ten thousand random sequences, a judge that works otherwise than the machine, and no false reset.
@Suite struct RandomPressTests {
    /// What a judge says who has the whole recording before them: no clock, no timers, no states.
    ///
    /// The level is believed where it rests for 20 ms. A believed stretch of "down" begins at the first edge after
    /// the rest before it, and ends at the first edge after its own last rest.
    struct Judge {
        enum Verdict: Equatable { case pressed, reset, stuck, noise }

        let edges: [Edge]
        let hold: Int64
        let startsDown: Bool

        func verdicts(end: Int64) -> [Verdict] {
            // Rests, as (level, from, to).
            var rests: [(down: Bool, from: Int64, to: Int64)] = []
            rests.append((startsDown, startsDown ? 0 : -1_000, edges.first?.at ?? end))
            for (index, edge) in edges.enumerated() {
                let to = index + 1 < edges.count ? edges[index + 1].at : end
                if to - edge.at >= 20 { rests.append((edge.pressed, edge.at, to)) }
            }
            let noise = edges.indices.filter { $0 >= 8 && edges[$0].at - edges[$0 - 8].at < 1_000 }.map { edges[$0].at }
            var verdicts: [Verdict] = []
            var index = 0
            while index < rests.count {
                guard rests[index].down else {
                    index += 1
                    continue
                }
                let begin = startsDown && index == 0 ? 0 : rests[index - 1].to
                let first = index
                while index + 1 < rests.count, rests[index + 1].down { index += 1 }
                // The first moment after 30 s at which nobody doubts that it is down.
                let stuck = rests[first...index].lazy
                    .map { ($0, max(begin + 30_000, $0.from + 20)) }
                    .first { $1 <= $0.to }?.1
                let letGo = rests[index].to
                let known = index + 1 < rests.count ? rests[index + 1].from + 20 : end
                let spoilt = noise.first { $0 >= begin && $0 < known }
                if let stuck, stuck <= spoilt ?? .max {
                    verdicts.append(.stuck)
                } else if spoilt != nil {
                    verdicts.append(.noise)
                } else {
                    verdicts.append(letGo - begin >= hold ? .reset : .pressed)
                }
                index += 1
            }
            return verdicts
        }
    }

    /// A recording: presses of every kind of length, near `hold` above all, with bounce 1–15 ms apart, glitches, and
    /// now and then noise.
    static func recording(_ random: inout SeededGenerator, hold: Int64, startsDown: Bool) -> [Edge] {
        var edges: [Edge] = []
        var now: Int64 = 0
        var down = startsDown
        func flip(after gap: Int64) {
            now += gap
            down.toggle()
            edges.append(Edge(pressed: down, at: now))
        }
        func bounce() {
            for _ in 0..<(2 * Int.random(in: 0...3, using: &random)) {
                flip(after: .random(in: 1...15, using: &random))
            }
        }
        func length() -> Int64 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: .random(in: 1...40, using: &random)
            case 1: .random(in: 15...25, using: &random)
            case 2: .random(in: 29_950...30_050, using: &random)
            case 3: .random(in: 100...40_000, using: &random)
            case 4...6: hold + .random(in: -60...60, using: &random)
            default: hold + .random(in: -2...2, using: &random)
            }
        }
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            if !down {
                flip(after: .random(in: 1...3_000, using: &random))
                bounce()
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                // The contact opens for a moment.
                flip(after: .random(in: 20...1_500, using: &random))
                flip(after: .random(in: 15...25, using: &random))
            }
            if Int.random(in: 0..<12, using: &random) == 0 {
                for _ in 0..<(2 * Int.random(in: 2...8, using: &random)) {
                    flip(after: .random(in: 1...120, using: &random))
                }
            }
            // Measured from the first edge of this press, as a stop-watch would.
            let since = edges.last(where: \.pressed).map { min($0.at, now) } ?? 0
            flip(after: max(1, length() - (Bool.random(using: &random) ? now - since : 0)))
            bounce()
        }
        return edges
    }

    static func verdicts(_ told: [Told]) -> [Judge.Verdict] {
        told.indices.compactMap { index in
            switch told[index].gesture {
            case .pressed: .pressed
            case .reset, .resetAtStart: .reset
            case .stuck: .stuck
            case .windowClosed where told[index - 1].gesture == .cancelled: .pressed
            case .held, .letGo, .cancelled, .windowClosed: nil
            }
        }
    }

    @Test func tenThousandSequencesAndNoFalseReset() {
        var random = SeededGenerator(seed: 0xF1857_1167)
        var counted: [String: Int] = [:]
        for sequence in 0..<10_000 {
            let hold: Int64 = [1_500, 5_000, 5_000, 10_000][sequence % 4]
            let startsDown = sequence % 3 == 0
            let edges = Self.recording(&random, hold: hold, startsDown: startsDown)
            var finger = Finger(hold: hold)
            finger.start(down: startsDown)
            for edge in edges {
                // Some wake-ups are for something else.
                if Int.random(in: 0..<4, using: &random) == 0 { finger.wait(until: edge.at - 1) }
                finger.edge(edge.pressed, at: edge.at)
            }
            let end = (edges.last?.at ?? 0) + 100_000
            finger.wait(until: end)

            let judged = Judge(edges: edges, hold: hold, startsDown: startsDown).verdicts(end: end)
            for verdict in judged { counted["\(verdict)", default: 0] += 1 }
            // A press that noise spoilt may not be told at all, and in the window as closed.
            let window = startsDown && judged.first == .noise
            let told = Self.verdicts(finger.told).dropFirst(window ? 1 : 0)
            guard Array(told) == judged.filter({ $0 != .noise }) else {
                Issue.record(
                    """
                    sequence \(sequence), hold \(hold), down \(startsDown): \(edges)
                    told \(finger.told)
                    judged \(judged)
                    """)
                return
            }
            // Whatever was shown is taken back, or turned into something, in order.
            var shown = 0
            for gesture in finger.gestures {
                switch gesture {
                case .held: #expect(shown == 0); shown = 1
                case .letGo: #expect(shown == 1); shown = 2
                case .reset, .resetAtStart: #expect(shown == 2); shown = 0
                case .cancelled: #expect(shown > 0); shown = 0
                case .pressed, .stuck, .windowClosed: #expect(shown == 0)
                }
            }
            #expect(shown == 0)
            #expect(finger.button.text == "up")
            #expect(finger.gestures.count { $0 == .resetAtStart || $0 == .windowClosed } == (startsDown ? 1 : 0))
        }
        // The sequences reach every verdict, often.
        for verdict in ["pressed", "reset", "stuck", "noise"] {
            #expect(counted[verdict, default: 0] > 500, "\(counted)")
        }
    }
}
