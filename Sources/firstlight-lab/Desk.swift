#if Lab
import Foundation
import VirtualBoard

/// The board on your desk: a person's hands on the virtual board, in a terminal.
///
///     off ──p──► on ──c──► off              cut: at once
///     on ──n x g o──► shutting down ──► changed ──► on
///     on ──the system reboots──► on         (QEMU ends at a reset, and is started again)
final class Desk {
    private let workshop: Workshop
    private let board: VirtualBoard
    private var firmware: Firmware
    private var disk: DataDisk
    private var screen = DeskScreen()
    /// What is to be done once the board is off, whether it was told to shut down, and when the patience for that ends.
    private var pending: (change: () throws -> Void, isTold: Bool, deadline: Date)?

    init(_ workshop: Workshop) throws {
        self.workshop = workshop
        board = VirtualBoard(in: workshop.scratch)
        firmware = workshop.firmware
        disk = try workshop.blankDisk()
        (screen.firmware, screen.disk) = ("as built", "blank")
    }

    /// Runs until the person quits. The board is without power then.
    func run(on terminal: Terminal) {
        defer { board.cutPower() }
        attempt("A blank disk is in the board, and it has power.") { try powerOn() }
        var frame = 0
        while true {
            follow()
            draw(on: terminal, thoroughly: frame % 5 == 0)
            frame += 1
            // 20 ms: the quickest pattern changes every 50.
            guard let key = terminal.key(milliseconds: 20) else { continue }
            if key == "q" || key == "\u{3}" { return }
            press(key, terminal)
            draw(on: terminal, thoroughly: true)
        }
    }

    private func press(_ key: Character, _ terminal: Terminal) {
        switch key {
        case "b":
            let isDown = !screen.isButtonDown
            attempt(isDown ? "You hold the button down." : "You let go of the button.") {
                if board.isOn { try isDown ? board.pressButton() : board.releaseButton() }
                screen.isButtonDown = isDown
            }
        case "c" where screen.hasPower:
            pending = nil
            board.cutPower()
            screen.hasPower = false
            screen.message = "You pulled the plug."
        case "p" where !screen.hasPower:
            attempt("It has power.") { try powerOn() }
        case "n":
            change("the next firmware is installed") { [self] in
                (firmware, screen.firmware) = (workshop.nextFirmware, "next")
            }
        case "x":
            change("a firmware with a broken migration is installed") { [self] in
                (firmware, screen.firmware) = (workshop.brokenFirmware, "broken step")
            }
        case "g":
            change("the database is overwritten with garbage") { [self] in try disk.overwrite(["/app/app.db"]) }
        case "o":
            change("the disk of a device from two years ago goes in") { [self] in
                (disk, screen.disk) = (try workshop.oldDisk(), "old device's")
                (firmware, screen.firmware) = (workshop.firmware, "as built")
            }
        default: break
        }
    }

    /// Shuts the board down in order, makes the change once it is off, and starts it again.
    private func change(_ text: String, _ body: @escaping () throws -> Void) {
        screen.message = screen.hasPower ? "It shuts down first; then \(text)." : "Now \(text)."
        let change = { [self] in
            try body()
            screen.message = "Done: \(text), and it has power."
        }
        pending = (change, isTold: false, Date(timeIntervalSinceNow: 30))
    }

    /// Keeps up with what the board does by itself.
    private func follow() {
        if let pending, board.isOn {
            if Date() > pending.deadline {
                // A system that hangs would not shut down for anybody.
                board.cutPower()
            } else if !pending.isTold, board.console.hasShell {
                board.console.type("poweroff\n")
                self.pending?.isTold = true
            }
        }
        if board.isOn { return }
        if let pending {
            self.pending = nil
            screen.hasPower = false
            attempt(nil, pending.change)
            attempt(nil, powerOn)
        } else if screen.hasPower {
            attempt("It rebooted.", powerOn)
        }
    }

    private func powerOn() throws {
        screen.hasPower = false
        try board.powerOn(firmware, disk: disk, buttonDown: screen.isButtonDown)
        screen.hasPower = true
    }

    private func attempt(_ success: String?, _ body: () throws -> Void) {
        do {
            try body()
            if let success { screen.message = success }
        } catch {
            screen.message = "That did not work: \(String(describing: error).prefix { $0 != "\n" })"
        }
    }

    /// The light is looked at in every frame, the console and the pattern's name, which take longer, in some.
    private func draw(on terminal: Terminal, thoroughly: Bool) {
        screen.isLit = board.light.isOn
        let size = terminal.size
        if thoroughly {
            screen.seconds = Int(board.light.milliseconds / 1000)
            screen.pattern = board.light.current?.description ?? "…"
            screen.console = Self.printable(board.console.transcript)
                .split(separator: "\n", omittingEmptySubsequences: false).suffix(size.rows).map(String.init)
        }
        terminal.show(screen.lines(columns: size.columns, rows: size.rows))
    }

    /// Without the controls that the board's shell sends to a terminal it believes to be alone on.
    private static func printable(_ text: String) -> String {
        let plain = text.replacing(/\u{1B}\[[0-9;?]*[@-~]/, with: "").replacing("\t", with: "    ")
        return String(String.UnicodeScalarView(plain.unicodeScalars.filter { $0 == "\n" || $0.value >= 0x20 }))
    }
}
#endif
