#if Lab
import Foundation

/// A disk of the board's: a file, as it is.
public struct Drive: Sendable {
    let file: URL
    let log: URL?
    /// QEMU's word. As a rule the host's own cache is disk enough: it outlives QEMU, which is what a power cut ends here.
    var cache = "unsafe"
    /// As a card that has come to its end: every write fails.
    public var isReadOnly = false

    /// - Parameter log: where each write and flush is recorded in dm-log-writes' format (QEMU's blklogwrites), with a volatile cache.
    public init(_ file: URL, log: URL? = nil) {
        self.file = file
        self.log = log
    }

    func arguments(_ index: Int) -> [String] {
        guard let log else { return ["-drive", "file=\(file.path),format=raw,if=virtio,cache=\(cache),readonly=\(isReadOnly ? "on" : "off")"] }
        return [
            "-blockdev", "driver=file,node-name=f\(index),filename=\(file.path)",
            "-blockdev", "driver=file,node-name=l\(index),filename=\(log.path)",
            "-blockdev", "driver=blklogwrites,node-name=w\(index),file=f\(index),log=l\(index),log-sector-size=512",
            "-device", "virtio-blk-pci,drive=w\(index),write-cache=on",
        ]
    }
}
#endif
