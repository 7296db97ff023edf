/// Which pattern the one LED shows, out of those that want it. Pure: times in milliseconds come in, light comes out.
public struct StatusLight: Sendable {
    /// Who wants the LED; the highest wins.
    public enum Slot: Int, Sendable {
        /// The application's own, seen only while the status is a plain solid ready.
        case application
        case status
        case identify
        case gesture
    }

    /// How long `identify` lasts, in milliseconds.
    public static let identifyTime: Int64 = 15_000

    private var slots: [LightPattern?] = [nil, nil, nil, nil]
    private var identifyEnds: Int64 = 0
    /// What is seen now, and since when: edges are counted from there, so that a late wake-up moves none of the later
    /// ones.
    public private(set) var shown = LightPattern.off
    private var since: Int64 = 0

    public init() {}

    /// Puts a pattern into a slot, or nothing. Showing again what is shown already does not disturb it.
    public mutating func show(_ pattern: LightPattern?, in slot: Slot, at now: Int64) {
        slots[slot.rawValue] = pattern
        if slot == .identify { identifyEnds = now + StatusLight.identifyTime }
        choose(at: now)
    }

    /// The light at `now`, and when to ask again; nil when nothing will change by itself.
    ///
    /// - Parameter edges: false where somebody else makes the pattern's edges (`LightOutput.isDrivenByKernel`): then it is asked again only
    ///   for another pattern.
    public mutating func update(at now: Int64, edges: Bool = true) -> (lit: Bool, next: Int64?) {
        if slots[Slot.identify.rawValue] != nil && now >= identifyEnds { slots[Slot.identify.rawValue] = nil }
        choose(at: now)
        let state = shown.state(at: now - since)
        var next = edges ? state.until.map { since + $0 } : nil
        if slots[Slot.identify.rawValue] != nil { next = min(next ?? identifyEnds, identifyEnds) }
        return (state.lit, next)
    }

    private mutating func choose(at now: Int64) {
        let status = slots[Slot.status.rawValue] ?? .off
        let application = status == .solid ? slots[Slot.application.rawValue] : nil
        let wanted = slots[Slot.gesture.rawValue] ?? slots[Slot.identify.rawValue] ?? application ?? status
        if wanted == shown { return }
        shown = wanted
        since = now
    }
}
