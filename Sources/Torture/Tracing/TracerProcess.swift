#if Lab
import Linux

/// A process that came of a traced program.
public struct TracerProcess: Sendable {
    public let id: Int32
    /// What it was started with last; empty until it has executed something.
    public internal(set) var arguments: [String] = []
    /// How it ended; nil for one that had not.
    public internal(set) var end: ChildProcess.End?
    /// It was still there when the first process had ended.
    public internal(set) var outlivedFirst = false
    let isFirst: Bool
    let isChildOfFirst: Bool

    init(id: Int32, isFirst: Bool = false, isChildOfFirst: Bool = false) {
        self.id = id
        self.isFirst = isFirst
        self.isChildOfFirst = isChildOfFirst
    }

    var hasExecuted: Bool { !arguments.isEmpty }

    var worker: String? {
        guard let option = arguments.firstIndex(of: "--worker") else { return nil }
        return arguments.dropFirst(option + 1).first
    }

    var name: String? { arguments.first.map { Text.name(of: $0) } }

    /// `supervisor`, `worker repository`, `e2fsck`, or `unborn` before it has executed anything.
    public var label: String {
        if isFirst { return "supervisor" }
        if let worker { return "worker \(worker)" }
        return name ?? "unborn"
    }

    // ---- /proc ----

    /// The process that a thread belongs to, and that process's parent; nil for one that is gone.
    static func status(_ thread: Int32) -> (process: Int32, parent: Int32)? {
        guard let text = try? FileSystem.readText("/proc/\(thread)/status") else { return nil }
        func field(_ name: String) -> Int32? {
            Text.lines(text).lazy.compactMap { Text.dropPrefix($0, name) }.first.flatMap { Int32(Text.trim($0)) }
        }
        guard let process = field("Tgid:"), let parent = field("PPid:") else { return nil }
        return (process, parent)
    }

    static func arguments(_ id: Int32) -> [String] {
        let text = (try? FileSystem.readText("/proc/\(id)/cmdline")) ?? ""
        return text.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map { String($0) }
    }

    /// Whether it has children, dead ones that it has not waited for among them; no where the kernel does not tell.
    static func hasChildren(_ id: Int32) -> Bool {
        guard let text = try? FileSystem.readText("/proc/\(id)/task/\(id)/children") else { return false }
        return !Text.trim(text).isEmpty
    }
}
#endif
