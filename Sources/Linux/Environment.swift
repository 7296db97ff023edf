internal import CLinux

/// The process's environment.
public enum Environment {
    /// Nil when it is not set.
    public static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
