#if Lab
/// When a traced program has done what it was started for; all that is left of it is killed then.
public enum TracerFinish: Sendable {
    /// It ends by itself.
    case end
    /// A rename has put a file at this path: the moment itself, nothing behind it is executed.
    case appears(String)
    /// A rename has put a file at this path, and the first process waits for events with no other process left: what a
    /// daemon does behind its `ready` is done as well.
    case settled(String)
    /// This says so; asked every 20 ms, on the tracer's thread.
    case when(@Sendable () -> Bool)

    var path: String? {
        switch self {
        case .appears(let path), .settled(let path): path
        case .end, .when: nil
        }
    }

    /// The calls that tell of it.
    var calls: [String] {
        switch self {
        case .end, .when: []
        case .appears: TracerFinish.renames
        case .settled: TracerFinish.renames + TracerFinish.waits.sorted()
        }
    }

    static let renames = ["rename", "renameat", "renameat2"]
    static let waits: Set<String> = ["poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"]
}
#endif
