#if Lab
/// What reached a disk, in order: dm-log-writes' idea, kept in memory.
struct BlockLog {
    enum Entry {
        /// Bytes at an offset, both multiples of 512.
        case write(offset: Int, bytes: [UInt8])
        /// Zeros from an offset on: what a discarded range reads as here.
        case discard(offset: Int, count: Int)
        /// All that was written before it is on the medium when it returns.
        case flush

        var isFlush: Bool {
            if case .flush = self { true } else { false }
        }
    }

    private(set) var entries: [Entry] = []

    /// The same, with every offset changed by `bytes`: as a partition sees what its drive was told.
    func moved(by bytes: Int) -> BlockLog {
        var moved = BlockLog()
        for entry in entries {
            switch entry {
            case .write(let offset, let data): moved.append(.write(offset: offset + bytes, bytes: data))
            case .discard(let offset, let count): moved.append(.discard(offset: offset + bytes, count: count))
            case .flush: moved.append(.flush)
            }
        }
        return moved
    }

    mutating func append(_ entry: Entry) { entries.append(entry) }
}
#endif
