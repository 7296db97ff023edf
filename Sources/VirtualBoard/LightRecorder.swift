#if Lab
import Foundation

/// The oscilloscope on the LED's pin: every edge since power-on with the host's time.
public final class LightRecorder: Sendable {
    private struct Record {
        var powerOn = MonotonicTime.now
        var powerOff: Double?
        var edges: [LightEdge] = []
    }
    private let record = Monitored(Record())

    public init() {}

    /// The board got power: the record begins anew, in the dark.
    func begin() { record.update { $0 = Record() } }

    /// The board has no power any more: dark from here on.
    func end() {
        record.update { record in
            if record.powerOff != nil { return }
            record.powerOff = MonotonicTime.now.milliseconds(since: record.powerOn)
        }
    }

    func add(isOn: Bool, at time: MonotonicTime) {
        record.update { record in
            record.edges.append(LightEdge(milliseconds: time.milliseconds(since: record.powerOn), isOn: isOn))
        }
    }

    /// All edges since power-on.
    public var edges: [LightEdge] { record.update { $0.edges } }

    /// Milliseconds since power-on; they stop when the power goes.
    public var milliseconds: Double { record.update { Self.end(of: $0) } }

    /// Whether the light is on now.
    public var isOn: Bool { record.update { $0.powerOff == nil && $0.edges.last?.isOn == true } }

    /// What the LED showed since power-on.
    public var segments: [LightSegment] {
        let (edges, end) = record.update { ($0.edges, Self.end(of: $0)) }
        return PatternRecognizer(edges: edges, until: end).segments
    }

    /// The pattern that goes on now; nil where the last edges belong to none, or not yet.
    public var current: LightPattern? {
        guard record.update({ $0.powerOff == nil }) else { return .dark }
        // A long record costs time on every look, and what was long ago says nothing about now.
        let (edges, end) = record.update { ($0.edges.suffix(60), Self.end(of: $0)) }
        guard let last = PatternRecognizer(edges: Array(edges), until: end).segments.last, last.to >= end else { return nil }
        return last.pattern
    }

    /// Waits for the first edge; its time in milliseconds since power-on.
    public func waitForFirstEdge(seconds: Double) -> Double? {
        record.wait(seconds: seconds) { $0.edges.first?.milliseconds }
    }

    /// Waits until the LED shows `pattern`; false after `seconds`.
    public func wait(for pattern: LightPattern, seconds: Double) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if current == pattern { return true }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return false
    }

    private static func end(of record: Record) -> Double {
        record.powerOff ?? MonotonicTime.now.milliseconds(since: record.powerOn)
    }
}
#endif
