#if Lab
import Foundation

/// How damages are done to bytes.
extension Damage {
    /// The damaged bytes, or nil where this database has no page of the kind that is meant.
    func applied(to database: Data, pages: [String: [Int]]) -> Data? {
        var file = DamagedFile(bytes: database, pages: pages, seed: name)
        return file.damage(self) ? file.bytes : nil
    }
}

/// A database file whose pages are known.
private struct DamagedFile {
    var bytes: Data
    let pages: [String: [Int]]
    var noise: SeededGenerator
    private let pageSize = HostileTemplate.pageSize

    init(bytes: Data, pages: [String: [Int]], seed: String) {
        self.bytes = bytes
        self.pages = pages
        noise = SeededGenerator(seed: seed.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    /// False when there is no such page.
    mutating func damage(_ damage: Damage) -> Bool {
        switch damage {
        case .missing, .directory, .fifo, .link, .danglingLink: return true
        case .zeroLength: bytes = Data()
        case .oneByte: bytes = bytes.prefix(1)
        case .short: bytes = bytes.prefix(511)
        case .noise512: bytes = noise.bytes(512)
        case .encrypted: bytes = noise.bytes(bytes.count)
        case .json: bytes = Data((#"{"settings": ["# + String(repeating: #"{"key": "value"}, "#, count: 200) + "{}]}").utf8)
        case .tornMagic: fill(8..<16, .noise)
        case .magicBit: bytes[7] ^= 0x20
        case .header(let field, let fill): self.fill(field.place, fill)
        case .tornFirstPage(let byte): fill(byte..<pageSize, .noise)
        case .page(let role, let fault): return ruin(role, fault)
        case .swapped(let one, let other): return swap(one, other)
        case .childLoop(let role): return setChild(role) { $0 }
        case .childOutside(let role): return setChild(role) { _ in 0x00FF_FF00 }
        case .bitFlips(let count, _):
            for _ in 0..<count { bytes[Int.random(in: 0..<bytes.count, using: &noise)] ^= 1 << UInt8.random(in: 0..<8, using: &noise) }
        case .truncated(let cut): bytes = bytes.prefix(length(cut))
        case .extended(let count, let fill):
            let end = bytes.count
            bytes.append(Data(count: count))
            self.fill(end..<end + count, fill)
        case .freelist(let fault): return damageFreelist(fault)
        case .overflow(let fault): return damageOverflow(fault)
        case .schema(let fault): return damageSchema(fault)
        case .peaceful: return false
        }
        return true
    }

    private mutating func fill(_ range: Range<Int>, _ fill: Damage.Fill) {
        switch fill {
        case .zeros: bytes.replaceSubrange(range, with: Data(count: range.count))
        case .ones: bytes.replaceSubrange(range, with: Data(repeating: 0xFF, count: range.count))
        case .noise: bytes.replaceSubrange(range, with: noise.bytes(range.count))
        }
    }

    /// A middle page of its kind, counted from 1.
    private func page(_ role: Damage.Role) -> Int? {
        guard let all = pages[role.rawValue]?.filter({ $0 * pageSize <= bytes.count }), !all.isEmpty else { return nil }
        return all[all.count / 2]
    }

    private func range(_ page: Int) -> Range<Int> { (page - 1) * pageSize..<page * pageSize }

    private mutating func ruin(_ role: Damage.Role, _ fault: Damage.PageFault) -> Bool {
        guard let page = page(role) else { return false }
        let range = range(page)
        switch fault {
        case .zeros: fill(range, .zeros)
        case .noise: fill(range, .noise)
        case .torn: fill(range.lowerBound + pageSize / 2..<range.upperBound, .zeros)
        case .strangers:
            guard let other = self.page(role == .files ? .settings : .files) else { return false }
            bytes.replaceSubrange(range, with: Data(bytes[self.range(other)]))
        case .cells: fill(range.lowerBound + 3..<range.lowerBound + 5, .ones)
        }
        return true
    }

    private mutating func swap(_ one: Damage.Role, _ other: Damage.Role) -> Bool {
        guard let one = page(one), let other = page(other), one != other else { return false }
        let first = Data(bytes[range(one)])
        bytes.replaceSubrange(range(one), with: Data(bytes[range(other)]))
        bytes.replaceSubrange(range(other), with: first)
        return true
    }

    /// The right-most child of an interior page is in its header (fileformat2.html, 1.6).
    private mutating func setChild(_ role: Damage.Role, _ child: (Int) -> Int) -> Bool {
        guard let page = page(role) else { return false }
        set(child(page), at: range(page).lowerBound + 8)
        return true
    }

    private mutating func set(_ value: Int, at offset: Int) {
        bytes.replaceSubrange(offset..<offset + 4, with: withUnsafeBytes(of: UInt32(value).bigEndian) { Data($0) })
    }

    private func length(_ cut: Damage.Cut) -> Int {
        let count = bytes.count / pageSize
        return switch cut {
        case .lastByte: bytes.count - 1
        case .lastPage: (count - 1) * pageSize
        case .midPage: count / 3 * pageSize + 1000
        case .half: count / 2 * pageSize
        case .twoPages: 2 * pageSize
        case .onePage: pageSize
        }
    }

    /// The first trunk page: next trunk, number of leaves, leaves (fileformat2.html, 1.5).
    private mutating func damageFreelist(_ fault: Damage.ListFault) -> Bool {
        let trunk = bytes[32..<36].reduce(0) { $0 << 8 | Int($1) }
        guard trunk > 0, trunk * pageSize <= bytes.count, let live = page(.readings) else { return false }
        let start = range(trunk).lowerBound
        switch fault {
        case .loop: set(trunk, at: start)
        case .outside: set(0x00FF_FF00, at: start + 8)
        case .live: set(live, at: start + 8)
        case .count: set(5000, at: start + 4)
        }
        return true
    }

    private mutating func damageOverflow(_ fault: Damage.ListFault) -> Bool {
        guard let page = page(.blob), let live = self.page(.readings) else { return false }
        let start = range(page).lowerBound
        switch fault {
        case .loop: set(page, at: start)
        case .outside: set(0x00FF_FF00, at: start)
        case .live: set(live, at: start)
        case .count: return false
        }
        return true
    }

    private mutating func damageSchema(_ fault: Damage.SchemaFault) -> Bool {
        let (text, place): (String, Int)
        switch fault {
        case .table: (text, place) = ("CREATE TABLE readings", 7)
        case .trigger: (text, place) = ("CREATE TRIGGER settings_changed", 7)
        case .view: (text, place) = ("CREATE VIEW daily AS SELECT", 21)
        case .index: (text, place) = ("CREATE INDEX readings_by_sensor ON", 32)
        default: return false
        }
        guard let found = bytes.range(of: Data(text.utf8)) else { return false }
        bytes[found.lowerBound + place] ^= 0x1F
        return true
    }
}
#endif
