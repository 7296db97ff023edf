#if Lab
import Foundation
import VirtualBoard

/// What one boot showed: on the pin, on the console and in status.json.
struct Observation {
    let outcome: String
    /// The pattern measured on the pin once ready; nil when it was none of the table's.
    let pattern: LightPattern?
    let readyMilliseconds: Int
    let status: [String: Any]
    let segments: [LightSegment]

    var repository: [String: Any] { (status["repositories"] as? [[String: Any]])?.first ?? [:] }
}

/// A deviation from what the story tells.
struct Deviation: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Checks as the scenes write them.
func expect(_ holds: Bool, _ text: @autoclosure () -> String) throws {
    if !holds { throw Deviation(text()) }
}
#endif
