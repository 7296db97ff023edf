internal import BootSequence
internal import CLinux
internal import Linux

/// The daemon, at the other end of the control socket.
struct ControlClient {
    let path: String

    init(_ configuration: Configuration) { path = "\(configuration.statusDirectory)/control" }

    /// Asks, and waits for the answer.
    /// - Parameter timeout: in milliseconds; nil waits for what is asked for as long as it takes.
    /// - Throws: what kept it from being done, the daemon's own reason included.
    func ask(_ request: ControlRequest, timeout: Int64?) throws(CommandError) -> JSON {
        let raw = linux_control_connect(path, timeout ?? 0)
        if raw < 0 { throw .failed(refusal(linux_errno())) }
        let connection = FileDescriptor(owning: raw, name: path)
        let bytes = Array(request.text.utf8)
        if bytes.count > ControlRequest.longest { throw .usage("that is longer than the \(ControlRequest.longest) bytes that fit into a request") }
        let sent = linux_send_message(connection.raw, bytes, bytes.count)
        // One that refuses does not wait for the question; why it does is there to be read.
        if sent != 0 && sent != EPIPE && sent != ECONNRESET { throw .failed(LinuxError("ask through", path, code: sent).text) }
        var answer = [UInt8](repeating: 0, count: 1 << 18)
        var length = linux_receive_message(connection.raw, &answer, answer.count)
        if length < 0 && linux_errno() == ECONNRESET { length = linux_receive_message(connection.raw, &answer, answer.count) }
        if length < 0 {
            throw .failed(linux_errno() == EAGAIN ? "\(path): no answer in \(timeout ?? 0) ms; it may still be done" : LinuxError.last("read the answer from", path).text)
        }
        guard length > 0, length <= answer.count,
            let json = JSON(parsing: String(decoding: answer[..<length], as: UTF8.self))
        else { throw .failed("\(path): the daemon hung up without an answer; its log says why") }
        if let error = json["error"]?.stringValue { throw .failed(error) }
        return json
    }

    /// Whether a daemon of this configuration can be asked by this user.
    var isThere: Bool {
        let raw = linux_control_connect(path, 1_000)
        if raw < 0 { return false }
        _ = close(raw)
        return true
    }

    private func refusal(_ code: Int32) -> String {
        switch code {
        case ENOENT, ECONNREFUSED: "\(path): nobody listens; is firstlightd running?"
        case EACCES: "\(path): only root and the group that [status] group names may use it"
        default: LinuxError("connect to", path, code: code).text
        }
    }
}
