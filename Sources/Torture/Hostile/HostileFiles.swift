#if Lab
import Foundation
import Linux

/// Hostile files: every kind of damage to a database, with every kind of sidecar beside it, and to its snapshots; and the databases of
/// SQLite's own corpora in the place of either. The real firstlightctl migrates each as a boot does, and the oracle holds what is left
/// against the contract (README.md).
///
/// Not to be shared between threads; lanes are processes, each with a folder of its own.
public final class HostileFiles {
    private let tool: HostileTool
    private let folder: String
    private let corpus: Corpus?
    private var templates: [HostileScene: HostileTemplate] = [:]

    /// Every case, in a stable order.
    public let cases: [HostileCase]
    /// How many there are.
    public var count: Int { cases.count }

    /// - Parameters:
    ///   - tool: firstlightctl as built for this machine.
    ///   - folder: where the files are made; in RAM, and this lane's alone. Made when it is missing.
    ///   - corpora: the folder that scripts/corpora fills; nil leaves its cases out.
    public init(tool: String, folder: String, corpora: String?) throws {
        try FileSystem.makeDirectories(folder)
        self.tool = HostileTool(path: tool, folder: folder)
        self.folder = folder
        corpus = try corpora.map { try Corpus($0) }
        cases = HostileCase.all(corpus)
        try HostileTemplate.writeSets(folder)
    }

    /// The case of this name.
    public func named(_ name: String) -> HostileCase? { cases.first { $0.name == name } }

    /// So many cases, the same for the same seed. Every kind of damage, every sidecar and every scene is among them while there is room.
    public func sample(_ count: Int, seed: UInt64) -> [HostileCase] {
        var generator = SeededGenerator(seed: seed)
        let shuffled = cases.shuffled(using: &generator)
        var seen: Set<String> = []
        // A case that shows a word which none before it had goes first.
        var first: [HostileCase] = []
        var rest: [HostileCase] = []
        for one in shuffled {
            let words = one.name.split(separator: "/").map { word in
                String(word.hasPrefix("corpus") ? word.prefix(16) : word).replacing(/[0-9]+/, with: "")
            }
            if words.filter({ seen.insert($0).inserted }).isEmpty { rest.append(one) } else { first.append(one) }
        }
        return Array((first + rest).prefix(count))
    }

    /// Tries one case.
    /// - Returns: nil when the contract was kept; else what is wrong, in one line. The files as they were and as they became are then in
    ///   `kept(one)`.
    /// - Throws: when the bench itself is in trouble.
    public func run(_ one: HostileCase) throws -> String? {
        let template = try template(one.scene)
        guard let before = try files(one, template) else { return nil }
        let oracle = HostileOracle(
            one: one, template: template, tool: tool, folder: folder, before: before,
            set: HostileTemplate.set(folder, one.scene.schema, pending: one.scene.image == .pending))
        let (verdict, after) = try oracle.judge()
        guard let verdict else { return nil }
        let kept = kept(one)
        try FileSystem.makeDirectories(kept)
        try before.write(to: "\(kept)/before")
        try after.write(to: "\(kept)/after")
        return verdict
    }

    /// Where the files of a failed case are kept.
    public func kept(_ one: HostileCase) -> String { "\(folder)/failed/\(one.name.replacing("/", with: "+"))" }

    private func template(_ scene: HostileScene) throws -> HostileTemplate {
        if let made = templates[scene] { return made }
        let made = try HostileTemplate(scene, tool, folder: folder)
        templates[scene] = made
        return made
    }

    /// The files as the case wants them; nil where this appliance has nothing of the kind that is to be damaged.
    private func files(_ one: HostileCase, _ template: HostileTemplate) throws -> HostileTree? {
        var tree = template.tree
        let database = HostileTemplate.database
        switch one.fault {
        case .database(let damage, let sidecar):
            let half = template.halves[sidecar]
            let whole = half?.database ?? template.database
            guard let damaged = try apply(damage, whole, template) else { return nil }
            HostileTemplate.place(sidecar, damaged, half?.sidecar, in: &tree, at: database)
            replacePlace(damage, damaged, in: &tree)
        case .snapshots(let damage, let count):
            tree[database] = .file(noise(template.database.count))
            for path in template.snapshots.keys.sorted().suffix(count) {
                guard let snapshot = tree.data(path), let damaged = try apply(damage, snapshot, template) else { return nil }
                tree[path] = .file(damaged)
                if damage == .missing { tree[path] = nil }
                if damage.replacesThePlace { tree[path] = damage == .fifo ? .fifo : .directory }
            }
        case .corpus(let number):
            tree[database] = .file(try corpus!.database(number))
        case .corpusSnapshots(let number):
            tree[database] = .file(noise(template.database.count))
            let bytes = try corpus!.database(number)
            for (index, path) in template.snapshots.keys.sorted().enumerated() {
                tree[path] = nil
                tree["\(HostileTemplate.state)/snapshots/\(Self.sealedName(bytes, sequence: index + 1)).db"] = .file(bytes)
            }
        }
        return tree
    }

    private func noise(_ count: Int) -> Data {
        var generator = SeededGenerator(seed: 7)
        return generator.bytes(count)
    }

    private func apply(_ damage: Damage, _ database: Data, _ template: HostileTemplate) throws -> Data? {
        guard let sql = damage.sql else { return damage.applied(to: database, pages: template.pages) }
        let path = "\(folder)/sql.db"
        for suffix in ["", "-journal", "-wal", "-shm"] { try FileSystem.remove(path + suffix) }
        try database.write(to: URL(fileURLWithPath: path))
        do {
            let connection = HostileConnection(path)
            if !connection.execute(sql) { throw HostileError("\(damage.name): \(connection.message)") }
        }
        return try HostileTree.read(path)
    }

    private func replacePlace(_ damage: Damage, _ bytes: Data, in tree: inout HostileTree) {
        let database = HostileTemplate.database
        switch damage {
        case .missing: tree[database] = nil
        case .directory: tree[database] = .directory
        case .fifo: tree[database] = .fifo
        case .link:
            tree["app/elsewhere.db"] = .file(bytes)
            tree[database] = .link("elsewhere.db")
        case .danglingLink: tree[database] = .link("nowhere.db")
        default: break
        }
    }

    private static func sealedName(_ bytes: Data, sequence: Int) -> String {
        var hash = XXH64()
        bytes.withUnsafeBytes { hash.update($0) }
        let number = String(sequence)
        return String(repeating: "0", count: 6 - number.count) + number
            + "-\(HostileAppliance.versions.last!)-5-\(bytes.count)-\(Text.hex(hash.digest))"
    }
}
#endif
