/// What lies on a device by its signatures.
enum Signature: Equatable {
    case none
    /// A filesystem or a partition table, by libblkid's name for it.
    case one(String)
    /// Several that contradict each other.
    case ambivalent
}
