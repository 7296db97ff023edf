#if Lab
import Glibc

/// Why the bench itself could not do its work: never a fault that was found.
public struct TortureError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    /// What a system call that has just failed says.
    static func last(_ operation: String) -> TortureError {
        TortureError("\(operation): \(String(cString: strerror(errno)))")
    }
}
#endif
