/// How a stage that may take long tells what it is doing: a worker sends it down its pipe, where silence means stalled.
public struct Reporter {
    /// What the LED shows meanwhile.
    public enum Phase: Sendable, Equatable {
        /// Checking, mounting, migrating.
        case working
        /// Repairing, restoring, rebuilding.
        case recovering
        /// Erasing for a factory reset.
        case wiping

        /// The word in the worker's protocol.
        public var text: String {
            switch self {
            case .working: "working"
            case .recovering: "recovering"
            case .wiping: "wiping"
            }
        }

        /// From the word in the worker's protocol; nil for any other.
        public init?(text: String) {
            switch text {
            case "working": self = .working
            case "recovering": self = .recovering
            case "wiping": self = .wiping
            default: return nil
            }
        }
    }

    /// Where lines for a person go.
    public let log: Log
    private let onProgress: (Phase, String, Int64?) -> Void
    private let onChild: (Int32) -> Void

    /// - Parameters:
    ///   - progress: is told each step as it begins, and how much of a hundred is done, where that is known.
    ///   - child: is told each program that is started.
    public init(
        log: Log, progress: @escaping (Phase, String, Int64?) -> Void = { _, _, _ in }, child: @escaping (Int32) -> Void = { _ in }
    ) {
        self.log = log
        onProgress = progress
        onChild = child
    }

    /// A step begins: `e2fsck -p /dev/vda1`, `step 3 of 10: 20240301120000_add_sensors`.
    ///
    /// - Parameter percent: of the stage, as far as that is known.
    public func progress(_ phase: Phase, _ step: String, percent: Int64? = nil) { onProgress(phase, step, percent) }

    /// A program was started whose I/O and CPU time count as movement until it ends.
    public func child(_ process: Int32) { onChild(process) }

    /// Tells nobody.
    public static var silent: Reporter { Reporter(log: .none) }
}
