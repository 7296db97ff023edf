internal import Linux

/// A LED of the kernel's LED class, for boards whose device tree gave the LED to a driver.
///
/// A pattern is handed to the kernel's triggers `timer` and `pattern`, which play it whatever becomes of this process:
///
///     phases     trigger    by
///     one        none       brightness
///     on, off    timer      delay_on, delay_off
///     others     pattern    pattern: each level twice, the second time for 0 ms, which makes it a step and no slope
///
/// Where the kernel has no `timer`, `pattern` stands in for it; where it has neither, our own edges through `brightness`.
///
/// Documentation/leds/leds-class.rst, Documentation/ABI/testing/sysfs-class-led-trigger-pattern.
final class ClassLED {
    private let directory: String
    /// What `brightness` takes for fully lit.
    private let full: String
    /// What `trigger` has. It is written only to change it: that darkens the LED and forgets the trigger's times.
    private var trigger: String
    /// What `brightness` was set to; nil while a trigger moves it.
    private var level: Bool?
    private var shown: [LightPattern.Phase] = []
    /// Whether what is shown needs nobody to make its edges.
    private(set) var isDrivenByKernel = false

    private init(_ directory: String, full: String, trigger: String) {
        self.directory = directory
        self.full = full
        self.trigger = trigger
    }

    /// Takes it from whoever moves it and lights it, or not. `directory` is the LED's own, in /sys/class/leds.
    ///
    /// One that blinks already and is to be lit blinks on until the first `show`: so the daemon before this one left it, when it was killed
    /// at its work.
    static func open(_ directory: String, lit: Bool) throws(LinuxError) -> ClassLED {
        let full = Text.trim(try FileSystem.readText("\(directory)/max_brightness"))
        var trigger = "none"
        do throws(LinuxError) {
            // Every trigger there is, the present one in brackets.
            for word in Text.words(try FileSystem.readText("\(directory)/trigger")) where Text.hasPrefix(word, "[") {
                trigger = String(decoding: word.utf8.dropFirst().dropLast(), as: UTF8.self)
            }
        } catch {
            // Without CONFIG_LEDS_TRIGGERS there is no such file, and nothing that moves the LED (led-class.c).
            if !error.isMissing { throw error }
        }
        let led = ClassLED(directory, full: full, trigger: trigger)
        if !lit || (trigger != "timer" && trigger != "pattern") { try led.set(lit) }
        return led
    }

    /// Hands a pattern that is not shown yet to the kernel, from its beginning. Where the kernel does not take it, `lit` is what the LED is
    /// now, and this has to be called at each edge.
    func show(_ pattern: LightPattern, lit: Bool) {
        if pattern.phases != shown {
            shown = pattern.phases
            isDrivenByKernel = shown.count == 1 ? (try? set(shown[0].lit)) != nil : blink() || play()
        }
        // An error has nobody to be told to: the LED is how one tells.
        if !isDrivenByKernel { try? set(lit) }
    }

    private func set(_ lit: Bool) throws(LinuxError) {
        if level == lit { return }
        try choose("none")
        try write(lit ? full : "0", to: "brightness")
        level = lit
    }

    /// Some LEDs blink in hardware with this one.
    private func blink() -> Bool {
        guard shown.count == 2, shown[0].lit, !shown[1].lit else { return false }
        do throws(LinuxError) {
            // Its files are there only behind it. It begins at once, at 500/500 or with the one new time that it has.
            try choose("timer")
            try write("\(shown[0].milliseconds)", to: "delay_on")
            try write("\(shown[1].milliseconds)", to: "delay_off")
            return true
        } catch {
            return false
        }
    }

    private func play() -> Bool {
        var tuples = ""
        for phase in shown {
            let level = phase.lit ? full : "0"
            tuples += "\(level) \(phase.milliseconds) \(level) 0 "
        }
        do throws(LinuxError) {
            try choose("pattern")
            // For ever, which is also what it begins with, but not what another one who used it may have left.
            try write("-1", to: "repeat")
            do throws(LinuxError) {
                // By a timer of high resolution, where the kernel has that (since 6.10); the other is late by up to an eighth of a long
                // phase, and by a tick in every short one.
                try write(tuples, to: "hr_pattern")
            } catch {
                try write(tuples, to: "pattern")
            }
            return true
        } catch {
            return false
        }
    }

    /// A trigger the kernel has not got, or not yet, is refused with EINVAL, and the present one stays.
    private func choose(_ name: String) throws(LinuxError) {
        level = nil
        if trigger == name { return }
        try write(name, to: "trigger")
        trigger = name
    }

    private func write(_ text: String, to file: String) throws(LinuxError) {
        let file = try FileDescriptor.open("\(directory)/\(file)", .readWrite)
        try file.write(text)
    }
}
