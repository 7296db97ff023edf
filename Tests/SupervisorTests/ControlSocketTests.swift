import BootSequence
import CLinux
import Foundation
import Linux
import Testing

@testable import Supervisor

/// The socket itself, with a supervisor that answers at once and a clock that the test turns.
@Suite struct ControlSocketTests {
    private let path = FileManager.default.temporaryDirectory.path + "/firstlight-control-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

    /// Another end of the socket, as firstlightctl is one.
    private final class Caller {
        let raw: Int32
        init(_ path: String, waits: Bool = true) {
            raw = linux_control_connect(path, 2_000)
            if !waits { _ = linux_set_nonblocking(raw) }
        }
        deinit { _ = close(raw) }

        func send(_ text: String) -> Int32 { linux_send_message(raw, text, text.utf8.count) }

        /// What came; empty when the other end hung up, nil when nothing did.
        func receive() -> String? {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let length = linux_receive_message(raw, &buffer, buffer.count)
            return length < 0 ? nil : String(decoding: buffer[..<length], as: UTF8.self)
        }
    }

    private static func answer(_ request: ControlRequest) -> ControlSocket.Reply {
        switch request {
        case .snapshot: .later(.snapshot(index: 0))
        default: .now(.object([("done", .string(request.text))]))
        }
    }

    private func socket() throws -> ControlSocket { try ControlSocket(path, group: 0) }

    @Test func answersOneRequestAConnection() throws {
        let socket = try socket()
        defer { unlink(path) }
        let caller = Caller(path)
        #expect(caller.send("identify") == 0)
        socket.turn(now: 0, Self.answer)
        #expect(caller.receive() == "{\"done\": \"identify\"}")
        #expect(caller.receive() == "" && caller.send("identify") == EPIPE)
    }

    @Test(arguments: ["", "identify\0", "statsu", String(repeating: "x", count: 1025), String(repeating: "x", count: 100_000), "light\t\u{7f}\n\t"])
    func whatIsNotUnderstoodIsToldSo(text: String) throws {
        let socket = try socket()
        defer { unlink(path) }
        let caller = Caller(path)
        #expect(caller.send(text) == 0)
        socket.turn(now: 0) { _ in
            Issue.record("taken for a request")
            return .now(.null)
        }
        // An empty message looks like the end of the connection.
        let answer = caller.receive() ?? ""
        #expect(text.isEmpty ? answer == "" : answer.contains("\"error\": \"not understood, nothing was done"))
    }

    @Test func whoSaysNothingIsHungUpOn() throws {
        let socket = try socket()
        defer { unlink(path) }
        let caller = Caller(path, waits: false)
        socket.turn(now: 0, Self.answer)
        #expect(caller.receive() == nil && socket.descriptors.count == 2)
        #expect(socket.next == ControlSocket.patience)
        socket.turn(now: ControlSocket.patience - 1, Self.answer)
        #expect(caller.receive() == nil)
        socket.turn(now: ControlSocket.patience, Self.answer)
        #expect(caller.receive() == "" && socket.descriptors.count == 1 && socket.next == nil)
    }

    @Test func whoOrderedWaitsUntilItIsDone() throws {
        let socket = try socket()
        defer { unlink(path) }
        let (one, two) = (Caller(path, waits: false), Caller(path, waits: false))
        for caller in [one, two] { _ = caller.send("snapshot\tapp") }
        socket.turn(now: 0, Self.answer)
        socket.turn(now: 10 * ControlSocket.patience, Self.answer)
        #expect(one.receive() == nil && two.receive() == nil)
        socket.answer(.snapshot(index: 1), .null)
        #expect(one.receive() == nil)
        socket.answer(.snapshot(index: 0), .bool(true))
        #expect(one.receive() == "true" && two.receive() == "true" && one.receive() == "")
    }

    /// Many who are silent make way for one who is not; many who wait do not.
    @Test func manyClientsTakeNobodysPlaceForLong() throws {
        let socket = try socket()
        defer { unlink(path) }
        var silent: [Caller] = []
        for _ in 0..<(2 * ControlSocket.mostClients) {
            silent.append(Caller(path, waits: false))
            socket.turn(now: 0, Self.answer)
        }
        #expect(socket.descriptors.count <= ControlSocket.mostClients + 1)
        #expect(silent.filter { $0.receive() == "" }.count == ControlSocket.mostClients)
        let caller = Caller(path)
        _ = caller.send("status")
        socket.turn(now: 1, Self.answer)
        #expect(caller.receive() == "{\"done\": \"status\"}")
        silent = []
        socket.turn(now: 1_500, Self.answer)

        let waiting = (0..<ControlSocket.mostClients).map { _ in
            let caller = Caller(path, waits: false)
            _ = caller.send("snapshot\tapp")
            socket.turn(now: 1_500, Self.answer)
            return caller
        }
        // Also one that has asked already hears why.
        let late = Caller(path)
        _ = late.send("status")
        socket.turn(now: 1_500, Self.answer)
        #expect(late.receive()?.contains("too many clients") == true)
        socket.answer(.snapshot(index: 0), .null)
        #expect(waiting.allSatisfy { $0.receive() == "null" })
    }

    /// All at once, and each has asked: nobody is in nobody's way.
    @Test func whoHasAskedIsAnswered() throws {
        let socket = try socket()
        defer { unlink(path) }
        // As many as fit into the queue in front of the socket.
        let callers = (0..<9).map { _ in Caller(path) }
        for caller in callers { #expect(caller.send("identify") == 0) }
        socket.turn(now: 0, Self.answer)
        for caller in callers { #expect(caller.receive() == "{\"done\": \"identify\"}") }
    }

    /// Within a second only so many are accepted, and meanwhile the listening socket wakes nobody.
    @Test func aFloodIsTakenByTheSecond() throws {
        let socket = try socket()
        defer { unlink(path) }
        socket.turn(now: 0, Self.answer)
        var asked = 0
        for _ in 0..<100 {
            // Not for long: the queue in front of the socket is full soon.
            let caller = linux_control_connect(path, 1)
            if caller >= 0 {
                _ = linux_send_message(caller, "identify", 8)
                _ = close(caller)
            }
            socket.turn(now: 500) { _ in
                asked += 1
                return .now(.null)
            }
        }
        #expect(asked == 20 && socket.descriptors.isEmpty)
        #expect(socket.next == 1_000)
        // Who was in the queue comes first.
        socket.turn(now: 1_000, Self.answer)
        let caller = Caller(path)
        _ = caller.send("identify")
        socket.turn(now: 1_001, Self.answer)
        #expect(caller.receive() == "{\"done\": \"identify\"}")
    }

    @Test func aFileInItsPlaceIsReplacedAndRootAloneMayConnect() throws {
        try "x".write(toFile: path, atomically: true, encoding: .utf8)
        let socket = try socket()
        defer { unlink(path) }
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        #expect(socket.descriptors.count == 1)
    }

    /// It is the whole process's: two that listen at a time could leave theirs in place for good.
    @Test func whoListensLeavesTheUmaskAlone() throws {
        func mask() throws -> String? {
            try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n").first { $0.hasPrefix("Umask:") }.map(String.init)
        }
        let before = try mask()
        DispatchQueue.concurrentPerform(iterations: 2) { number in
            let path = "\(path)-\(number)"
            for _ in 0..<10_000 { close(linux_control_listen(path, 0)) }
            unlink(path)
        }
        #expect(try mask() == before)
    }

    @Test func aPathThatIsTooLongIsAnError() throws {
        let error = try #require(throws: LinuxError.self) { _ = try ControlSocket("/tmp/" + String(repeating: "x", count: 200), group: 0) }
        #expect(error.text.contains("ENAMETOOLONG"))
    }
}
