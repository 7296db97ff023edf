#if Lab
/// Where an undamaged ext4 filesystem keeps what, so that damage can be aimed at every kind of it.
///
/// The format is in the kernel's Documentation/filesystems/ext4. Extents only: nothing the bench makes has another kind of map.
struct Ext4Layout {
    enum Part: String, CaseIterable {
        case superblock, descriptors
        case backupSuperblocks = "backup superblocks"
        case backupDescriptors = "backup descriptors"
        case blockBitmaps = "block bitmaps"
        case inodeBitmaps = "inode bitmaps"
        /// Where inodes are in use.
        case inodeTable = "inode table"
        case rootDirectory = "root directory"
        case directories
        case journalSuperblock = "journal superblock"
        case journal
        /// Blocks of extent trees beyond what fits into the inode.
        case extents
        /// The database, its sidecars and its snapshots.
        case database
        case files
        case anywhere
    }

    let blockSize: Int
    /// First block of each backup superblock.
    private(set) var backups: [Int] = []
    /// Pieces of each part, in bytes: a superblock, else a block.
    private(set) var pieces: [Part: [Range<Int>]] = [:]

    private let bytes: [UInt8]
    private let tables: [Int]
    private let inodesPerGroup: Int
    private let inodeSize: Int

    init(_ bytes: [UInt8]) throws {
        func word(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        guard word(1024 + 0x38, 2) == 0xEF53 else { throw TortureError("a template is no ext4 filesystem") }
        self.bytes = bytes
        let block = 1024 << word(1024 + 0x18, 4)
        blockSize = block
        inodesPerGroup = word(1024 + 0x28, 4)
        inodeSize = word(1024 + 0x58, 2)
        let (blocks, first, perGroup) = (word(1024 + 0x04, 4), word(1024 + 0x14, 4), word(1024 + 0x20, 4))
        let size = word(1024 + 0x60, 4) & 0x80 != 0 ? word(1024 + 0xFE, 2) : 32
        let groups = (blocks - first + perGroup - 1) / perGroup
        func piece(_ number: Int) -> Range<Int> { number * block..<(number + 1) * block }
        let tableBlocks = (groups * size + block - 1) / block
        pieces[.superblock] = [1024..<2048]
        pieces[.descriptors] = (1...tableBlocks).map { piece(first + $0) }
        var tables: [Int] = []
        for group in 0..<groups {
            let at = (first + 1) * block + group * size
            pieces[.blockBitmaps, default: []].append(piece(word(at, 4)))
            pieces[.inodeBitmaps, default: []].append(piece(word(at + 4, 4)))
            tables.append(word(at + 8, 4))
            let start = first + group * perGroup
            if group > 0, word(start * block + 0x38, 2) == 0xEF53, word(start * block + 0x5A, 2) == group {
                backups.append(start)
                pieces[.backupSuperblocks, default: []].append(start * block..<start * block + 1024)
                pieces[.backupDescriptors, default: []] += (1...tableBlocks).map { piece(start + $0) }
            }
        }
        self.tables = tables
        pieces[.anywhere] = (0..<blocks).map(piece)
        walk()
    }

    // ---- The tree ----

    private func word(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }

    private func place(of inode: Int) -> Int {
        tables[(inode - 1) / inodesPerGroup] * blockSize + (inode - 1) % inodesPerGroup * inodeSize
    }

    private mutating func walk() {
        var used: Set<Int> = []
        func use(_ inode: Int) { used.insert(place(of: inode) / blockSize) }
        let journal = blocks(of: 8)
        pieces[.journalSuperblock] = journal.prefix(1).map(piece)
        pieces[.journal] = journal.dropFirst().map(piece)
        (1...11).forEach(use)
        var open: [(inode: Int, path: String)] = [(2, "")]
        while let (inode, path) = open.popLast() {
            let data = blocks(of: inode)
            pieces[path.isEmpty ? .rootDirectory : .directories, default: []] += data.map(piece)
            for (name, child, kind) in data.flatMap(entries) {
                use(child)
                let below = "\(path)/\(name)"
                if kind == 2 { open.append((child, below)) }
                if kind == 1 { pieces[below.hasPrefix("/app/") ? .database : .files, default: []] += blocks(of: child).map(piece) }
            }
        }
        pieces[.inodeTable] = used.sorted().map(piece)
    }

    private func piece(_ number: Int) -> Range<Int> { number * blockSize..<(number + 1) * blockSize }

    private func entries(_ block: Int) -> [(String, Int, kind: Int)] {
        var found: [(String, Int, kind: Int)] = []
        var at = block * blockSize
        let end = at + blockSize
        while at + 8 <= end, word(at + 4, 2) >= 8 {
            let (inode, count) = (word(at, 4), Int(bytes[at + 6]))
            let name = String(decoding: bytes[at + 8..<at + 8 + count], as: UTF8.self)
            if inode != 0, count > 0, name != ".", name != ".." { found.append((name, inode, Int(bytes[at + 7]))) }
            at += word(at + 4, 2)
        }
        return found
    }

    /// A file's blocks; its tree's own are noted on the way.
    private mutating func blocks(of inode: Int) -> [Int] {
        let at = place(of: inode)
        guard word(at + 0x20, 4) & 0x80000 != 0 else { return [] }
        var found: [Int] = []
        var open = [at + 0x28]
        while let node = open.popLast() {
            guard word(node, 2) == 0xF30A else { continue }
            let depth = word(node + 6, 2)
            for number in 0..<word(node + 2, 2) {
                let entry = node + 12 * (number + 1)
                if depth == 0 {
                    let start = word(entry + 8, 4)
                    let count = word(entry + 4, 2)
                    found += start..<start + (count > 0x8000 ? count - 0x8000 : count)
                } else {
                    let block = word(entry + 4, 4)
                    pieces[.extents, default: []].append(piece(block))
                    open.append(block * blockSize)
                }
            }
        }
        return found
    }
}
#endif
