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

    /// Waits until the shell is there to be typed at. Nothing may be typed before: a PL011 whose receive buffer is full when its
    /// driver starts never asks for attention again, and the console stays deaf.
    public func waitForShell(seconds: Double) throws {
        guard wait(for: Self.greeting, seconds: seconds) != nil else {
            throw BoardError("the board has no shell within \(Int(seconds)) s")
        }
    }

    /// Waits until somebody can type commands: at a shell, or behind a login prompt that lets root in without a password.
    func logIn(seconds: Double) throws {
        let login = "login: "
        let found = record.wait(seconds: seconds) { record -> Bool? in
            let all = Self.string(record.text[...])
            if all.contains(Self.greeting) { return false }
            return all.contains(login) ? true : nil
        }
        guard let mustLogIn = found else { throw BoardError("the board has neither shell nor login prompt within \(Int(seconds)) s") }
        if !mustLogIn { return }
        let start = record.update { $0.text.count }
        type("root\n")
        let prompt = record.wait(seconds: seconds) { record -> String? in
            let answer = Self.string(record.text[start...])
            return ["Password:", "Login incorrect", "# "].first { answer.contains($0) }
        }
        guard prompt == "# " else { throw BoardError("root cannot log in at the console: \(prompt ?? "no prompt came")") }
    }

    /// Whether the shell is there to be typed at.
    public var hasShell: Bool { transcript.contains(Self.greeting) }

    /// The last line that the shell prints before its first prompt.
    private static let greeting = "Enter 'help' for"

    /// Runs a command in a subshell and waits for its end; the output is both streams, as they were written.
    ///
    /// The marks around the output are put together by the shell itself, so that the echo of what was typed has none. The output
    /// travels as base64: what the kernel says in the middle of it can be told from it and left out.
    @discardableResult
    public func run(_ command: String, seconds: Double = 20) throws -> (output: String, code: Int32) {
        try waitForShell(seconds: seconds)
        let (number, start) = record.update { record in
            record.commands += 1
            return (record.commands, record.text.count)
        }
        type("echo \"<\"begin\(number)\">\"; { (\(command)) 2>&1; echo \"#$?\"; } | base64; echo \"<\"end\(number)\">\"\n")
        let found = record.wait(seconds: seconds) { record -> String? in
            let all = Self.withoutKernelMessages(Self.string(record.text[start...]))
            guard let begin = all.range(of: "<begin\(number)>\n"),
                let end = all.range(of: "<end\(number)>\n", range: begin.upperBound..<all.endIndex)
            else { return nil }
            return String(all[begin.upperBound..<end.lowerBound])
        }
        guard let found, let data = Data(base64Encoded: found.filter { !$0.isWhitespace }) else {
            throw BoardError("the board's shell did not answer: \(command): \(found ?? "")")
        }
        let text = String(decoding: data, as: UTF8.self)
        guard let mark = text.lastIndex(of: "#"), let code = Int32(text[mark...].dropFirst().dropLast()) else {
            throw BoardError("the board's shell gave no exit code: \(command): \(text)")
        }
        return (String(text[..<mark]), code)
    }

    /// `[    7.465531] text` up to the end of its line, which may begin in the middle of a program's line.
    static func withoutKernelMessages(_ text: String) -> String {
        text.replacing(/\[ *[0-9]+\.[0-9]{6}\] [^\n]*\n/, with: "")
    }

    /// Types without waiting.
    public func type(_ text: String) { channel.update { $0?.send(text) } }
}
#endif
