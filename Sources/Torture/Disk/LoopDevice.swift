#if Lab
import CLinux
import Glibc

/// A file as a block device, until it is closed or its process ends.
final class LoopDevice {
    let path: String
    private var device: Int32

    // linux/loop.h, linux/fs.h
    private static let getFree: UInt = 0x4C82
    private static let configure: UInt = 0x4C0A
    private static let autoclear: UInt32 = 4
    private static let directIO: UInt32 = 16
    private static let flushBuffers: UInt = 0x1261

    init(_ file: String) throws {
        let control = open("/dev/loop-control", O_RDWR | O_CLOEXEC)
        guard control >= 0 else { throw TortureError.last("/dev/loop-control") }
        let backing = open(file, O_RDWR | O_CLOEXEC)
        guard backing >= 0 else { throw TortureError.last(file) }
        defer {
            Glibc.close(control)
            Glibc.close(backing)
        }
        // struct loop_config: the descriptor, the block size, and a loop_info64 of which only the flags are set.
        var config = [UInt32](repeating: 0, count: 304 / 4)
        config[0] = UInt32(backing)
        config[1] = 512
        config[60 / 4] = Self.autoclear | Self.directIO
        for _ in 0..<100 {
            let number = linux_ioctl(control, Self.getFree, nil)
            guard number >= 0 else { throw TortureError.last("a free loop device") }
            let path = "/dev/loop\(number)"
            let device = open(path, O_RDWR | O_CLOEXEC)
            guard device >= 0 else { throw TortureError.last(path) }
            if linux_ioctl(device, Self.configure, &config) == 0 {
                self.path = path
                self.device = device
                return
            }
            let code = errno
            Glibc.close(device)
            // Another lane took it in between.
            guard code == EBUSY else { throw TortureError("\(path): \(String(cString: strerror(code)))") }
        }
        throw TortureError("every loop device is taken before it can be had")
    }

    deinit { close() }

    func close() {
        if device >= 0 { Glibc.close(device) }
        device = -1
    }

    /// The file has been changed behind the device's back: what the kernel still has in its cache is no longer true.
    ///
    /// Nor is it to tell the next boot what went wrong in this one: the first fsync behind a write that failed says so, whoever calls it.
    func forget() {
        _ = fsync(device)
        _ = linux_ioctl(device, Self.flushBuffers, nil)
    }
}
#endif
