#if Lab
import Foundation
import Linux

/// The undamaged appliance of a scene, and what its damages are made of.
struct HostileTemplate {
    /// `data/` with the database and, in a known scene, `.firstlight`.
    let tree: HostileTree
    /// The database without sidecars.
    let database: Data
    /// By sidecar: the database beside it, and the sidecar itself.
    let halves: [Sidecar: (database: Data, sidecar: Data)]
    let tables: [HostileContents.Table]
    /// Page numbers by what they are for: `leaf readings`, `index readings_by_sensor`, `overflow files`.
    let pages: [String: [Int]]
    /// Rows of the database as each sidecar leaves it.
    let contents: [Sidecar: HostileContents]
    /// Rows of each snapshot, by its file's path in the tree.
    let snapshots: [String: HostileContents]

    static let database = "app/app.db"
    static let state = "app/.firstlight/app"
    static let pageSize = 4096

    /// Builds it with the tool itself and plain SQLite. `folder` is left with the sets of migrations only.
    init(_ scene: HostileScene, _ tool: HostileTool, folder: String) throws {
        let work = "\(folder)/template"
        let live = try Self.build(scene, tool, in: work, folder: folder, rows: HostileAppliance.lateRows(scene.schema), stranger: false)
        var tree = try HostileTree("\(work)/data")
        if scene.state == .new { for path in tree.entries.keys where path.hasPrefix("app/.firstlight") { tree[path] = nil } }
        self.tree = tree
        database = live
        tables = HostileContents.tables(HostileConnection("\(work)/data/\(Self.database)"))
        pages = Self.pages("\(work)/data/\(Self.database)")
        var halves: [Sidecar: (database: Data, sidecar: Data)] = [:]
        let own = try Self.cutShort("\(work)/data/\(Self.database)", scene.journal)
        if scene.journal == .rollback {
            halves[.hotJournal] = own
            halves[.cutJournal] = (own.database, own.sidecar.prefix(own.sidecar.count / 2))
            halves[.superJournal] = (try Self.changed("\(work)/data/\(Self.database)"), own.sidecar + Self.superJournalEnd)
            halves[.spentJournal] = (live, Data(count: 28) + own.sidecar.dropFirst(28))
        } else {
            halves[.fullWAL] = own
            halves[.tornWAL] = (own.database, own.sidecar.dropLast(Self.pageSize / 2) + Data(count: Self.pageSize / 2))
            halves[.garbageSHM] = own
        }
        for (kind, journal) in [(Sidecar.strangersJournal, HostileScene.Journal.rollback), (.strangersWAL, .wal)] {
            let other = HostileScene(journal: journal, schema: scene.schema, state: scene.state, image: scene.image)
            _ = try Self.build(other, tool, in: work, folder: folder, rows: HostileAppliance.strangersRows(scene.schema), stranger: true)
            halves[kind] = (live, try Self.cutShort("\(work)/data/\(Self.database)", journal).sidecar)
        }
        var noise = SeededGenerator(seed: 0x5EED)
        for kind in [Sidecar.garbageJournal, .garbageWAL] { halves[kind] = (live, noise.bytes(9000)) }
        self.halves = halves

        var contents: [Sidecar: HostileContents] = [:]
        for kind in Sidecar.allCases where kind.belongs(to: scene.journal) && kind != .journalDirectory && kind != .walDirectory {
            var tree = HostileTree()
            Self.place(kind, halves[kind]?.database ?? live, halves[kind]?.sidecar, in: &tree, at: "app.db")
            try tree.write(to: work)
            contents[kind] = HostileContents("\(work)/app.db", tables)
        }
        self.contents = contents
        var snapshots: [String: HostileContents] = [:]
        for path in tree.entries.keys where path.hasPrefix("\(Self.state)/snapshots/") && path.hasSuffix(".db") {
            var alone = HostileTree()
            alone["app.db"] = tree[path]
            try alone.write(to: work)
            snapshots[path] = HostileContents("\(work)/app.db", tables)
        }
        self.snapshots = snapshots
        try FileSystem.removeTree(work)
    }

    /// Puts a database and its sidecar into a tree.
    static func place(_ kind: Sidecar, _ database: Data, _ sidecar: Data?, in tree: inout HostileTree, at path: String) {
        tree[path] = .file(database)
        switch kind {
        case .none: break
        case .empty:
            tree[path + "-journal"] = .file(Data())
            tree[path + "-wal"] = .file(Data())
        case .journalDirectory: tree[path + "-journal"] = .directory
        case .walDirectory: tree[path + "-wal"] = .directory
        case .garbageJournal, .hotJournal, .cutJournal, .superJournal, .spentJournal, .strangersJournal:
            tree[path + "-journal"] = sidecar.map { .file($0) }
        case .garbageWAL, .fullWAL, .tornWAL, .strangersWAL:
            tree[path + "-wal"] = sidecar.map { .file($0) }
        case .garbageSHM:
            tree[path + "-wal"] = sidecar.map { .file($0) }
            var noise = SeededGenerator(seed: 0x5113)
            tree[path + "-shm"] = .file(noise.bytes(32768))
        }
    }

    /// The two sets of migrations, for every case of a schema.
    static func writeSets(_ folder: String) throws {
        for schema in HostileScene.Schema.allCases {
            for pending in [false, true] {
                let set = Self.set(folder, schema, pending: pending)
                try FileSystem.makeDirectories(set)
                for (name, text) in HostileAppliance.migrations(schema, pending: pending) {
                    try text.write(toFile: "\(set)/\(name)", atomically: false, encoding: .utf8)
                }
            }
        }
    }

    static func set(_ folder: String, _ schema: HostileScene.Schema, pending: Bool) -> String {
        "\(folder)/set-\(schema.rawValue)\(pending ? "-pending" : "")"
    }

    /// A database with the tool's own state beside it: two snapshots, and rows since. Returns its bytes.
    private static func build(
        _ scene: HostileScene, _ tool: HostileTool, in work: String, folder: String, rows: String, stranger: Bool
    ) throws -> Data {
        try FileSystem.removeTree(work)
        let path = "\(work)/data/\(Self.database)"
        try FileSystem.makeDirectories("\(work)/data/app")
        let options = ["--json", "--database", path]
        try Self.expect(tool, ["migrate", "--migrations", Self.set(folder, scene.schema, pending: false)] + options)
        try Self.write(path) { database in
            // The only ways into these modes there are: a VACUUM, and nobody else having the file open.
            (scene.schema == .full ? database.execute("PRAGMA auto_vacuum=INCREMENTAL; VACUUM") : true)
                && database.execute("PRAGMA journal_mode=\(scene.journal == .wal ? "WAL" : "DELETE")")
                && (stranger || database.execute("BEGIN; \(HostileAppliance.earlyRows(scene.schema)) COMMIT"))
        }
        try Self.expect(tool, ["snapshot"] + options)
        try Self.write(path) { $0.execute("BEGIN; \(rows) COMMIT") }
        return try HostileTree.read(path)
    }

    private static func expect(_ tool: HostileTool, _ arguments: [String]) throws {
        let answer = try tool.run(arguments)
        if answer.end != .exited(0) { throw HostileError("firstlightctl \(arguments[0]): \(answer.end.text): \(answer.text)") }
    }

    private static func write(_ path: String, _ body: (HostileConnection) -> Bool) throws {
        let database = HostileConnection(path)
        if !body(database) { throw HostileError("\(path): \(database.message)") }
    }

    /// What a power cut would leave: the files as they are in the middle of a transaction, or before the checkpoint after it.
    private static func cutShort(_ path: String, _ journal: HostileScene.Journal) throws -> (database: Data, sidecar: Data) {
        let database = HostileConnection(path)
        // So small a cache that changed pages spill into the file before the commit.
        let begin = journal == .wal ? "PRAGMA wal_autocheckpoint=0; BEGIN;" : "PRAGMA cache_size=4; BEGIN;"
        let end = journal == .wal ? "COMMIT" : ""
        if !database.execute("\(begin) \(HostileAppliance.change) \(end)") { throw HostileError("\(path): \(database.message)") }
        let sidecar = path + (journal == .wal ? "-wal" : "-journal")
        return (try HostileTree.read(path), try HostileTree.read(sidecar))
    }

    /// The database with that transaction committed. Nothing uses `path` afterwards.
    private static func changed(_ path: String) throws -> Data {
        try write(path) { $0.execute("BEGIN; \(HostileAppliance.change) COMMIT") }
        return try HostileTree.read(path)
    }

    /// Section 3.2 of fileformat2.html calls it the master journal: page number of the lock byte, name, length, checksum, magic.
    private static var superJournalEnd: Data {
        let name = Data("/nowhere/app.db-mj0123ABCD".utf8)
        let sum = name.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        let lockPage = UInt32(0x4000_0000 / pageSize + 1)
        return Self.big(lockPage) + name + Self.big(UInt32(name.count)) + Self.big(sum)
            + Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7])
    }

    private static func big(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }

    private static func pages(_ path: String) -> [String: [Int]] {
        let database = HostileConnection(path)
        var pages: [String: [Int]] = [:]
        var used: Set<Int> = []
        for line in database.column("SELECT pageno || ' ' || pagetype || ' ' || name FROM dbstat ORDER BY pageno") ?? [] {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let page = Int(words[0]) else { continue }
            pages[String(words[1]), default: []].append(page)
            used.insert(page)
        }
        let count = Int(database.column("PRAGMA page_count")?.first ?? "") ?? 1
        let free = (2...max(count, 2)).filter { !used.contains($0) }
        // The first pointer map is page 2 wherever there is one.
        let mapped = database.column("PRAGMA auto_vacuum")?.first != "0"
        pages["pointer-map"] = mapped ? [2] : nil
        pages["free"] = free.filter { !mapped || $0 != 2 }
        pages["all"] = Array(1...count)
        return pages
    }
}

extension SeededGenerator {
    /// So many random bytes.
    mutating func bytes(_ count: Int) -> Data {
        var data = Data(capacity: count + 8)
        while data.count < count { withUnsafeBytes(of: next()) { data.append(contentsOf: $0) } }
        return data.prefix(count)
    }
}
#endif
