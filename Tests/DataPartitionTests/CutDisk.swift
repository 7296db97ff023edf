import CLinux
import Linux

@testable import DataPartition

/// What a device holds: its sectors of 512 bytes by number; those that are not there are zeros.
typealias Sectors = [Int64: [UInt8]]

extension Sectors {
    func bytes(at offset: Int64, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for sector in offset / 512..<offset / 512 + Int64(count / 512) { bytes += self[sector] ?? Sectors.blank }
        return bytes
    }

    private static let blank = [UInt8](repeating: 0, count: 512)

    mutating func put(_ bytes: [UInt8], at offset: Int64) {
        for i in stride(from: 0, to: bytes.count, by: 512) { self[(offset + Int64(i)) / 512] = Array(bytes[i..<(i + 512)]) }
    }
}

/// A disk in memory behind a cache, as the kernel's: what was written is read back at once, and on the device after a sync.
final class CutDisk: BlockWriting {
    /// A sector that was written.
    struct Piece {
        let sector: Int64
        let bytes: [UInt8]
    }

    let path = "cut"
    let size: Int64
    let sectorSize: Int64
    private(set) var device: Sectors
    private var cache: Sectors
    /// What was written between two syncs, and so on to the end.
    private(set) var epochs: [[Piece]] = [[]]
    /// The call that fails, counted from 0: a read, a write that reaches nothing, or a sync that has written nothing.
    var fault = -1
    /// The write that is acknowledged, and reaches only the cache.
    var lost = -1
    private(set) var calls = 0

    init(_ device: Sectors, size: Int64, sectorSize: Int64 = 512) {
        self.device = device
        self.size = size
        self.sectorSize = sectorSize
        cache = device
    }

    private func count(_ operation: String) throws(LinuxError) {
        calls += 1
        if calls - 1 == fault { throw LinuxError(operation, path, code: EIO) }
    }

    func bytes(at offset: Int64, count: Int) throws(LinuxError) -> [UInt8] {
        try self.count("read")
        if offset < 0 || offset + Int64(count) > size { throw LinuxError("read", path, code: EIO) }
        return Array(cache.bytes(at: offset, count: (count + 511) / 512 * 512).prefix(count))
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(LinuxError) {
        precondition(offset % sectorSize == 0 && bytes.count % Int(sectorSize) == 0 && offset + Int64(bytes.count) <= size)
        try count("write")
        cache.put(bytes, at: offset)
        if calls - 1 == lost { return }
        for i in stride(from: 0, to: bytes.count, by: 512) {
            epochs[epochs.count - 1].append(Piece(sector: (offset + Int64(i)) / 512, bytes: Array(bytes[i..<(i + 512)])))
        }
    }

    func sync() throws(LinuxError) {
        // After a failure the pages count as clean (RULES.md S7): the cache has them, the device has not and will not.
        if calls == fault { epochs[epochs.count - 1] = [] }
        try count("fsync")
        for piece in epochs[epochs.count - 1] { device[piece.sector] = piece.bytes }
        epochs.append([])
    }

    func dropCache() { if epochs[epochs.count - 1].isEmpty { cache = device } }
    func signature() throws(LinuxError) -> Signature { .none }
}

/// What power cuts leave of a disk.
struct PowerCuts {
    let start: Sectors
    let epochs: [[CutDisk.Piece]]
    /// Up to so many pieces written between two syncs all subsets are tried; of more, each prefix, each piece alone, each piece missing,
    /// and a hundred others.
    var exhaustive = 10
    /// Of more only the prefixes.
    var isShort = false

    /// Every state, and how many syncs came before it.
    func forEach(_ body: (Sectors, Int) throws -> Void) rethrows {
        var base = start
        var random = SplitMix(state: 0x6669_7273_746C)
        for (index, pieces) in epochs.enumerated() {
            try choices(pieces.count, &random) { chosen in
                var state = base
                for (i, piece) in pieces.enumerated() where chosen(i) { state[piece.sector] = piece.bytes }
                try body(state, index)
            }
            for piece in pieces { base[piece.sector] = piece.bytes }
        }
    }

    private func choices(_ count: Int, _ random: inout SplitMix, _ body: ((Int) -> Bool) throws -> Void) rethrows {
        if count <= exhaustive {
            for subset in 0..<(1 << count) { try body { subset >> $0 & 1 == 1 } }
            return
        }
        for length in 0...count { try body { $0 < length } }
        if isShort { return }
        for one in 0..<count {
            try body { $0 == one }
            try body { $0 != one }
        }
        for _ in 0..<100 {
            let bits = (0..<count).map { _ in Bool.random(using: &random) }
            try body { bits[$0] }
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
