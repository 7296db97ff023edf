internal import CLinux
internal import Linux

/// A key of an input device, for boards whose device tree gave the button to gpio-keys.
struct KeyInput: ~Copyable {
    private let device: FileDescriptor
    private let code: Int32

    /// The first device in /dev/input that has the key. It is not grabbed: whoever else listens goes on hearing it.
    static func open(code: UInt16) throws(LinuxError) -> KeyInput {
        for name in try FileSystem.list("/dev/input") where Text.hasPrefix(name, "event") {
            // One that has just gone, or is broken, does not hide the others.
            guard let device = try? FileDescriptor.open("/dev/input/\(name)", .read) else { continue }
            if linux_watch_key(device.raw, Int32(code)) == 1 { return KeyInput(device: device, code: Int32(code)) }
        }
        throw LinuxError("look for the key in", "/dev/input", code: ENODEV)
    }

    private init(device: consuming FileDescriptor, code: Int32) {
        self.device = device
        self.code = code
    }

    /// Readable when an event waits, the key's or another's.
    var descriptor: Int32 { device.raw }

    /// The level now; a key that cannot be read is up.
    var isDown: Bool { linux_key_is_down(device.raw, code) == 1 }

    /// Takes the waiting events up to the key's next edge, with its CLOCK_MONOTONIC: 1, or 0 when there is none, or
    /// -1 when the device is gone.
    func readEdge(_ pressed: inout Int32, _ nanoseconds: inout Int64) -> Int32 {
        linux_read_key(device.raw, code, &pressed, &nanoseconds)
    }
}
