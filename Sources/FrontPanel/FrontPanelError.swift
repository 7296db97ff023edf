/// Why a LED or a button cannot be used. Never fatal: the boot goes on without it.
public struct FrontPanelError: Error, Sendable {
    /// The line, what was being done to it, the cause, and who holds it where somebody does.
    public let text: String
    /// The raw errno; 0 for a line of the wrong kind.
    public let code: Int32
}
