#if Lab
/// Which system calls of which process are looked at, and counted from 0.
public struct SyscallSelection: Sendable {
    public var target: TracerTarget
    /// Of several processes that the target fits, the n-th (0-based): a supervisor's second attempt is left alone.
    public var process: Int
    /// Nil for every call.
    public var names: Set<String>?
    /// Only calls that touch one of these files, what is below it, or exactly this device (`/dev/loop0`); absolute and
    /// without symbolic links, since that is how the kernel names an open file. Nil for calls without a file as well.
    public var paths: [String]?

    public init(_ target: TracerTarget, process: Int = 0, names: Set<String>? = nil, paths: [String]? = nil) {
        self.target = target
        self.process = process
        self.names = names
        self.paths = paths
    }

    /// The same of one name only: an event's `ordinal` is its place there.
    public func only(_ name: String) -> SyscallSelection {
        var selection = self
        selection.names = [name]
        return selection
    }

    /// Whether one of `touched` is one of the paths or below it.
    func includes(_ touched: [String]) -> Bool {
        guard let paths else { return true }
        return touched.contains { path in paths.contains { path == $0 || path.hasPrefix($0 + "/") } }
    }
}
#endif
