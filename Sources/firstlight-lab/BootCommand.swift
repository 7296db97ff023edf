#if Lab
import ArgumentParser
import Foundation
import VirtualBoard

struct BootCommand: ParsableCommand {
    enum End: String, CaseIterable, ExpressibleByArgument {
        case cut
        case powerOff = "power-off"
    }

    static let configuration = CommandConfiguration(
        commandName: "boot", abstract: "Boots somebody's own image once, with the LED measured at the pin.",
        discussion: """
            The board is QEMU's virt machine: the disks are /dev/vda, /dev/vdb and so on and are written to, the console is ttyAMA0, the LED \
            hangs on line 5 of gpiochip0 and a button, which nobody presses, on line 2. Prints pattern, outcome and time; exits 1 when they \
            are not what was expected, or when pin and outcome do not agree.

            firstlightd is heard by way of the kernel's log: `quiet` on the command line keeps that off the console, unless an init script \
            turns it up (dmesg -n 7).
            """)

    @Option(help: "An uncompressed kernel image.", completion: .file(), transform: Self.file) var kernel: URL?
    @Option(help: "Its initramfs.", completion: .file(), transform: Self.file) var initrd: URL?
    @Option(help: "A bootloader in the place of the kernel: u-boot.bin.", completion: .file(), transform: Self.file) var bios: URL?
    @Option(help: "The device tree, if not the machine's own.", completion: .file(), transform: Self.file) var dtb: URL?
    @Option(help: "A disk; again for another one.", completion: .file(), transform: Self.file) var disk: [URL] = []
    @Option(help: "For the kernel's command line, behind \"console=ttyAMA0 panic=1\": root=/dev/vda") var append = ""
    @Option(help: "The outcome that is expected; else it is any.") var expect: String?
    @Option(help: "What the LED should show once ready, if not the outcome's own: solid, dark, or a number of blinks.", transform: Self.light)
    var light: LightPattern?
    @Option(help: "How long the board may take until it is ready.") var seconds = 120
    @Option(help: "How it ends: the plug is pulled, or somebody types poweroff at the shell or behind the login prompt.") var end = End.cut

    private static func file(_ path: String) throws -> URL {
        guard FileManager.default.fileExists(atPath: path) else { throw ValidationError("\(path) does not exist.") }
        return URL(fileURLWithPath: path)
    }

    private static func light(_ text: String) throws -> LightPattern {
        switch text {
        case "solid": return .solid
        case "dark": return .dark
        default:
            guard let count = Int(text), (1...6).contains(count) else { throw ValidationError("\(text) is no pattern of a board that is ready.") }
            return .blinks(count)
        }
    }

    func validate() throws {
        if (kernel == nil) == (bios == nil) { throw ValidationError("Either --kernel or --bios is needed.") }
        if bios != nil, initrd != nil || !append.isEmpty {
            throw ValidationError("--initrd and --append go with --kernel: a bootloader has its own.")
        }
        if let expect, LightPattern(outcome: expect) == nil { throw ValidationError("\(expect) is no outcome.") }
    }

    func run() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let interruption = Interruption { scratch.remove() }
        defer { withExtendedLifetime(interruption) {} }
        let board = VirtualBoard(in: scratch)
        do {
            try boot(board)
        } catch {
            board.cutPower()
            print("DEVIATES: \(error)")
            print("LED: \(board.light.segments.map { $0.description }.joined(separator: ", "))")
            print(board.console.transcript.split(separator: "\n").suffix(60).map { "  | \($0)" }.joined(separator: "\n"))
            throw ExitCode(1)
        }
    }

    private func boot(_ board: VirtualBoard) throws {
        let files = kernel.map { BootFiles(kernel: $0, initramfs: initrd, deviceTree: dtb) } ?? BootFiles(bios: bios!, deviceTree: dtb)
        try board.powerOn(files, drives: disk.map { Drive($0) }, commandLine: append)
        let outcome = try board.waitForReady(seconds: Double(seconds))
        let ready = Int(board.light.milliseconds)
        guard let wanted = light ?? LightPattern(outcome: outcome) else { throw Deviation("\"\(outcome)\" on the console is no outcome") }
        let seen = board.light.wait(for: wanted, seconds: 15) ? wanted : board.light.current
        print("\(seen?.description ?? "no pattern") \(outcome) \(ready) ms")
        if let expect, expect != outcome { throw Deviation("the outcome is \(outcome), not \(expect)") }
        if seen != wanted { throw Deviation("the pin shows \(seen?.description ?? "no pattern"), not \(wanted)") }
        switch end {
        case .cut: board.cutPower()
        case .powerOff: try board.powerOff()
        }
    }
}
#endif
