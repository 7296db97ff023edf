#if Lab
import Foundation

/// What an updater writes into a slot of the reference disk: a read-only ext4 with kernel and root filesystem, as built or a variation of it.
public struct SlotImage: Sendable {
    private let file: URL

    /// As it is in this file.
    public init(_ file: URL, in scratch: Scratch) throws {
        self.file = scratch.fresh("root.ext4")
        try HostTool.run(["cp", "--sparse=always", file.path, self.file.path])
    }

    /// For the board, as on a stick somebody plugs in.
    public var drive: Drive { Drive(file) }

    /// With a file; the directory above it must be there.
    public func adding(_ path: String, _ contents: String, in scratch: Scratch) throws -> SlotImage {
        let changed = try SlotImage(file, in: scratch)
        let source = scratch.fresh("file")
        defer { try? FileManager.default.removeItem(at: source) }
        try contents.write(to: source, atomically: false, encoding: .utf8)
        try changed.debugfs("write \(source.path) \(path)")
        return changed
    }

    /// Without a file.
    public func removing(_ path: String, in scratch: Scratch) throws -> SlotImage {
        let changed = try SlotImage(file, in: scratch)
        try changed.debugfs("rm \(path)")
        return changed
    }

    /// It exits 0 with everything, and says on standard error what it could not do.
    private func debugfs(_ request: String) throws {
        let script = "words=$(debugfs -w -R '\(request)' '\(file.path)' 2>&1 | sed '1d;/^Allocated inode: /d'); test -z \"$words\" || { echo \"$words\" >&2; exit 1; }"
        try HostTool.run(["sh", "-c", script])
    }
}
#endif
