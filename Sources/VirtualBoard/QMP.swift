#if Lab
import Foundation

/// QEMU's control protocol: a JSON object per line, answers in order, events in between.
final class QMP: Sendable {
    private let channel: Channel
    private let answers = Monitored<[Data]>([])
    private let turn = Monitored<Void>(())

    /// `event` is called on the reader's thread with the event's name.
    init(_ channel: Channel, event: @escaping @Sendable (String) -> Void) {
        self.channel = channel
        let answers = answers
        channel.startLines { line, _ in
            let data = Data(line.utf8)
            guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return }
            if let name = object["event"] as? String {
                event(name)
            } else if object["return"] != nil || object["error"] != nil {
                answers.update { $0.append(data) }
            }
        }
    }

    /// Sends a command and returns what its answer holds under "return".
    @discardableResult
    func execute(_ command: String, _ arguments: [String: Any] = [:]) throws -> Any {
        let request: [String: Any] = ["execute": command, "arguments": arguments]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
        let answer: Data? = turn.update { _ in
            channel.send(text + "\n")
            return answers.wait(seconds: 10) { $0.isEmpty ? nil : $0.removeFirst() }
        }
        guard let answer, let object = try JSONSerialization.jsonObject(with: answer) as? [String: Any],
            let result = object["return"]
        else { throw BoardError("QMP \(command): \(answer.map { String(decoding: $0, as: UTF8.self) } ?? "no answer")") }
        return result
    }
}
#endif
