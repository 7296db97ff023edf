internal import Linux

/// A LED of the kernel's LED class, for boards whose device tree gave the LED to a driver.
struct ClassLED {
    private let brightness: String
    /// What `brightness` takes for fully lit.
    private let full: String

    /// Takes it from the kernel's triggers and lights it, or not. `directory` is the LED's own, in /sys/class/leds.
    static func open(_ directory: String, lit: Bool) throws(LinuxError) -> ClassLED {
        let full = Text.trim(try FileSystem.readText("\(directory)/max_brightness"))
        do throws(LinuxError) {
            // A trigger of the kernel's would go on moving it.
            try write("none", to: "\(directory)/trigger")
        } catch {
            // Without CONFIG_LEDS_TRIGGERS there is no such file, and nothing that moves the LED (led-class.c).
            if !error.isMissing { throw error }
        }
        let led = ClassLED(brightness: "\(directory)/brightness", full: full)
        try led.set(lit)
        return led
    }

    func set(_ lit: Bool) throws(LinuxError) { try ClassLED.write(lit ? full : "0", to: brightness) }

    private static func write(_ text: String, to path: String) throws(LinuxError) {
        let file = try FileDescriptor.open(path, .readWrite)
        try file.write(text)
    }
}
