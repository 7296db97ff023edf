#if Lab
import Foundation

/// The board's serial console: what it printed, and a root shell to type at.
public final class Console: Sendable {
    private struct Record {
        var text: [UInt8] = []
        var commands = 0
    }
    private let record = Monitored(Record())
    private let channel = Monitored<Channel?>(nil)

    init() {}

    /// The board got power: the record begins anew.
    func begin(_ channel: Channel) {
        record.update { $0.text = [] }
        self.channel.update { $0 = channel }
        let record = record
        channel.start { bytes, _ in record.update { $0.text += bytes } }
    }

    /// Everything since power-on, carriage returns left out.
    public var transcript: String { record.update { Self.string($0.text[...]) } }

    private static func string(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.filter { $0 != 0x0D }, as: UTF8.self)
    }

    /// Waits until `text` has been printed; the rest of its line, nil after `seconds`.
    public func wait(for text: String, seconds: Double) -> String? {
        record.wait(seconds: seconds) { record in
            let all = Self.string(record.text[...])
            guard let place = all.range(of: text) else { return nil }
            let rest = all[place.upperBound...]
            guard let end = rest.firstIndex(of: "\n") else { return nil }
            return String(rest[..<end])
        }
    }

    /// Types a command at the shell and waits for its end.
    ///
    /// The marks around the output are put together by the shell itself, so that the echo of what was typed has none.
    @discardableResult
    public func run(_ command: String, seconds: Double = 20) throws -> (output: String, code: Int32) {
        let number = record.update { record in
            record.commands += 1
            return record.commands
        }
        type("echo \"<\"begin\(number)\">\"; \(command); echo \"<\"end\(number) $?\">\"\n")
        let found = record.wait(seconds: seconds) { record -> (String, Int32)? in
            let all = Self.string(record.text[...])
            guard let begin = all.range(of: "<begin\(number)>\n"),
                let end = all.range(of: "<end\(number) ", range: begin.upperBound..<all.endIndex),
                let close = all[end.upperBound...].firstIndex(of: ">"), let code = Int32(all[end.upperBound..<close])
            else { return nil }
            return (String(all[begin.upperBound..<end.lowerBound]), code)
        }
        guard let found else { throw BoardError("the board's shell did not answer: \(command)") }
        return found
    }

    /// Types without waiting.
    public func type(_ text: String) { channel.update { $0?.send(text) } }
}
#endif
