internal import CLinux
internal import Linux

/// A hardware watchdog: it resets the board when nobody pets it in time, this process stopped or lost included.
final class Watchdog {
    private let device: FileDescriptor
    /// What the hardware waits for, in seconds.
    let timeout: Int64
    /// Whether `stop` stops it: not where the kernel was built so that nothing does (CONFIG_WATCHDOG_NOWAYOUT).
    let canStop: Bool
    private var lastPet: Int64

    /// Opening it starts it.
    /// - Parameter timeout: in seconds; the hardware may round it.
    init(_ path: String, timeout: Int64, now: Int64) throws(LinuxError) {
        let raw = linux_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NONBLOCK, 0)
        if raw < 0 { throw .last("open", path) }
        let device = FileDescriptor(owning: raw, name: path)
        if try device.status().kind != .other { throw LinuxError("use as a watchdog", path, code: ENOTTY) }
        // From here on it runs: whatever it says, it is petted.
        self.device = device
        var seconds = Int32(clamping: timeout)
        linux_watchdog_timeout(raw, &seconds)
        self.timeout = Int64(max(seconds, 1))
        let name = Text.name(of: path) == "watchdog" ? "watchdog0" : Text.name(of: path)
        canStop = (try? FileSystem.readText("/sys/class/watchdog/\(name)/nowayout")).map { Text.trim($0) != "1" } ?? true
        lastPet = now
        pet(now: now)
    }

    /// When it wants to be petted, in Clock.milliseconds.
    var next: Int64 { lastPet + timeout * 1_000 / 4 }

    func pet(now: Int64) {
        lastPet = now
        try? device.write(".")
    }

    /// Stops it, as a person wants who stops the daemon: the agreed byte before it is closed.
    func stop() { try? device.write("V") }
}
