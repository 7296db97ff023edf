#if Lab
import Foundation

/// One end of a socket pair whose other end a child process has, with a thread that reads it.
final class Channel: Sendable {
    private let descriptor: Int32
    /// For the child; closed here once it is started.
    let childDescriptor: Int32

    init() throws {
        var pair: [Int32] = [-1, -1]
        // Close-on-exec: another child that inherited an end would keep the connection open after this one died.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
            throw BoardError("make a socket pair: \(String(cString: strerror(errno)))")
        }
        (descriptor, childDescriptor) = (pair[0], pair[1])
    }

    deinit { close(descriptor) }

    /// Calls `receive` on a thread of its own with every piece as it comes and the time it came, then once with nothing.
    func start(_ receive: @escaping @Sendable (ArraySlice<UInt8>, MonotonicTime) -> Void) {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                let time = MonotonicTime.now
                if count < 0 && errno == EINTR { continue }
                receive(buffer[..<max(count, 0)], time)
                if count <= 0 { return }
            }
        }
    }

    /// The same, cut into lines without their ends.
    func startLines(_ receive: @escaping @Sendable (String, MonotonicTime) -> Void) {
        let rest = Monitored<[UInt8]>([])
        start { bytes, time in
            let lines = rest.update { rest in
                rest += bytes
                var lines = rest.split(separator: 0x0A, omittingEmptySubsequences: false)
                rest = Array(lines.removeLast())
                return lines.map { String(decoding: $0, as: UTF8.self) }
            }
            for line in lines { receive(line, time) }
        }
    }

    /// Sends all of it. A child that is gone is noticed elsewhere, so a broken pipe is no error here.
    func send(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    func closeChildEnd() { close(childDescriptor) }
}
#endif
