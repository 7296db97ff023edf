#if Lab
/// One thing that is wrong with one appliance's files.
public struct HostileCase: Hashable, Sendable {
    /// What is wrong.
    enum Fault: Hashable, Sendable {
        /// The database and what lies beside it.
        case database(Damage, Sidecar)
        /// The database is noise, and so are the newest snapshots, `count` of them, with the names they had.
        case snapshots(Damage, count: Int)
        /// A corpus's database is the database.
        case corpus(Corpus.Number)
        /// The database is noise, and every snapshot is a corpus's database under a seal of its own bytes: a copy of what was
        /// damaged before.
        case corpusSnapshots(Corpus.Number)
    }

    let scene: HostileScene
    let fault: Fault

    /// Stable: the same name is the same fault, in every run and on every machine.
    ///
    /// `wal.full.known.pending/page.blob.zeros/full-wal`, `rollback.plain.known.same/snapshots-2/bit-flips.1.3`,
    /// `rollback.plain.new.same/corpus-3-17`
    public var name: String {
        switch fault {
        case .database(let damage, let sidecar): "\(scene.name)/\(damage.name)/\(sidecar.rawValue)"
        case .snapshots(let damage, let count): "\(scene.name)/snapshots-\(count)/\(damage.name)"
        case .corpus(let number): "\(scene.name)/corpus-\(number.file)-\(number.id)"
        case .corpusSnapshots(let number): "\(scene.name)/corpus-snapshots-\(number.file)-\(number.id)"
        }
    }

    /// Every case there is; those of the corpora only where there is one.
    static func all(_ corpus: Corpus?) -> [HostileCase] {
        var all: [HostileCase] = []
        for scene in HostileScene.all {
            for damage in Damage.all where damage.exists(in: scene) {
                for sidecar in Sidecar.allCases where sidecar.belongs(to: scene.journal) && damage.goesWith(sidecar) {
                    all.append(HostileCase(scene: scene, fault: .database(damage, sidecar)))
                }
                if scene.state == .known && damage.sql == nil && damage != .link && damage != .danglingLink {
                    all += [1, 2].map { HostileCase(scene: scene, fault: .snapshots(damage, count: $0)) }
                }
            }
        }
        let scenes = HostileScene.all.filter { $0.schema == .plain && $0.image == .same && $0.journal == .rollback }
        for number in corpus?.numbers ?? [] {
            all += scenes.map { HostileCase(scene: $0, fault: .corpus(number)) }
            all += scenes.filter { $0.state == .known }.map { HostileCase(scene: $0, fault: .corpusSnapshots(number)) }
        }
        return all
    }
}

extension Damage {
    /// Whether a file of this scene has what is to be damaged.
    fileprivate func exists(in scene: HostileScene) -> Bool {
        switch self {
        case .page(.fullText, _), .page(.pointerMap, _): scene.schema == .full
        default: true
        }
    }

    /// SQL would recover the sidecar before it does its damage; a link's target is not what this is about.
    fileprivate func goesWith(_ sidecar: Sidecar) -> Bool {
        sql == nil && !replacesThePlace || sidecar == .none
    }
}
#endif
