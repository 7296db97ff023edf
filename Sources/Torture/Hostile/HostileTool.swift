#if Lab
import Foundation
import Glibc
import Linux

/// firstlightctl as built, a process a call, never given more than its time.
struct HostileTool {
    /// What became of a call.
    struct Answer {
        let end: ChildProcess.End
        /// It had to be killed.
        let hung: Bool
        /// Standard output and error as they came.
        let text: String
        /// The last line that is a JSON object.
        let fields: [String: Any]

        var outcome: String? { fields["outcome"] as? String }
        var reason: String? { fields["reason"] as? String }
        var lost: String? { fields["lost"] as? String }
        var snapshot: String? { fields["snapshot"] as? String }
        var quarantine: String? { fields["quarantine"] as? String }
        var schema: Int64? { (fields["schema"] as? NSNumber)?.int64Value }
        var wanted: Int64? { (fields["wanted"] as? NSNumber)?.int64Value }
        var pending: Int64 { (fields["pending"] as? NSNumber)?.int64Value ?? 0 }
        var warnings: [String] { fields["warnings"] as? [String] ?? [] }
    }

    let path: String
    /// Where its output goes.
    let folder: String
    /// In milliseconds. A quarter of a second is what firstlightctl waits for others to close the file; the rest is for a busy
    /// machine.
    let limit: Int32 = 10_000

    func run(_ arguments: [String]) throws -> Answer {
        let log = "\(folder)/output"
        let output = try FileDescriptor.open(log, .create)
        let child = try ChildProcess.start(path, arguments, output: output.raw, group: true)
        let hung = try !ended(child)
        if hung { child.killGroup() }
        let end = try child.wait()
        let text = String(decoding: try HostileTree.read(log), as: UTF8.self)
        let line = text.split(separator: "\n").last { $0.hasPrefix("{") } ?? ""
        let fields = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        return Answer(end: end, hung: hung, text: text, fields: fields ?? [:])
    }

    private func ended(_ child: ChildProcess) throws -> Bool {
        let process = try child.descriptor()
        var waiting = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = poll(&waiting, 1, limit)
            if ready >= 0 { return ready > 0 }
            if errno != EINTR { throw HostileError("poll: \(String(cString: strerror(errno)))") }
        }
    }
}
#endif
