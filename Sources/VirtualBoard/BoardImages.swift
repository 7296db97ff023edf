#if Lab
import Foundation

/// What scripts/build-image made: `build/board/`, `build/board-armv7/`.
public struct BoardImages: Sendable {
    public let directory: URL
    let machine: [String]

    /// - Throws: when something is missing, with what makes it.
    public init(_ directory: URL) throws {
        self.directory = directory
        let machine = (try? String(contentsOf: directory.appendingPathComponent("machine"), encoding: .utf8)) ?? ""
        self.machine = machine.split(whereSeparator: \.isWhitespace).map(String.init)
        for file in [directory.appendingPathComponent("machine"), kernel, initramfs, deviceTree, blankDisk]
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
