#if ServiceLifecycle
internal import AutoMigrator
internal import Synchronization

/// A result that comes once and that any number of tasks wait for, each until it is cancelled.
///
///     idle ─claim─► running ─end─► ended
///       waiters are kept                answered at once
final class Readiness: Sendable {
    private typealias Waiter = CheckedContinuation<[RepositoryReport], any Error>

    private struct State {
        var claimed = false
        var result: Result<[RepositoryReport], any Error>?
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
        /// Waiters whose cancellation came before their continuation.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Whether the caller is the first, and so the one who is to `end` it.
    func claim() -> Bool {
        state.withLock { state in
            defer { state.claimed = true }
            return !state.claimed
        }
    }

    func end(_ result: Result<[RepositoryReport], any Error>) {
        let waiters = state.withLock { state in
            state.result = result
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    /// - Throws: `CancellationError` when the calling task is cancelled first, or the result's own error.
    func value() async throws -> [RepositoryReport] {
        let number = state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let result: Result<[RepositoryReport], any Error>? = state.withLock { state in
                    if let result = state.result { return result }
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    state.waiters[number] = waiter
                    return nil
                }
                if let result { waiter.resume(with: result) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                if let waiter = state.waiters.removeValue(forKey: number) { return waiter }
                if state.result == nil { state.cancelled.insert(number) }
                return nil
            }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
#endif
