import CLinux
import Linux

@testable import DataPartition

struct Shell {
    struct Failed: Error {
        let command: String
        let code: Int32
        let text: String
    }

    let command: String
    let code: Int32
    let text: String

    /// What it said; an error unless it succeeded.
    @discardableResult
    func output() throws -> String {
        if code != 0 { throw Failed(command: command, code: code, text: text) }
        return text
    }
}

/// Runs a command line to its end.
@discardableResult
func shell(_ command: String) -> Shell {
    var ends: [Int32] = [-1, -1]
    guard linux_pipe(&ends) == 0 else { return Shell(command: command, code: -1, text: "pipe") }
    let output = FileDescriptor(owning: ends[0], name: "output")
    var text: [UInt8] = []
    var code: Int32 = -1
    do {
        let child: ChildProcess
        do {
            let input = FileDescriptor(owning: ends[1], name: "input")
            child = try ChildProcess.start(
                "/bin/sh", ["-c", command], output: input.raw,
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"])
        }
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let n = try chunk.withUnsafeMutableBytes { try output.read(into: $0) }
            if n == 0 { break }
            text += chunk[..<n]
        }
        if case .exited(let exit) = try child.wait() { code = exit }
    } catch {
        return Shell(command: command, code: -1, text: "\(error)")
    }
    return Shell(command: command, code: code, text: Text.trim(String(decoding: text, as: UTF8.self)))
}
