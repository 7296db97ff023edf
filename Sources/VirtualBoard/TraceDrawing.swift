#if Lab
import Foundation

/// Traces of the LED's pin, one below the other on a common time axis, as an SVG: lit is a block, its colour the pattern that was recognised.
/// Pure: the same traces give the same drawing.
public struct TraceDrawing {
    private let traces: [LightTrace]
    private let seconds: Int

    /// The width that GitHub gives to a page's text, about, so that nothing is scaled to where it cannot be read.
    private static let width = 940.0
    private static let (axisLeft, axisRight) = (212.0, 838.0)
    private static let (top, rowHeight, pulseHeight) = (58.0, 45.0, 15.0)

    /// - Parameter seconds: the time axis's length; what a trace has beyond it is not drawn.
    public init(_ traces: [LightTrace], seconds: Int) {
        self.traces = traces
        self.seconds = seconds
    }

    public var svg: String {
        let bottom = Self.top + Self.rowHeight * Double(traces.count)
        let height = bottom + 62
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.number(Self.width)) \(Self.number(height))\" role=\"img\">",
            "<title>What the LED says</title>",
            "<desc>The LED's pin over time from power-on, in \(traces.count) boots, as measured.</desc>",
            Self.style,
            "<rect class=\"card\" x=\".5\" y=\".5\" width=\"\(Self.number(Self.width - 1))\" height=\"\(Self.number(height - 1))\" rx=\"8\"/>",
            text("What the LED says", 20, 30, "head"),
            text("its pin as measured, in seconds from power-on", Self.axisLeft, 30, "small"),
            text("outcome", Self.axisRight + 14, 30, "small"),
        ]
        for second in 0...seconds {
            let x = Self.number(position(Double(second) * 1000))
            lines.append("<path class=\"grid\" d=\"M\(x) \(Self.number(Self.top - 14))V\(Self.number(bottom - 4))\"/>")
            if second % 2 == 0 { lines.append(text("\(second)", position(Double(second) * 1000), bottom + 10, "small middle")) }
        }
        for (index, trace) in traces.enumerated() { lines += row(trace, baseline: Self.top + Self.rowHeight * Double(index) + 22) }
        return (lines + legend(bottom + 40) + ["</svg>", ""]).joined(separator: "\n")
    }

    private func row(_ trace: LightTrace, baseline: Double) -> [String] {
        let end = min(trace.end, Double(seconds) * 1000)
        let after = Self.colour(trace.pattern)
        let (title, detail) = Self.halves(trace.title)
        var lines = [
            text(title, 20, baseline - 8, "title"), text(detail, 20, baseline + 7, "small"),
            text(trace.outcome, Self.axisRight + 14, baseline - 8, "title t-\(after)"),
            text("\(trace.pattern)", Self.axisRight + 14, baseline + 7, "small"),
            "<path class=\"line\" d=\"M\(Self.number(Self.axisLeft)) \(Self.number(baseline))H\(Self.number(position(end)))\"/>",
        ]
        let segments = PatternRecognizer(edges: trace.edges, until: trace.end).segments
        var named = 0.0
        // Above the trace, unless the name before it is in the way.
        func name(_ words: String, _ colour: String, at milliseconds: Double) {
            let x = position(milliseconds)
            if x < named { return }
            named = x + Double(words.count) * 5.5 + 4
            lines.append(text(words, x, baseline - Self.pulseHeight - 4, "phase t-\(colour)"))
        }
        for segment in segments where segment.from < min(trace.ready, end) {
            if let words = Self.name(segment.pattern) { name(words, Self.colour(segment.pattern), at: segment.from) }
        }
        var blocks: [String: String] = [:]
        for (from, to) in Self.lit(trace.edges, until: trace.end) where from < end {
            let middle = (from + to) / 2
            var colour = segments.first { $0.from <= middle && middle <= $0.to }.map { Self.colour($0.pattern) } ?? "none"
            // What says that the button may be let go is solid, and mostly over before that is a pattern.
            if colour == "none", to - from >= 500, segments.contains(where: { $0.pattern == .held && abs($0.to - from) < 150 }) {
                colour = Self.colour(.held)
                name("let go", colour, at: from)
            }
            let (x, width) = (position(from), position(min(to, end)) - position(from))
            let y = Self.number(baseline - Self.pulseHeight)
            blocks[colour, default: ""]
                += "M\(Self.number(x)) \(y)h\(Self.number(width))v\(Self.number(Self.pulseHeight))h\(Self.number(-width))z"
        }
        for (colour, path) in blocks.sorted(by: { $0.key < $1.key }) { lines.append("<path class=\"\(colour)\" d=\"\(path)\"/>") }
        if trace.ready <= end {
            let x = position(trace.ready)
            lines.append("<path class=\"mark\" d=\"M\(Self.number(x)) \(Self.number(baseline + 1))l3.5 6h-7z\"/>")
            let words = String(format: "ready %.1f s", trace.ready / 1000)
            lines.append(x + 70 < Self.axisRight ? text(words, x + 6, baseline + 9, "phase") : text(words, x - 6, baseline + 9, "phase end"))
        }
        return lines
    }

    private func legend(_ y: Double) -> [String] {
        var lines: [String] = []
        var x = 20.0
        for (colour, words) in [
            ("starting", "starting 100/100"), ("working", "working 200/200"), ("recovering", "recovering 400/100"),
            ("panel", "button, erasing"), ("well", "ready, all is well"), ("warn", "ready, look at it"), ("bad", "needs somebody"), ("none", "too short to name"),
        ] where colour == "none" || traces.contains(where: { Self.shows($0, colour) }) {
            lines.append("<rect class=\"\(colour)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y - 8))\" width=\"9\" height=\"9\" rx=\"2\"/>")
            lines.append(text(words, x + 14, y, "small"))
            x += 14 + Double(words.count) * 5.7 + 18
        }
        return lines
    }

    // ---- What is where ----

    private func position(_ milliseconds: Double) -> Double {
        Self.axisLeft + milliseconds / 1000 * (Self.axisRight - Self.axisLeft) / Double(seconds)
    }

    /// From when to when the LED was lit.
    private static func lit(_ edges: [LightEdge], until end: Double) -> [(Double, Double)] {
        var (found, since): ([(Double, Double)], Double?) = ([], nil)
        for edge in edges where edge.isOn != (since != nil) {
            if let from = since { found.append((from, edge.milliseconds)) }
            since = edge.isOn ? edge.milliseconds : nil
        }
        if let since, since < end { found.append((since, end)) }
        return found
    }

    private static func shows(_ trace: LightTrace, _ colour: String) -> Bool {
        PatternRecognizer(edges: trace.edges, until: trace.end).segments.contains { self.colour($0.pattern) == colour }
    }

    private static func colour(_ pattern: LightPattern) -> String {
        switch pattern {
        case .dark: "none"
        case .starting: "starting"
        case .working: "working"
        case .recovering: "recovering"
        case .held, .wiping, .identify: "panel"
        case .solid, .blinks(1): "well"
        case .blinks(2), .blinks(3): "warn"
        case .blinks: "bad"
        }
    }

    /// Of a phase before READY; what comes then is said at the right.
    private static func name(_ pattern: LightPattern) -> String? {
        switch pattern {
        case .dark, .solid, .blinks: nil
        case .held: "button held"
        case .wiping: "erasing"
        default: pattern.description
        }
    }

    /// A title's first half is what is the matter, its second what is done about it.
    private static func halves(_ title: String) -> (String, String) {
        guard let colon = title.range(of: ": ") else { return (title, "") }
        return (String(title[..<colon.lowerBound]), String(title[colon.upperBound...]))
    }

    // ---- SVG ----

    private func text(_ words: String, _ x: Double, _ y: Double, _ style: String) -> String {
        let escaped = words.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        return "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\">\(escaped)</text>"
    }

    /// A tenth of a point is less than a pixel, and a millisecond less than that.
    private static func number(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// It has a ground of its own: a page's colours need not be those that the reader's system prefers.
    private static let style = """
        <style>
        text{font:12px -apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;fill:#59636e}
        .head{font-size:16px;font-weight:600;fill:#1f2328}
        .title{font-size:13px;font-weight:600;fill:#1f2328}
        .small{font-size:11px}
        .phase{font-size:10px}
        .middle{text-anchor:middle}
        .end{text-anchor:end}
        .card{fill:#fff;stroke:#d1d9e0}
        .grid{stroke:#818b98;stroke-opacity:.18}
        .line{stroke:#818b98}
        .mark{fill:#59636e}
        .none{fill:#818b98}
        .starting,.t-starting{fill:#0598bc}
        .working,.t-working{fill:#0969da}
        .recovering,.t-recovering{fill:#bc4c00}
        .panel,.t-panel{fill:#8250df}
        .well,.t-well{fill:#1a7f37}
        .warn,.t-warn{fill:#b08800}
        .bad,.t-bad{fill:#cf222e}
        @media (prefers-color-scheme:dark){
        text{fill:#9198a1}
        .head,.title{fill:#f0f6fc}
        .card{fill:#0d1117;stroke:#3d444d}
        .mark{fill:#9198a1}
        .starting,.t-starting{fill:#39c5cf}
        .working,.t-working{fill:#58a6ff}
        .recovering,.t-recovering{fill:#f0883e}
        .panel,.t-panel{fill:#bc8cff}
        .well,.t-well{fill:#3fb950}
        .warn,.t-warn{fill:#e3b341}
        .bad,.t-bad{fill:#ff7b72}
        }
        </style>
        """
}
#endif
