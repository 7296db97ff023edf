#if Lab
import Linux

/// What a disk with a volatile cache can hold after a power cut: everything up to a flush, and any part of what was written since.
struct CrashStates {
    struct State {
        /// `prefix 218`, `epoch 12 subset 7`: the same at every run.
        let name: String
        /// Entries of the log that are on the medium whole, in their order.
        let whole: Int
        /// Blocks of the entries behind them, in the order in which they arrived.
        var pieces: [Piece] = []

        /// How many entries can have been logged before the cut: those up to the flush that has not come to its end.
        var latest = 0

        /// Whether the cut may have come after an acknowledgement, which was given when `position` entries had been logged.
        ///
        /// Then it must be in it: what it rests on has to have been flushed by that time, so that nothing of it is left to
        /// the disk's discretion. To ask for the entries themselves would let through what was written and not flushed.
        func isAfter(_ position: Int) -> Bool { position <= latest }
    }

    /// Bytes within one 4 KiB block.
    struct Piece {
        let offset: Int
        let bytes: ArraySlice<UInt8>
    }

    let log: BlockLog
    private static let block = 4096
    private static let sector = 512

    /// Every prefix of the log, and of each epoch `subsets` random choices of its blocks, the last one torn.
    func all(subsets: Int, seed: UInt64) -> [State] {
        let flushes = log.entries.indices.filter { log.entries[$0].isFlush }
        var states: [State] = []
        var start = 0
        for (epoch, end) in (flushes + [log.entries.count]).enumerated() {
            // With the flush that ends them all of an epoch's entries are the same disk as without, but promise more: that is
            // the next epoch's first state.
            let last = epoch == flushes.count ? end : end - 1
            for whole in start..<last + 1 {
                states.append(State(name: "prefix \(whole)", whole: whole, latest: end))
            }
            states += choices(start..<end, epoch: epoch, count: subsets, seed: seed)
            start = end + 1
        }
        return states
    }

    private func choices(_ range: Range<Int>, epoch: Int, count: Int, seed: UInt64) -> [State] {
        let pieces = range.flatMap { blocks(of: log.entries[$0]) }
        if pieces.isEmpty { return [] }
        var generator = SeededGenerator(seed: seed &+ UInt64(epoch))
        var known: Set<UInt64> = []
        var states: [State] = []
        for number in 0..<count {
            var chosen = pieces.filter { _ in Bool.random(using: &generator) }
            chosen.shuffle(using: &generator)
            if let last = chosen.popLast() {
                let sectors = last.bytes.count / Self.sector
                let kept = Int.random(in: 1...max(sectors, 1), using: &generator) * Self.sector
                chosen.append(Piece(offset: last.offset, bytes: last.bytes.prefix(kept)))
            }
            guard known.insert(Self.digest(chosen)).inserted else { continue }
            states.append(State(name: "epoch \(epoch) subset \(number)", whole: range.lowerBound, pieces: chosen, latest: range.upperBound))
        }
        return states
    }

    /// Of what the pieces leave behind.
    private static func digest(_ pieces: [Piece]) -> UInt64 {
        var sum: UInt64 = 0
        for piece in pieces {
            var hash = XXH64()
            hash.update("\(piece.offset) \(piece.bytes.count)")
            piece.bytes.withUnsafeBytes { hash.update($0) }
            sum ^= hash.digest
        }
        return sum
    }

    private func blocks(of entry: BlockLog.Entry) -> [Piece] {
        switch entry {
        case .flush: []
        case .write(let offset, let bytes): Self.split(offset, bytes[...])
        // In one piece: a disk that has forgotten half a block is no disk.
        case .discard(let offset, let count): Self.split(offset, [UInt8](repeating: 0, count: count)[...])
        }
    }

    private static func split(_ offset: Int, _ bytes: ArraySlice<UInt8>) -> [Piece] {
        var pieces: [Piece] = []
        var at = 0
        while at < bytes.count {
            let end = min(((offset + at) / block + 1) * block - offset, bytes.count)
            pieces.append(Piece(offset: offset + at, bytes: bytes[bytes.startIndex + at..<bytes.startIndex + end]))
            at = end
        }
        return pieces
    }

    /// Writes a state into `disk`, which holds the state before the log's first entry, and `done` entries of it already.
    func apply(_ state: State, to disk: UnsafeMutableRawBufferPointer, from done: Int = 0) {
        for entry in log.entries[done..<state.whole] {
            switch entry {
            case .flush: break
            case .write(let offset, let bytes):
                bytes.withUnsafeBytes { (disk.baseAddress! + offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            case .discard(let offset, let count): (disk.baseAddress! + offset).initializeMemory(as: UInt8.self, repeating: 0, count: count)
            }
        }
        for piece in state.pieces {
            piece.bytes.withUnsafeBytes { (disk.baseAddress! + piece.offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
    }
}
#endif
