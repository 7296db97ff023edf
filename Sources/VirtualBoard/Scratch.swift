#if Lab
import Foundation

/// A private folder for temporary files, gone when the last reference to it is, or at `remove()`.
public final class Scratch: Sendable {
    public let url: URL

    public init() throws {
        var template = Array((NSTemporaryDirectory() + "firstlight-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BoardError("make a temporary folder: \(String(cString: strerror(errno)))")
        }
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        url = URL(fileURLWithPath: path, isDirectory: true)
    }

    deinit { remove() }

    /// A name in the folder; the file is not made.
    public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// A name in the folder that nobody was given before.
    public func fresh(_ name: String) -> URL { file("\(UUID().uuidString.prefix(8))-\(name)") }

    public func remove() { try? FileManager.default.removeItem(at: url) }
}
#endif
