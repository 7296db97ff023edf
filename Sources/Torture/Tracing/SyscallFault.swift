#if Lab
import Linux

/// What happens to the n-th selected call instead of what it asked for.
public struct SyscallFault: Sendable, Hashable {
    public enum Lasting: Sendable, Hashable {
        /// That call alone.
        case once
        /// It and all selected calls behind it, also those of later processes that the target fits: a broken disk stays
        /// broken for a second attempt.
        case fromThenOn
    }

    public enum Action: Sendable, Hashable {
        /// The process gets SIGKILL in front of the call, which is not executed.
        case kill
        /// The call returns this errno. It is not executed, unless `executed` (an fsync or a COMMIT's write that did
        /// its work and says it did not, RULES.md S6); `close` always is, since the kernel gives the descriptor up
        /// whatever it returns.
        case error(Int32, Lasting = .once, executed: Bool = false)
        /// The call is not executed and returns this: a forgotten fsync.
        case succeed(Lasting = .once, returning: Int64 = 0)
    }

    /// Which selected call, 0-based.
    public var number: Int
    public var action: Action

    public init(_ number: Int, _ action: Action) {
        self.number = number
        self.action = action
    }

    var lasting: Lasting {
        switch action {
        case .kill: .once
        case .error(_, let lasting, _), .succeed(let lasting, _): lasting
        }
    }

    /// `SIGKILL`, `EIO`, `EIO from then on`, `EIO though executed`, `skipped`, `skipped from then on`
    public var text: String {
        let duration = lasting == .once ? "" : " from then on"
        return switch action {
        case .kill: "SIGKILL"
        case .error(let code, _, let executed): LinuxError.name(code) + (executed ? " though executed" : "") + duration
        case .succeed(_, let result): "skipped" + (result == 0 ? "" : ", returning \(result)") + duration
        }
    }
}
#endif
