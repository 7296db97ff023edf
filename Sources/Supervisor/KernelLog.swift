internal import CLinux
internal import Linux

/// The daemon's log: standard error with `<N>` under systemd, the kernel's log otherwise, plain standard error where there is neither.
final class KernelLog {
    private enum Sink { case kernel, journal, plain }

    private let sink: Sink
    private var kernel: Int32 = -1
    private var lines = 0

    /// /dev/kmsg drops silently after ten lines of one opening, and refuses long ones (RULES.md B8).
    private static let linesPerOpening = 9
    private static let lineLimit = 900
    /// The facility `daemon`: 3 × 8.
    private static let facility: Int32 = 24

    init() {
        if getenv("JOURNAL_STREAM") != nil || getenv("NOTIFY_SOCKET") != nil {
            sink = .journal
        } else if FileSystem.exists("/dev/kmsg"), getuid() == 0, getenv("FIRSTLIGHT_LOG_STDERR") == nil {
            sink = .kernel
        } else {
            sink = .plain
        }
    }

    deinit {
        if kernel >= 0 { _ = close(kernel) }
    }

    var log: Log { Log { level, text in self.write(level, text) } }

    private func write(_ level: LogLevel, _ text: String) {
        switch sink {
        case .journal: writeToJournal("<\(level.rawValue)>\(text)\n")
        case .plain: standardErrorLine("firstlightd: \(text)")
        case .kernel: writeToKernel(level, text)
        }
    }

    /// A stream to journald, which may hang on the same flash: nobody waits for it.
    private func writeToJournal(_ line: String) {
        let bytes = Array(line.utf8)
        // A file or a terminal in its place takes what is written.
        if linux_send_message(2, bytes, bytes.count) == ENOTSOCK { _ = CLinux.write(2, bytes, bytes.count) }
    }

    private func writeToKernel(_ level: LogLevel, _ text: String) {
        if kernel < 0 || lines == KernelLog.linesPerOpening {
            if kernel >= 0 { _ = close(kernel) }
            kernel = linux_openat(AT_FDCWD, "/dev/kmsg", O_WRONLY | O_CLOEXEC, 0)
            lines = 0
        }
        guard kernel >= 0 else { return standardErrorLine("firstlightd: \(text)") }
        lines += 1
        var line = Array("<\(KernelLog.facility + level.rawValue)>firstlightd: \(text)".utf8.prefix(KernelLog.lineLimit))
        // A record without its newline waits for more of itself, and nobody sees it before the next one.
        line.append(0x0A)
        // Non-blocking for all we know, and with nobody to tell.
        line.withUnsafeBufferPointer { _ = CLinux.write(kernel, $0.baseAddress, $0.count) }
    }
}
