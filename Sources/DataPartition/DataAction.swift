/// One rung that was stood on, and how it held.
public struct DataAction: Sendable, Equatable {
    public let rung: Rung
    /// `ok`, `fixed`, `failed`, `refused`.
    public let result: String
    /// For a person: the program's exit and last line, the device, the reason.
    public let detail: String

    public init(rung: Rung, result: String, detail: String) {
        self.rung = rung
        self.result = result
        self.detail = detail
    }
}
