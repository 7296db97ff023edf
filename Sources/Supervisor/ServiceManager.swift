internal import CLinux
internal import Linux

/// systemd, or whoever else listens at `NOTIFY_SOCKET` (sd_notify(3)); nobody where it is not set.
///
/// Nothing waits: a datagram that does not fit into its queue is lost, and the next one says the same. READY has no next one, and is sent until it fits.
final class ServiceManager {
    private let socket: String?
    private var status = ""
    /// How often it wants a sign of life, in milliseconds: a third of what it waits for. Nil for never.
    let watchdogInterval: Int64?
    private var lastSign: Int64 = 0
    private var lastExtension: Int64?
    /// READY did not fit into the queue, and when it was tried last, in milliseconds.
    private var isReadyOwed = false
    private var lastTry: Int64 = 0

    /// How much longer to wait is asked for so often, and so much, in milliseconds.
    static let extensionInterval: Int64 = 5_000
    private static let extensionTime: Int64 = 30_000
    /// How often what is owed is tried, in milliseconds.
    private static let retryInterval: Int64 = 250

    /// Takes the variables out of the environment: they are not for the programs that are started.
    init() {
        socket = Environment.value("NOTIFY_SOCKET").flatMap { $0.utf8.isEmpty ? nil : $0 }
        let usec = Environment.value("WATCHDOG_USEC").flatMap { Text.number($0) }
        let isForUs = Environment.value("WATCHDOG_PID").map { Text.number($0) == Int64(getpid()) } ?? true
        watchdogInterval = socket == nil || !isForUs ? nil : usec.flatMap { $0 > 0 ? max($0 / 3_000, 10) : nil }
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { unsetenv(name) }
    }

    /// When `keepAlive` or `extend` wants to be called, in Clock.milliseconds.
    func next(isReady: Bool) -> Int64? {
        if socket == nil { return nil }
        let sign = watchdogInterval.map { lastSign + $0 }
        let more = isReady ? nil : (lastExtension ?? 0) + ServiceManager.extensionInterval
        let owed = isReadyOwed ? lastTry + ServiceManager.retryInterval : nil
        return [sign, more, owed].compactMap { $0 }.min()
    }

    /// What it is at, for `systemctl status`; told when it changed.
    func tell(_ status: String) {
        if status == self.status { return }
        if send("STATUS=\(status)") { self.status = status }
    }

    func ready() { isReadyOwed = !send("READY=1") }
    func stopping() { _ = send("STOPPING=1") }

    /// Not yet, but at work: TimeoutStartSec counts anew (RULES.md B4).
    func extend(now: Int64) {
        if let lastExtension, now - lastExtension < ServiceManager.extensionInterval { return }
        lastExtension = now
        _ = send("EXTEND_TIMEOUT_USEC=\(ServiceManager.extensionTime * 1_000)")
    }

    func keepAlive(now: Int64) {
        if isReadyOwed && now - lastTry >= ServiceManager.retryInterval {
            lastTry = now
            ready()
        }
        guard let watchdogInterval, now - lastSign >= watchdogInterval else { return }
        lastSign = now
        _ = send("WATCHDOG=1")
    }

    /// False where there is no room in the queue: it could go later. One that nobody listens to takes everything.
    private func send(_ text: String) -> Bool {
        guard let socket else { return true }
        let line = String(decoding: text.utf8.map { $0 == 0x0A ? 0x20 : $0 }, as: UTF8.self)
        return linux_send_datagram(socket, line, line.utf8.count) != EAGAIN
    }
}
