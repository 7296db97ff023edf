internal import CLinux

/// The kernel's log, as /dev/kmsg hands it out: one record a read.
public enum KernelMessages {
    /// One record.
    public struct Message: Sendable, Equatable {
        /// Syslog's priority without the facility: 0 emergency to 7 debug.
        public let level: Int64
        /// Since power-on.
        public let microseconds: Int64
        /// Its first line; the `KEY=value` lines behind it are left out.
        public let text: String

        /// From `priority,sequence,microseconds,flags;text` (Documentation/ABI/testing/dev-kmsg); nil for anything else.
        public init?(record: String) {
            guard let (head, rest) = Text.cut(record, at: 0x3B) else { return nil }
            let fields = Text.split(head, 0x2C)
            guard fields.count >= 3, let priority = Text.number(fields[0]), let time = Text.number(fields[2]) else { return nil }
            level = priority & 7
            microseconds = time
            text = Text.cut(rest, at: 0x0A)?.before ?? rest
        }
    }

    /// Calls `body` with each record that is there now, the oldest first; waits for none.
    public static func read(_ path: String = "/dev/kmsg", _ body: (Message) -> Void) throws(LinuxError) {
        let device = try FileDescriptor.open(path, .read)
        // The kernel's longest; a shorter buffer gets EINVAL.
        var buffer = [UInt8](repeating: 0, count: 8192)
        // One that is written to faster than it is read would never end.
        for _ in 0..<100_000 {
            let count: Int
            do throws(LinuxError) {
                count = try buffer.withUnsafeMutableBufferPointer { (buffer) throws(LinuxError) in
                    try device.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
            } catch {
                if error.wouldBlock { return }
                // Overwritten before it was read: the next read goes on with the oldest that is left.
                if error.code == EPIPE { continue }
                throw error
            }
            if count == 0 { return }
            if let message = Message(record: String(decoding: buffer[..<count], as: UTF8.self)) { body(message) }
        }
    }
}
