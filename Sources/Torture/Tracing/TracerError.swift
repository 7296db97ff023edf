#if Lab
import Linux

/// Why a program could not be traced at all.
public struct TracerError: Error, Sendable, CustomStringConvertible {
    /// `trace /usr/sbin/firstlightd: ENOENT`
    public let text: String
    /// The raw errno; 0 when it is not the kernel that complained.
    public let code: Int32

    init(_ operation: String, _ subject: String, code: Int32) {
        text = "\(operation) \(subject): \(LinuxError.name(code))"
        self.code = code
    }

    init(_ text: String) {
        self.text = text
        code = 0
    }

    public var description: String { text }
}
#endif
