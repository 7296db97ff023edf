#if Lab
/// Why a case could not be tried: the bench's own trouble, never the migrator's.
struct HostileError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
#endif
