internal import BootSequence
internal import CLinux
internal import Linux

/// `control` in the status directory: a SOCK_SEQPACKET socket, one request and one answer a connection, for root and one group.
///
/// Whoever may connect may also be broken: nothing here waits, grows without a limit, or takes more of a second than `acceptsPerSecond` requests do.
final class ControlSocket {
    /// Connections at a time, waiting ones included.
    static let mostClients = 8
    /// How long a client may take to ask, in milliseconds.
    static let patience: Int64 = 2_000
    private static let acceptsPerSecond = 20

    private let listener: FileDescriptor
    private let group: UInt32
    private var clients: [Client] = []
    /// Connections that may be accepted before `refill`.
    private var tokens = ControlSocket.acceptsPerSecond
    private var refill: Int64 = 0

    private final class Client {
        let connection: FileDescriptor
        let deadline: Int64
        /// What it waits for, once it has asked.
        var order: BootMachine.Order?

        init(_ connection: consuming FileDescriptor, deadline: Int64) {
            self.connection = connection
            self.deadline = deadline
        }
    }

    /// What becomes of a request.
    enum Reply {
        case now(JSON)
        /// When this is done.
        case later(BootMachine.Order)
    }

    /// - Parameter group: who may use it beside root; 0 for nobody.
    init(_ path: String, group: UInt32) throws(LinuxError) {
        let raw = linux_control_listen(path, group)
        if raw < 0 { throw .last("listen", path) }
        listener = FileDescriptor(owning: raw, name: path)
        self.group = group
    }

    /// To poll for reading.
    var descriptors: [Int32] {
        (tokens > 0 ? [listener.raw] : []) + clients.filter { $0.order == nil }.map { $0.connection.raw }
    }

    /// When it is to be looked at without anything to read, in Clock.milliseconds.
    var next: Int64? {
        let times = clients.filter { $0.order == nil }.map { $0.deadline } + (tokens > 0 ? [] : [refill])
        return times.min()
    }

    /// Takes connections and requests, and answers.
    func turn(now: Int64, _ handle: (ControlRequest) -> Reply) {
        if now >= refill {
            tokens = ControlSocket.acceptsPerSecond
            refill = now + 1_000
        }
        accept(now: now, handle)
        clients.removeAll { $0.order == nil && !serve($0, now: now, handle) }
    }

    /// What was ordered is done: an answer for everybody who waits for it.
    func answer(_ order: BootMachine.Order, _ answer: JSON) {
        for client in clients where client.order == order { ControlSocket.send(answer, to: client.connection.raw) }
        clients.removeAll { $0.order == order }
    }

    private func accept(now: Int64, _ handle: (ControlRequest) -> Reply) {
        while tokens > 0 {
            let raw = linux_control_accept(listener.raw)
            if raw < 0 { return }
            tokens -= 1
            let connection = FileDescriptor(owning: raw, name: "control")
            if linux_peer_is_allowed(raw, group) == 0 {
                ControlSocket.refuse(raw, "only root and the configured group may ask; nothing was done")
                continue
            }
            // Whoever waits for an answer keeps their place.
            if clients.count >= ControlSocket.mostClients && clients.allSatisfy({ $0.order != nil }) {
                ControlSocket.refuse(raw, "too many clients are waiting; nothing was done, try again later")
                continue
            }
            // Most have asked already when they are accepted.
            let client = Client(connection, deadline: now + ControlSocket.patience)
            if !serve(client, now: now, handle) { continue }
            // Of those that say nothing the one that has been silent longest makes way.
            if clients.count >= ControlSocket.mostClients, let silent = clients.firstIndex(where: { $0.order == nil }) { clients.remove(at: silent) }
            clients.append(client)
        }
    }

    /// Whether the connection is still needed.
    private func serve(_ client: Client, now: Int64, _ handle: (ControlRequest) -> Reply) -> Bool {
        var buffer = [UInt8](repeating: 0, count: ControlRequest.longest)
        let raw = client.connection.raw
        let length = linux_receive_message(raw, &buffer, buffer.count)
        if length < 0 { return (linux_errno() == EAGAIN || linux_errno() == EINTR) && now < client.deadline }
        if length == 0 { return false }
        guard length <= ControlRequest.longest,
            let request = ControlRequest(text: String(decoding: buffer[..<length], as: UTF8.self))
        else {
            ControlSocket.send(ControlSocket.error("not understood, nothing was done: a request is one message of at most \(ControlRequest.longest) bytes, its fields between tabs (docs/front-panel.md)"), to: raw)
            return false
        }
        switch handle(request) {
        case .now(let answer):
            ControlSocket.send(answer, to: raw)
            return false
        case .later(let order):
            client.order = order
            return true
        }
    }

    /// What was asked is read: else the kernel would tell the other end of a reset connection, and not the reason.
    private static func refuse(_ raw: Int32, _ reason: String) {
        var byte: UInt8 = 0
        _ = linux_receive_message(raw, &byte, 1)
        send(error(reason), to: raw)
    }

    static func error(_ text: String) -> JSON { .object([("error", .string(text))]) }

    /// Into the socket's buffer, or not at all: nobody is waited for.
    private static func send(_ answer: JSON, to raw: Int32) {
        let bytes = Array(answer.text.utf8)
        if linux_send_message(raw, bytes, bytes.count) != EMSGSIZE { return }
        let tooLong = Array(error("the answer is too long; status.json has it").text.utf8)
        _ = linux_send_message(raw, tooLong, tooLong.count)
    }
}
