#if Lab
/// What the LED's pin did in one scene, from power-on, and what came of it: a row of `TraceDrawing`.
public struct LightTrace: Sendable {
    public let title: String
    public let edges: [LightEdge]
    /// How long the pin was watched, and when the console said READY, in milliseconds since power-on.
    public let end: Double
    public let ready: Double
    /// As status.json has it.
    public let outcome: String
    /// What the pin shows once ready.
    public let pattern: LightPattern

    public init(title: String, edges: [LightEdge], end: Double, ready: Double, outcome: String, pattern: LightPattern) {
        self.title = title
        self.edges = edges
        self.end = end
        self.ready = ready
        self.outcome = outcome
        self.pattern = pattern
    }
}
#endif
