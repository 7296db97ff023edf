#if Lab
import Foundation

/// What scripts/build-image made: `build/board/`.
public struct BoardImages: Sendable {
    public let directory: URL

    /// - Throws: when something is missing, with what makes it.
    public init(_ directory: URL) throws {
        self.directory = directory
        for file in [kernel, initramfs, deviceTree, blankDisk]
        where !FileManager.default.fileExists(atPath: file.path) {
            throw BoardError("\(file.path) is missing; scripts/build-image makes it")
        }
    }

    var kernel: URL { directory.appendingPathComponent("vmlinuz") }
    var initramfs: URL { directory.appendingPathComponent("initramfs.cpio.gz") }
    var deviceTree: URL { directory.appendingPathComponent("board.dtb") }
    var blankDisk: URL { directory.appendingPathComponent("data.img") }
}
#endif
