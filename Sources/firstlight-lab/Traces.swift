#if Lab
import Foundation
import VirtualBoard

/// README's picture: some scenes of the story's part `database`, as they were on the pin.
final class Traces {
    /// The time axis, in seconds.
    static let seconds = 18
    /// It counts what the disk gets, and goes on only behind that: the kernel alone writes more the longer a partition is mounted.
    private static let quiet = "second boot: nothing to do, nothing written"

    private static let captions = [
        ("blank disk: formatted and migrated", "First boot: blank disk, formatted, migrated"),
        (quiet, "Every day: nothing to do, nothing written"),
        ("old device's disk: all pending steps, readings kept", "Update: eight steps, two years of data"),
        ("firmware with a broken step: back to the old schema", "Broken update: undone, the old schema stays"),
        ("database overwritten with garbage: restored from the snapshot", "Database is garbage: its snapshot is put back"),
        ("garbage, and every snapshot damaged too: rebuilt", "Snapshots too: rebuilt, the rest in quarantine"),
        ("no data disk: in RAM", "No data disk: the appliance works in RAM"),
        ("fresh device whose first migration is broken", "First migration is broken: no database"),
        ("button held from power-on for 6 s: wiped", "Button held for 6 s: back to factory state"),
    ]

    private let file: URL
    private var found: [String: LightTrace] = [:]

    init(_ file: URL) { self.file = file }

    /// Whether the scene is to go on behind READY until the time axis is full.
    func watches(_ scene: String) -> Bool { scene != Self.quiet && Self.captions.contains { $0.0 == scene } }

    /// - Parameter light: what the pin did since the scene's last power-on.
    func add(_ scene: String, _ seen: Observation, _ light: LightRecorder) {
        guard let (_, caption) = Self.captions.first(where: { $0.0 == scene }), let pattern = seen.pattern else { return }
        found[scene] = LightTrace(
            title: caption, edges: light.edges, end: light.milliseconds, ready: Double(seen.readyMilliseconds), outcome: seen.outcome,
            pattern: pattern)
    }

    func write() throws {
        for (scene, _) in Self.captions where found[scene] == nil { throw BoardError("\(file.path) is not written: no scene \"\(scene)\" was played") }
        let drawing = TraceDrawing(Self.captions.compactMap { found[$0.0] }, seconds: Self.seconds)
        try drawing.svg.write(to: file, atomically: true, encoding: .utf8)
    }
}
#endif
