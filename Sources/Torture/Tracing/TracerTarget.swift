#if Lab
/// Which of a traced program's processes is meant.
public enum TracerTarget: Sendable, Hashable {
    /// The program itself: the first process, whatever it executes.
    case supervisor
    /// One whose arguments have `--worker` and behind it this word: `repository`, `data`, `upkeep`.
    case worker(String)
    /// One that executed a file of this name: `e2fsck`.
    case program(String)
    /// A child of the supervisor from its birth until it executes something.
    case unborn
    /// Every process, counted together.
    case any

    func matches(_ process: TracerProcess) -> Bool {
        switch self {
        case .supervisor: process.isFirst && process.hasExecuted
        case .worker(let word): process.hasExecuted && process.worker == word
        case .program(let name): process.hasExecuted && process.name == name
        case .unborn: process.isChildOfFirst && !process.hasExecuted
        case .any: process.hasExecuted || !process.isFirst
        }
    }
}
#endif
