/// How far to go.
public enum Goal: Sendable, Equatable {
    /// Forward to the image's newest step; back to before the first.
    case end
    /// Until this version is the newest applied; 0 undoes all.
    case version(Int64)
    /// That many steps.
    case steps(Int)
}
