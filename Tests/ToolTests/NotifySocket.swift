import Foundation

/// The socket at which systemd listens to a daemon's sd_notify, recording every datagram with its time.
final class NotifySocket: @unchecked Sendable {
    struct Datagram {
        /// In seconds, of a clock that only runs forward.
        let time: Double
        let lines: [String]
    }

    /// What $NOTIFY_SOCKET says: a path, or `@name` for an abstract one.
    let address: String
    private let descriptor: Int32
    private let lock = NSLock()
    // Touched only under the lock.
    private var record: [Datagram] = []
    private var onReady: (@Sendable () -> Void)?

    /// - Parameter address: that does not begin with `@` is a path, where the socket is made.
    init(_ address: String) throws {
        self.address = address
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0, Self.withAddress(address, { bind(descriptor, $0, $1) }) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    deinit { close(descriptor) }

    /// Records from now on, on a thread of its own.
    /// - Parameter onReady: called when READY=1 comes, before it is recorded.
    func listen(onReady: (@Sendable () -> Void)? = nil) {
        self.onReady = onReady
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count < 0 { return }
                let datagram = Datagram(
                    time: Self.now, lines: String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init))
                if datagram.lines.contains("READY=1") { self.onReady?() }
                lock.withLock { record.append(datagram) }
            }
        }
    }

    /// Fills the queue of a socket that nobody reads, so that a further datagram would block.
    /// - Returns: how many datagrams went in.
    func fill() -> Int {
        let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(sender) }
        var count = 0
        while Self.withAddress(address, { sendto(sender, "FILLED=1", 8, Int32(MSG_DONTWAIT), $0, $1) }) == 8 { count += 1 }
        return count
    }

    var datagrams: [Datagram] { lock.withLock { record } }

    /// The times at which `line` came.
    func times(_ line: String) -> [Double] { datagrams.filter { $0.lines.contains(line) }.map(\.time) }

    /// The values of all `NAME=value` with their times, in their order.
    func values(_ name: String) -> [(time: Double, text: String)] {
        datagrams.flatMap { datagram in
            datagram.lines.filter { $0.hasPrefix("\(name)=") }.map { (datagram.time, String($0.dropFirst(name.utf8.count + 1))) }
        }
    }

    /// Waits until `holds`; false after `seconds`.
    func wait(seconds: Double, _ holds: () -> Bool) -> Bool {
        let deadline = Self.now + seconds
        while !holds() {
            if Self.now > deadline { return false }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return true
    }

    static var now: Double { ProcessInfo.processInfo.systemUptime }

    private static func withAddress<T>(_ address: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var name = Array(address.utf8)
        // An abstract name begins with a zero byte, and ends where its length says.
        if name.first == 0x40 { name[0] = 0 } else { name.append(0) }
        var socketAddress = sockaddr_un()
        socketAddress.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &socketAddress.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        return withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}
