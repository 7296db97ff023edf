/// Why a plan is not tried at this boot.
public struct Hold: Sendable {
    /// What went wrong when it was tried.
    public let reason: String
    /// Boots until it is tried again; nil when only another image (another set, another version of Firstlight or SQLite) changes that.
    public let boots: Int64?
}
