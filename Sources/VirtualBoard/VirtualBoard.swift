#if Lab
import Foundation

/// A board that is not there: QEMU's `virt` machine with a real kernel, a real GPIO controller with an LED on line 5 and a
/// button on line 2, a data disk, a serial console, and a plug to pull.
public final class VirtualBoard {
    /// The oscilloscope on the LED's pin.
    public let light = LightRecorder()
    /// Another on the pin of the LED that the kernel's own driver has (`led:status`).
    public let kernelLight = LightRecorder()
    public let console = Console()

    private let scratch: Scratch
    private var machine: Child?
    private var control: QMP?
    private var pins: QTest?
    private var gpio = ""
    private let poweredOff = Monitored(false)

    private static let lightLine = 5
    private static let kernelLightLine = 6
    private static let buttonLine = 2
    private static let keyLine = 4

    public init(in scratch: Scratch) { self.scratch = scratch }

    deinit { machine?.kill() }

    public var isOn: Bool { machine?.isRunning ?? false }

    /// Applies power: the firmware is all in RAM, and the disks are for its data.
    /// - Parameters:
    ///   - disk: nil boots without any.
    ///   - drives: behind the data disk, in their order.
    ///   - commandLine: what the kernel is told besides.
    ///   - watchdog: with an i6300esb that resets the machine.
    ///   - buttonDown: somebody holds the button from before power-on.
    public func powerOn(
        _ firmware: Firmware, disk: DataDisk?, drives: [Drive] = [], commandLine: String = "", watchdog: Bool = false,
        buttonDown: Bool = false
    ) throws {
        try powerOn(
            firmware.files(in: scratch), drives: (disk.map { [$0.drive] } ?? []) + drives, commandLine: "quiet \(commandLine)",
            watchdog: watchdog, buttonDown: buttonDown)
    }

    /// Applies power: what the files do not bring is on the disks.
    /// - Parameters:
    ///   - drives: /dev/vda, /dev/vdb and so on.
    ///   - commandLine: what the kernel is told besides its console. A bootloader has its own.
    public func powerOn(
        _ files: BootFiles, drives: [Drive], commandLine: String = "", watchdog: Bool = false, buttonDown: Bool = false
    ) throws {
        precondition(!isOn)
        let (serial, qmp, qtest) = try (Channel(), Channel(), Channel())
        var arguments = files.arguments(commandLine: commandLine)
        arguments += [
            "-m", "256", "-accel", "tcg", "-display", "none", "-nic", "none", "-rtc", "base=1970-01-01", "-no-reboot", "-S",
            // A slot for a disk that comes late.
            "-device", "pcie-root-port,id=late-port,chassis=1",
            "-chardev", "socket,id=serial,fd=3", "-serial", "chardev:serial",
            "-chardev", "socket,id=qmp,fd=4", "-mon", "chardev=qmp,mode=control",
            "-chardev", "socket,id=qtest,fd=5", "-qtest", "chardev:qtest", "-qtest-log", "none",
        ]
        for (index, drive) in drives.enumerated() { arguments += drive.arguments(index) }
        // A reset ends QEMU (-no-reboot): whoever waits for it sees that.
        if watchdog { arguments += ["-device", "i6300esb", "-action", "watchdog=reset"] }
        poweredOff.update { $0 = false }
        for light in [light, kernelLight] { light.begin() }
        console.begin(serial)
        let (light, kernelLight, poweredOff) = (light, kernelLight, poweredOff)
        let control = QMP(qmp) { event in if event == "SHUTDOWN" { poweredOff.update { $0 = true } } }
        let pins = QTest(qtest) { line, isHigh, time in
            if line == Self.lightLine { light.add(isOn: isHigh, at: time) }
            if line == Self.kernelLightLine { kernelLight.add(isOn: isHigh, at: time) }
        }
        machine = try Child(
            arguments, descriptors: [serial.childDescriptor, qmp.childDescriptor, qtest.childDescriptor],
            log: scratch.file("qemu.log"))
        for channel in [serial, qmp, qtest] { channel.closeChildEnd() }
        (self.control, self.pins) = (control, pins)
        do {
            try control.execute("qmp_capabilities")
            gpio = try findGPIO(control)
            try pins.execute("irq_intercept_out \(gpio)")
            try setButton(down: buttonDown)
            for light in [light, kernelLight] { light.begin() }
            try control.execute("cont")
        } catch {
            cutPower()
            let log = (try? String(contentsOf: scratch.file("qemu.log"), encoding: .utf8)) ?? ""
            throw BoardError("\(error)\n\(log)")
        }
    }

    /// The path differs between QEMU's versions, so it is asked for.
    private func findGPIO(_ control: QMP) throws -> String {
        let children = try control.execute("qom-list", ["path": "/machine/unattached"]) as? [[String: Any]] ?? []
        guard let name = children.first(where: { $0["type"] as? String == "child<pl061>" })?["name"] as? String else {
            throw BoardError("QEMU's virt machine has no pl061")
        }
        return "/machine/unattached/\(name)"
    }

    // Active low with a pull-up: the pin is high until somebody presses.
    private func setButton(down: Bool) throws {
        try pins?.execute("set_irq_in \(gpio) unnamed-gpio-in \(Self.buttonLine) \(down ? 0 : 1)")
    }

    /// The key that the kernel's own driver has (`key:RESTART`): active high.
    public func moveKey(down: Bool) throws {
        try pins?.execute("set_irq_in \(gpio) unnamed-gpio-in \(Self.keyLine) \(down ? 1 : 0)")
    }

    public func pressButton() throws { try setButton(down: true) }
    public func releaseButton() throws { try setButton(down: false) }

    /// Presses or lets go as contacts do: edges so many milliseconds apart before the level rests.
    public func moveButton(down: Bool, bouncing gaps: [Int]) throws {
        for (index, gap) in gaps.enumerated() {
            try setButton(down: (index % 2 == 0) == down)
            Thread.sleep(forTimeInterval: Double(gap) / 1000)
        }
        try setButton(down: down)
    }

    /// The data disk takes no write any more, and fails none: what waits for one waits for ever. Or it works again.
    public func hangDisk(_ hangs: Bool) throws {
        try control?.execute(
            "block_set_io_throttle",
            ["device": "virtio0", "bps": 0, "bps_rd": 0, "bps_wr": hangs ? 1 : 0, "iops": 0, "iops_rd": 0, "iops_wr": 0])
    }

    /// A disk that was not there at power-on.
    public func plug(_ disk: DataDisk) throws {
        guard let control else { return }
        try control.execute("blockdev-add", ["driver": "raw", "node-name": "late", "file": ["driver": "file", "filename": disk.file.path]])
        try control.execute("device_add", ["driver": "virtio-blk-pci", "drive": "late", "bus": "late-port", "id": "late-disk"])
    }

    /// Pulls the plug: the guest's page cache is gone, what reached the disk stays.
    public func cutPower() {
        machine?.kill()
        for light in [light, kernelLight] { light.end() }
    }

    /// Shuts down in order, as a person at the console would.
    public func powerOff() throws {
        try console.logIn(seconds: 30)
        // By its path: a BusyBox shell takes its own applet first, which says something else to systemd.
        console.type("/sbin/poweroff\n")
        let machine = machine
        guard machine?.waitForEnd(seconds: 30) ?? true else {
            cutPower()
            throw BoardError("the board did not power off within 30 s")
        }
        for light in [light, kernelLight] { light.end() }
    }

    /// Waits until firstlightd says on the console that it is ready: the outcome.
    public func waitForReady(seconds: Double) throws -> String {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let ended = !isOn
            // `firstlightd: ` in the kernel's log, `firstlightd[94]: ` in the journal.
            if let said = console.wait(for: ": ready: ", seconds: 0.5) { return String(said.prefix { $0 != "," }) }
            if ended { throw BoardError("the board went off before it was ready") }
            if Date() > deadline { throw BoardError("not ready in \(Int(seconds)) s") }
        }
    }

    /// Whether the board ended by itself within `seconds`.
    public func waitForEnd(seconds: Double) -> Bool { machine?.waitForEnd(seconds: seconds) ?? true }

    /// Bytes written to the data disk since power-on.
    public func bytesWritten() throws -> Int {
        let devices = try control?.execute("query-blockstats") as? [[String: Any]] ?? []
        return devices.reduce(0) { sum, device in
            sum + ((device["stats"] as? [String: Any])?["wr_bytes"] as? Int ?? 0)
        }
    }

    /// QEMU's process, for who wants to see that it is gone.
    public var processID: Int32? { machine?.pid }
}
#endif
