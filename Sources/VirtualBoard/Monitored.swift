#if Lab
import Foundation

/// A value that several threads share, and that a thread can wait for: a monitor in Hoare's sense.
final class Monitored<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    // Touched only between lock and unlock of `condition`: that is what makes the class Sendable.
    private var value: Value

    init(_ value: Value) { self.value = value }

    /// Runs `body` alone on the value, then wakes whoever waits for it to change.
    @discardableResult
    func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return try body(&value)
    }

    /// Runs `body` now and after every change until it returns something; nil after `seconds`.
    func wait<Result>(seconds: Double, _ body: (inout Value) -> Result?) -> Result? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = body(&value) { return result }
            if !condition.wait(until: deadline) { return body(&value) }
        }
    }
}
#endif
