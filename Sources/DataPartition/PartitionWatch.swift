internal import CLinux
import Linux

/// Whether a mounted partition is still what was mounted, looked at while the appliance works, without touching it: by what the kernel says of it in /proc
/// and /sys. None of these reads waits for the device, which may hang.
public struct PartitionWatch: Sendable {
    private let path: String
    private let number: UInt64
    private let errorsAtStart: Int64

    /// - Parameter path: the device. The mount point is not looked at: that would be the partition.
    public init?(device path: String) {
        guard let real = try? FileSystem.resolve(path), let status = (try? FileSystem.status(real)).flatMap({ $0 }), status.kind == .blockDevice else {
            return nil
        }
        self.path = path
        number = status.deviceNumber
        errorsAtStart = Mounting.errorCount(of: number)
    }

    /// What is wrong since it was mounted; nil where nothing is.
    ///
    /// After its first error ext4 takes no write any more (`errors=remount-ro`), and may be called writable in the mount table all the same: its
    /// own count tells (RULES.md F6, F14).
    public func trouble() -> String? {
        guard let table = try? MountTable.read() else { return nil }
        let device = MountTable.name(of: number)
        guard let entry = table.entries.last(where: { $0.device == device }) else { return "\(path) is not mounted any more" }
        if !FileSystem.exists("/sys/dev/block/\(device)") { return "\(path) is gone" }
        let errors = Mounting.errorCount(of: number)
        if errors > errorsAtStart {
            return "\(path): \(errors - errorsAtStart) \(errors - errorsAtStart == 1 ? "error" : "errors") of the filesystem; nothing is written to it any more"
        }
        if entry.isReadOnly { return "\(path) has become read-only" }
        return nil
    }
}
