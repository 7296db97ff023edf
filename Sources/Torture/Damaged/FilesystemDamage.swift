#if Lab
/// Damage to a filesystem that nobody has chosen: a few numbers that a generator gave, and what they do to the bytes.
struct FilesystemDamage {
    private enum Content: String, CaseIterable {
        case zeros, ones, noise
        case flips = "bit flips"
        /// A write that went to the wrong place.
        case another = "another block's contents"
        /// A write that never arrived.
        case older = "an older version"
        /// A write that arrived in part: some of its sectors are what was there before.
        case torn = "torn at 512 bytes"
    }

    private enum Step {
        case pieces([Range<Int>], Content)
        case range(Range<Int>, Content)
    }

    /// For whoever looks at a failure: `zeros in 3 of journal; the first 12 KiB ones; unreadable: 2 of extents`.
    let text: String
    /// Bytes that every read of fails.
    let unreadable: [Range<Int>]
    private let steps: [Step]
    private let seed: UInt64
    private let layout: Ext4Layout

    /// Of so many images one has sectors that cannot be read.
    static let unreadableStride = 6

    /// - Parameter number: of the image; it decides whether sectors are unreadable, and nothing else.
    init(_ number: Int, seed: UInt64, layout: Ext4Layout, size: Int) {
        var generator = SeededGenerator(seed: seed)
        self.seed = generator.next()
        self.layout = layout
        var words: [String] = []
        var steps: [Step] = []
        var unreadable: [Range<Int>] = []
        if number / 4 % Self.unreadableStride == 1 {
            let (part, pieces) = Self.pieces(of: layout, upTo: 16, &generator)
            for piece in pieces {
                // From a sector to some blocks.
                let count = 512 * (1 << Int.random(in: 0...7, using: &generator))
                let start = min(piece.lowerBound + Int.random(in: 0..<max(piece.count / 512, 1), using: &generator) * 512, size - count)
                unreadable.append(start..<start + count)
            }
            words.append("unreadable: \(pieces.count) of \(part.rawValue)")
        }
        // Half of those have nothing else.
        if unreadable.isEmpty || Bool.random(using: &generator) {
            let count = [1, 1, 1, 2, 2, 3].randomElement(using: &generator)!
            for _ in 0..<count {
                let (step, text) = Self.step(layout, size, &generator)
                steps.append(step)
                words.append(text)
            }
        }
        self.steps = steps
        self.unreadable = unreadable
        text = words.joined(separator: "; ")
    }

    private static func step(_ layout: Ext4Layout, _ size: Int, _ generator: inout SeededGenerator) -> (Step, String) {
        let wiping = [Content.zeros, .ones, .noise].randomElement(using: &generator)!
        switch Int.random(in: 0..<20, using: &generator) {
        case 0, 1:
            let count = power(from: 1, to: 4096, &generator) << 10
            return (.range(0..<count, wiping), "the first \(count >> 10) KiB \(wiping.rawValue)")
        case 2:
            let count = power(from: 1, to: 32, &generator) << 20
            return (.range(size - count..<size, wiping), "the last \(count >> 20) MiB \(wiping.rawValue)")
        case 3, 4:
            let count = power(from: 1, to: 16384, &generator) << 9
            let start = Int.random(in: 0...(size - count) / 512, using: &generator) * 512
            return (.range(start..<start + count, wiping), "\(count) bytes from \(start) on \(wiping.rawValue)")
        default:
            let (part, pieces) = pieces(of: layout, upTo: 200, &generator)
            let content = Content.allCases.randomElement(using: &generator)!
            return (.pieces(pieces, content), "\(content.rawValue) in \(pieces.count) of \(part.rawValue)")
        }
    }

    /// As likely between 1 and 2 as between 100 and 200.
    private static func power(from low: Int, to high: Int, _ generator: inout SeededGenerator) -> Int {
        var steps = 0
        while low << (steps + 1) <= high { steps += 1 }
        let base = low << Int.random(in: 0...steps, using: &generator)
        return min(high, base + Int.random(in: 0..<base, using: &generator))
    }

    private static func pieces(
        of layout: Ext4Layout, upTo most: Int, _ generator: inout SeededGenerator
    ) -> (Ext4Layout.Part, [Range<Int>]) {
        let part = Ext4Layout.Part.allCases.filter { layout.pieces[$0]?.isEmpty == false }.randomElement(using: &generator)!
        let count = power(from: 1, to: most, &generator)
        return (part, Array(layout.pieces[part]!.shuffled(using: &generator).prefix(count)))
    }

    /// - Parameter older: the same disk, an upgrade earlier.
    func apply(to disk: UnsafeMutableRawBufferPointer, older: [UInt8]) {
        var generator = SeededGenerator(seed: seed)
        for step in steps {
            switch step {
            case .range(let range, let content): fill(range, content, disk, older, &generator)
            case .pieces(let pieces, let content): for piece in pieces { fill(piece, content, disk, older, &generator) }
            }
        }
    }

    private func fill(
        _ range: Range<Int>, _ content: Content, _ disk: UnsafeMutableRawBufferPointer, _ older: [UInt8],
        _ generator: inout SeededGenerator
    ) {
        switch content {
        case .zeros: for at in range { disk[at] = 0 }
        case .ones: for at in range { disk[at] = 0xFF }
        case .noise: for at in range { disk[at] = UInt8.random(in: 0...255, using: &generator) }
        case .flips:
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                disk[Int.random(in: range, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
        case .another:
            // Of the filesystem's own, as likely as of a file or of nothing.
            let part = Ext4Layout.Part.allCases.randomElement(using: &generator)!
            guard let from = layout.pieces[part]?.randomElement(using: &generator)?.lowerBound, from + range.count <= disk.count else { return }
            for at in range { disk[at] = disk[from + at - range.lowerBound] }
        case .older: for at in range { disk[at] = older[at] }
        case .torn:
            let start = range.lowerBound + Int.random(in: 0..<max(range.count / 512, 1), using: &generator) * 512
            let isOlder = Bool.random(using: &generator)
            for at in start..<range.upperBound { disk[at] = isOlder ? older[at] : UInt8.random(in: 0...255, using: &generator) }
        }
    }
}
#endif
