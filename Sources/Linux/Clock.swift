internal import CLinux

/// The clocks of a board that may not know the date (RULES.md F11): intervals and order only.
public enum Clock {
    /// CLOCK_MONOTONIC in milliseconds.
    public static var milliseconds: Int64 { linux_monotonic_ns() / 1_000_000 }
    /// Since power-on, suspended time included, in milliseconds.
    public static var sinceBootMilliseconds: Int64 { linux_boottime_ns() / 1_000_000 }

    /// Waits without events to watch for: a worker's polling loop, never the supervisor's.
    public static func sleep(milliseconds: Int64) {
        _ = poll(nil, 0, Int32(clamping: milliseconds))
    }
}
