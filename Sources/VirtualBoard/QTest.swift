#if Lab
/// QEMU's qtest protocol, as far as a board's pins need it: lines of text, an answer to each, and unasked `IRQ raise 5`.
final class QTest: Sendable {
    private let channel: Channel
    private let answers = Monitored<[String]>([])
    private let turn = Monitored<Void>(())

    /// `edge` is called on the reader's thread for every change of an intercepted line.
    init(_ channel: Channel, edge: @escaping @Sendable (_ line: Int, _ isHigh: Bool, MonotonicTime) -> Void) {
        self.channel = channel
        let answers = answers
        channel.startLines { text, time in
            let words = text.split(separator: " ")
            if words.count == 3, words[0] == "IRQ", let line = Int(words[2]) {
                edge(line, words[1] == "raise", time)
            } else {
                answers.update { $0.append(text) }
            }
        }
    }

    func execute(_ command: String) throws {
        // One at a time: an answer does not say which command it is for.
        try turn.update { _ in
            channel.send(command + "\n")
            let answer = answers.wait(seconds: 10) { $0.isEmpty ? nil : $0.removeFirst() }
            guard let answer, answer.hasPrefix("OK") else {
                throw BoardError("qtest \(command): \(answer ?? "no answer")")
            }
        }
    }
}
#endif
