internal import CLinux
public import Linux

/// The file of boots that were not `current`, in the data partition's root. What is in it is the reader's business (BootHistory).
public struct HistoryFile {
    public static let name = ".firstlight-boots"
    private static let temporaryName = name + ".new"

    private let mount: String
    private let isMount: Bool

    public init(_ settings: DataSettings) {
        mount = settings.mount
        isMount = settings.device != .none
    }

    /// Its text; nil where there is none, or something that is not ours: a link, a directory, more than `limit` bytes.
    /// - Throws: where the device did not answer.
    public func read(limit: Int) throws(LinuxError) -> String? {
        let bytes: [UInt8]
        do throws(LinuxError) {
            let file = try FileDescriptor.open(HistoryFile.name, below: FileDescriptor.open(mount, .directory), .read)
            guard try file.status().kind == .file else { return nil }
            bytes = try file.bytes(at: 0, count: limit + 1)
        } catch {
            if error.isMissing || error.isLoop { return nil }
            throw error
        }
        return bytes.count > limit ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Puts `text` in its place by rename: after a power cut the old file is there or the new one (RULES.md F1). What lies there and is not ours is
    /// replaced; nothing is followed, and nothing written where others than root could have planted something (RULES.md B7).
    /// - Throws: ENODEV where no partition is mounted, EROFS where it is RAM: nothing is kept there.
    public func replace(with text: String) throws(LinuxError) {
        let there = try MountTable.read().top(at: MountTable.resolve(mount))
        if isMount && there == nil { throw LinuxError("find in mountinfo", mount, code: ENODEV) }
        if there?.isVolatile == true { throw LinuxError("keep in RAM", HistoryFile.name, code: EROFS) }
        let root = try FileDescriptor.open(mount, .directory)
        try DataPartition.refuseIfShared(root)
        // What a cut left of an earlier one.
        _ = unlinkat(root.raw, HistoryFile.temporaryName, 0)
        do throws(LinuxError) {
            let file = try FileDescriptor.open(HistoryFile.temporaryName, below: root, .createNew)
            try file.write(text)
            try file.sync()
            if renameat(root.raw, HistoryFile.temporaryName, root.raw, HistoryFile.name) != 0 { throw .last("rename", "\(mount)/\(HistoryFile.name)") }
        } catch {
            _ = unlinkat(root.raw, HistoryFile.temporaryName, 0)
            throw error
        }
        try root.sync()
    }
}
