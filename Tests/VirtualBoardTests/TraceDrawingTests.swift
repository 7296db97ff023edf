#if Lab
import Foundation
import FoundationXML
import Testing

@testable import VirtualBoard

/// The drawing read back as a browser does: as XML, its blocks by their coordinates.
@Suite struct TraceDrawingTests {
    /// Lit and dark in turn, from 1 s after power-on.
    private func edges(_ lengths: [Double]) -> [LightEdge] {
        var (time, isOn, edges) = (1000.0, true, [LightEdge]())
        for length in lengths {
            edges.append(LightEdge(milliseconds: time, isOn: isOn))
            (time, isOn) = (time + length, !isOn)
        }
        if !isOn { edges.append(LightEdge(milliseconds: time, isOn: false)) }
        return edges
    }

    private func trace(_ edges: [LightEdge], title: String = "A board", end: Double = 10_000, ready: Double = 4000, _ pattern: LightPattern = .solid) -> LightTrace {
        LightTrace(title: title, edges: edges, end: end, ready: ready, outcome: "current", pattern: pattern)
    }

    private func drawn(_ traces: [LightTrace]) throws -> XMLElement {
        try #require(try XMLDocument(xmlString: TraceDrawing(traces, seconds: 10).svg).rootElement())
    }

    /// From where to where on the axis each block of that colour is, as fractions of its length.
    private func blocks(_ svg: XMLElement, _ colour: String) throws -> [(from: Double, to: Double)] {
        let grid = paths(svg, "grid").compactMap { Double($0.dropFirst().prefix { $0 != " " }) }
        let (left, right) = (try #require(grid.first), try #require(grid.last))
        return paths(svg, colour).flatMap { $0.split(separator: "M") }.compactMap { block in
            let words = block.split { " hvz".contains($0) }.compactMap { Double($0) }
            guard words.count >= 3 else { return nil }
            return ((words[0] - left) / (right - left), (words[0] + words[2] - left) / (right - left))
        }
    }

    private func paths(_ svg: XMLElement, _ style: String) -> [String] {
        // Not attribute(forName:), which finds none where the document has a default namespace.
        func value(_ path: XMLElement, _ name: String) -> String? { path.attributes?.first { $0.name == name }?.stringValue }
        return svg.elements(forName: "path").filter { value($0, "class") == style }.compactMap { value($0, "d") }
    }

    private func words(_ svg: XMLElement) -> [String] { svg.elements(forName: "text").compactMap { $0.stringValue } }

    @Test func aLitLEDIsABlockFromItsEdgeToTheNext() throws {
        let svg = try drawn([trace(edges([1500, 500, 3000]))])
        let solid = try blocks(svg, "well")
        // What is no pattern is drawn all the same.
        let other = try blocks(svg, "none")
        #expect(solid.count == 1 && other.count == 1)
        for (found, wanted) in zip([other[0].from, other[0].to, solid[0].from, solid[0].to], [0.1, 0.25, 0.3, 0.6]) {
            #expect(abs(found - wanted) < 0.0005, "\(found), not \(wanted)")
        }
    }

    @Test func phasesHaveTheColoursAndNamesOfTheirPatterns() throws {
        let lengths = [100.0, 100].repeated(4) + [200, 200].repeated(4) + [400, 100].repeated(3) + [150, 250, 150, 1750].repeated(3)
        let svg = try drawn([trace(edges(lengths), end: 11_800, ready: 5000, .blinks(2))])
        for (colour, count) in [("starting", 4), ("working", 4), ("recovering", 3)] { #expect(try blocks(svg, colour).count == count, "\(colour)") }
        let named = words(svg)
        for name in ["starting", "working", "recovering", "2 blinks", "current", "ready 5.0 s"] { #expect(named.contains(name), "\(name) in \(named)") }
    }

    /// Only the light that follows upon the flicker, not any one of that length.
    @Test func theMomentToLetGoIsNamed() throws {
        let svg = try drawn([trace(edges([900, 300] + [50, 50].repeated(40) + [900, 300, 2500]), ready: 7400)])
        let panel = try blocks(svg, "panel")
        #expect(panel.count == 41)
        #expect(words(svg).filter { $0 == "let go" }.count == 1)
    }

    @Test func nothingIsDrawnBehindTheAxis() throws {
        let svg = try drawn([trace(edges([100, 100].repeated(80)), end: 17_000)])
        let last = try #require(blocks(svg, "starting").map { $0.to }.max())
        #expect(last <= 1 && last > 0.98)
    }

    @Test func aLightThatIsStillOnEndsWhereItWasWatched() throws {
        let svg = try drawn([trace([LightEdge(milliseconds: 2000, isOn: true)], end: 7000)])
        #expect(try blocks(svg, "well").map { ($0.to * 1000).rounded() } == [700])
    }

    @Test func titlesAreTextAndNoMarkup() throws {
        let svg = try drawn([trace([], title: "<script>: a & b", .dark)])
        #expect(words(svg).contains("<script>") && words(svg).contains("a & b"))
        #expect(svg.elements(forName: "script").isEmpty)
    }

    /// The worst that nine scenes can be: a button that is held all the time.
    @Test func nineRowsAreSmallAndInBothColours() {
        let held = trace(edges([50, 50].repeated(70)), ready: 9000)
        let svg = TraceDrawing([LightTrace](repeating: held, count: 9), seconds: 10).svg
        #expect(svg.utf8.count < 40_000, "\(svg.utf8.count) bytes")
        #expect(svg.contains("prefers-color-scheme:dark"))
    }
}

extension [Double] {
    fileprivate func repeated(_ count: Int) -> [Double] { (0..<count).flatMap { _ in self } }
}
#endif
