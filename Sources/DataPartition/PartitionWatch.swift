internal import CLinux
import Linux

/// Whether a mounted partition is still what was mounted, looked at while the appliance works, without touching it: by what the kernel says of it in /proc
/// and /sys. None of these reads waits for the device, which may hang.
public struct PartitionWatch: Sendable {
    private let path: String
    private let number: UInt64
    /// What the kernel had counted when it was mounted.
    public let errorsAtStart: Int64

    /// - Parameters:
    ///   - path: the device. The mount point is not looked at: that would be the partition.
    ///   - errorsAtStart: what the kernel had counted, where somebody looked before; nil asks it now.
    public init?(device path: String, errorsAtStart: Int64? = nil) {
        guard let real = try? FileSystem.resolve(path), let status = (try? FileSystem.status(real)).flatMap({ $0 }), status.kind == .blockDevice else {
            return nil
        }
        self.path = path
        number = status.deviceNumber
        self.errorsAtStart = errorsAtStart ?? Mounting.errorCount(of: number)
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

    /// Whether what a report tells of is mounted still: after a restart of the daemon, behind which somebody may have unmounted it.
    public static func isMounted(_ report: DataReport) -> Bool {
        guard let table = try? MountTable.read() else { return false }
        let entry = table.top(at: MountTable.resolve(report.mount))
        if report.volatile { return entry?.isVolatile == true }
        // Used as it is.
        guard let device = report.device else { return true }
        // A device that is gone took the mount with it for nobody: what works on it still has it.
        guard let real = try? FileSystem.resolve(device), let status = (try? FileSystem.status(real)).flatMap({ $0 }) else { return entry?.isVolatile == false }
        return entry?.device == MountTable.name(of: status.deviceNumber)
    }
}
