#if Lab
/// What went wrong with the virtual board or with the tools around it, as a sentence for a person.
public struct BoardError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
#endif
