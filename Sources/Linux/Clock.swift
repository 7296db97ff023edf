internal import CLinux

/// The clocks of a board that may not know the date (RULES.md F11): intervals and order only, but for `date`.
public enum Clock {
    /// CLOCK_MONOTONIC in milliseconds.
    public static var milliseconds: Int64 { linux_monotonic_ns() / 1_000_000 }
    /// Since power-on, suspended time included, in milliseconds.
    public static var sinceBootMilliseconds: Int64 { linux_boottime_ns() / 1_000_000 }

    /// The wall clock in UTC as the number YYYYMMDDHHMMSS: what names a file on a person's machine. Anything on a board.
    public static var date: Int64 { date(secondsSince1970) }

    private static func date(_ seconds: Int64) -> Int64 {
        var seconds = time_t(clamping: seconds)
        var parts = tm()
        if gmtime_r(&seconds, &parts) == nil { return 0 }
        let day = (Int64(parts.tm_year) + 1900) * 10_000 + (Int64(parts.tm_mon) + 1) * 100 + Int64(parts.tm_mday)
        return day * 1_000_000 + Int64(parts.tm_hour) * 10_000 + Int64(parts.tm_min) * 100 + Int64(parts.tm_sec)
    }

    /// `2026-11-26 09:50:07` in UTC.
    public static func text(_ seconds: Int64) -> String {
        let date = date(seconds)
        func two(_ place: Int64) -> String { Text.padded(date / place % 100, 2) }
        return "\(Text.padded(date / 10_000_000_000, 4))-\(two(100_000_000))-\(two(1_000_000)) \(two(10_000)):\(two(100)):\(two(1))"
    }

    /// The wall clock in seconds since 1970. Anything on a board.
    public static var secondsSince1970: Int64 { Int64(time(nil)) }

    /// Waits without events to watch for: a worker's polling loop, never the supervisor's.
    public static func sleep(milliseconds: Int64) {
        _ = poll(nil, 0, Int32(clamping: milliseconds))
    }
}
