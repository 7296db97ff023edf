#if Lab
import ArgumentParser
import Foundation
import VirtualBoard

struct FirstlightLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firstlight-lab", abstract: "A board that is not there, to boot, measure and unplug.",
        subcommands: [StoryCommand.self, DeskCommand.self, BootCommand.self, OldDeviceCommand.self, TortureCommand.self, TortureLaneCommand.self,
            PlantCommand.self, MutantsCommand.self, F2FSCommand.self])
}

/// Where the built things are.
struct Places: ParsableArguments {
    @Option(help: "The folder that scripts/build-image filled.")
    var board = "build/board"

    @Option(help: "The example appliance's migrations.")
    var migrations = "rootfs-overlay/usr/share/firstlight/migrations/app"

    @Option(help: "Another firstlightd in the place of the board's own, as one linked with musl.", completion: .file())
    var daemon: String?

    func workshop() throws -> Workshop {
        try Workshop(
            board: URL(fileURLWithPath: board), migrations: URL(fileURLWithPath: migrations),
            daemon: daemon.map { try Data(contentsOf: URL(fileURLWithPath: $0)) })
    }
}

struct StoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "story", abstract: "Plays what appliances go through; fails if anything deviates.")

    @OptionGroup var places: Places
    @Option(help: "Only these of its parts: \(Story.Part.allCases.map(\.rawValue).joined(separator: ", ")).") var part: [Story.Part] = []
    @Option(help: "Only scenes whose title has this in it; again for more of them.") var scene: [String] = []
    @Flag(help: "Also the scenes that take long and say little more.") var full = false
    @Option(help: "Draws the LED's traces there, as an SVG: the part database is what the picture is of.") var traces: String?

    func run() throws {
        let workshop = try places.workshop()
        let scratch = workshop.scratch
        defer { scratch.remove() }
        let interruption = Interruption { scratch.remove() }
        defer { withExtendedLifetime(interruption) {} }
        let picture = traces.map { Traces(URL(fileURLWithPath: $0)) }
        let story = Story(workshop, full: full, only: scene, traces: picture)
        guard try story.play(part.isEmpty ? Story.Part.allCases : part) else { throw ExitCode(1) }
        try picture?.write()
    }
}

struct DeskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "desk", abstract: "The board on your desk: its LED, its console, its button and its plug.")

    @OptionGroup var places: Places

    func run() throws {
        let workshop = try places.workshop()
        let scratch = workshop.scratch
        defer { scratch.remove() }
        let desk = try Desk(workshop)
        let terminal = try Terminal()
        defer { terminal.restore() }
        let interruption = Interruption {
            terminal.restore()
            scratch.remove()
        }
        defer { withExtendedLifetime(interruption) {} }
        desk.run(on: terminal)
    }
}

struct OldDeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "old-device", abstract: "Makes the database of a device that is two years old.")

    @OptionGroup var places: Places
    @Argument(help: "The file to make.") var file: String

    func run() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try OldDevice.make(
            at: URL(fileURLWithPath: file), migrations: URL(fileURLWithPath: places.migrations), in: scratch)
        print("\(file): \(OldDevice.readings) readings")
    }
}
#endif
