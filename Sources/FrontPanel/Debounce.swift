/// A level that bounces, and what to believe of it. Pure: edges in milliseconds come in, changes come out.
///
///     believed ──an edge away from it──► doubted ──no edge for 20 ms──► believed: the level it rests at
///                                        │    ▲
///                                        └────┘ any edge
///
/// A change that comes to be believed is dated by the edge that began the doubt: however long contacts bounce after a
/// release, it was let go at its first edge. A level that returns within the doubt was never away.
struct Debounce: Sendable {
    /// How long a level must rest to be believed, in milliseconds.
    static let time: Int64 = 20

    /// Whether the button is down, as far as is believed.
    private(set) var isDown = false
    private var level = false
    /// The first and the last edge of the doubt.
    private var doubt: (since: Int64, edge: Int64)?

    /// Takes the level as it is, without any doubt.
    init(isDown: Bool = false) {
        self.isDown = isDown
        level = isDown
    }

    var isDoubted: Bool { doubt != nil }

    /// When the doubt ends without another edge; nil without one.
    var next: Int64? { doubt.map { $0.edge + Debounce.time } }

    /// An edge. Two of the same kind in a row are ordinary: the kernel reads the level some time after the interrupt,
    /// and a bounce is over by then (gpiolib-cdev.c, `edge_irq_thread`).
    mutating func edge(pressed: Bool, at now: Int64) {
        level = pressed
        if let doubt {
            self.doubt = (doubt.since, max(doubt.edge, now))
        } else if pressed != isDown {
            doubt = (now, now)
        }
    }

    /// Ends the doubt, at `next`. When the believed level changed, or nil when it did not.
    mutating func settle() -> Int64? {
        guard let since = doubt?.since else { return nil }
        doubt = nil
        if level == isDown { return nil }
        isDown = level
        return since
    }
}
