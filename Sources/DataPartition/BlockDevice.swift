internal import CLinux
import Linux

/// An open block device.
struct BlockDevice: ~Copyable, BlockWriting {
    let path: String
    let size: Int64
    let sectorSize: Int64
    /// The device's number, as mountinfo and /sys/dev/block have it.
    let number: UInt64
    private let file: FileDescriptor

    enum Access { case read, write, exclusive }

    /// Opens a block device. `.write` is for what lies outside a filesystem that may be mounted. `.exclusive` is for writing and fails with EBUSY while it is mounted or otherwise in use
    /// by the kernel: what is about to be erased must be nobody's.
    static func open(_ path: String, _ access: Access) throws(LinuxError) -> BlockDevice {
        let mode: Int32 =
            switch access {
            case .read: O_RDONLY
            case .write: O_RDWR
            case .exclusive: O_RDWR | O_EXCL
            }
        let raw = try retryWhileBusy { () throws(LinuxError) in
            linux_openat(AT_FDCWD, path, mode | O_CLOEXEC, 0)
        } failed: { $0 < 0 && linux_errno() == EBUSY }
        if raw < 0 { throw .last("open", path) }
        let file = FileDescriptor(owning: raw, name: path)
        // Here and there a page is looked at: read ahead, a blank 64 MiB card costs 13 MiB of reading for three.
        file.readNothingAhead()
        let status = try file.status()
        guard status.kind == .blockDevice else { throw LinuxError("open", path, code: ENOTBLK) }
        let size = linux_device_size(raw)
        if size < 0 { throw .last("BLKGETSIZE64", path) }
        // A card reader's slot is there before its card is.
        if size == 0 { throw LinuxError("BLKGETSIZE64", path, code: ENOMEDIUM) }
        let sectorSize = Int64(linux_sector_size(raw))
        if sectorSize < 0 { throw .last("BLKSSZGET", path) }
        return BlockDevice(path: path, size: size, sectorSize: sectorSize, number: status.deviceNumber, file: file)
    }

    /// Does it again for up to 2 s: somebody looks at new devices, the kernel lets go a moment after an unmount, or a
    /// process is being spawned with a descriptor of ours still open. What was free just now will be free again.
    static func retryWhileBusy<Result>(
        _ attempt: () throws(LinuxError) -> Result, failed: (Result) -> Bool
    ) throws(LinuxError) -> Result {
        let limit = Clock.milliseconds + 2000
        var result = try attempt()
        while failed(result) && Clock.milliseconds < limit {
            Clock.sleep(milliseconds: 20)
            result = try attempt()
        }
        return result
    }

    private init(path: String, size: Int64, sectorSize: Int64, number: UInt64, file: consuming FileDescriptor) {
        self.path = path
        self.size = size
        self.sectorSize = sectorSize
        self.number = number
        self.file = file
    }

    func bytes(at offset: Int64, count: Int) throws(LinuxError) -> [UInt8] {
        let bytes = try file.bytes(at: offset, count: count)
        if bytes.count < count { throw LinuxError("read", path, code: EIO) }
        return bytes
    }

    func signature() throws(LinuxError) -> Signature {
        var name = [CChar](repeating: 0, count: 64)
        let result = linux_blkid_type(file.raw, &name, name.count)
        switch result {
        case 0: return .none
        case 1: return .one(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        case 2: return .ambivalent
        default: throw LinuxError("probe", path, code: -result)
        }
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(LinuxError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: offset)
        }
    }

    func sync() throws(LinuxError) { try file.sync() }
    func dropCache() { file.dropCache() }

    /// BLKDISCARD. False when the device cannot.
    func discard(at offset: Int64, count: Int64) throws(LinuxError) -> Bool {
        if linux_discard(file.raw, UInt64(offset), UInt64(count)) == 0 { return true }
        let error = LinuxError.last("BLKDISCARD", path)
        if error.code == EOPNOTSUPP || error.code == ENOTTY || error.code == EINVAL { return false }
        throw error
    }

    /// BLKZEROOUT: zeros, on the device when it returns or with the next `sync`.
    func zeroOut(at offset: Int64, count: Int64) throws(LinuxError) {
        if linux_zero_out(file.raw, UInt64(offset), UInt64(count)) != 0 { throw .last("BLKZEROOUT", path) }
    }

    /// Tells the kernel what a partition of this disk is from now on; it does not look at the table while one of them is mounted.
    func resizePartition(_ place: PartitionPlace) throws(LinuxError) {
        let code = linux_resize_partition(file.raw, Int32(clamping: place.number), place.start, place.size)
        if code != 0 { throw LinuxError("BLKPG", path, code: code) }
    }
}
