#if Lab
/// A change of the LED's pin, in milliseconds since power-on, by the host's clock.
public struct LightEdge: Hashable, Sendable {
    public let milliseconds: Double
    public let isOn: Bool

    public init(milliseconds: Double, isOn: Bool) {
        self.milliseconds = milliseconds
        self.isOn = isOn
    }
}

/// A stretch of time in which the LED showed one pattern, in milliseconds since power-on.
public struct LightSegment: Hashable, Sendable, CustomStringConvertible {
    public let pattern: LightPattern
    public var from: Double
    public var to: Double

    public var description: String { "\(pattern) \(Int(from))–\(Int(to)) ms" }
}
#endif
