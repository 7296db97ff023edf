internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl restore`: a sealed snapshot in the database's place, or a list of them.
struct RestoreCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        if options.list { return try list() }
        return try Order.run(options) { (boot, path) throws(CommandError) in
            var report = boot.restore(try choose(boot, path))
            // Without a set nobody knows of another schema to want.
            if report.wanted == nil { report.wanted = report.schema }
            return report
        }
    }

    private func choose(_ boot: RepositoryBoot, _ path: String) throws(CommandError) -> Snapshot {
        switch options.snapshot {
        case nil:
            guard let newest = boot.snapshots.first else {
                throw .failed("\(path) has no snapshots (migrate and snapshot take them). Nothing was done")
            }
            return newest
        case 0?:
            guard let pinned = boot.pinned else {
                throw .failed("no newer database of \(path) is pinned in quarantine. Nothing was done")
            }
            return pinned
        case let number?:
            guard let snapshot = boot.snapshots.first(where: { $0.sequence == number }) else {
                throw .failed("\(path) has no snapshot \(number); restore --list tells which there are. Nothing was done")
            }
            return snapshot
        }
    }

    private func list() throws(CommandError) -> Int32 {
        let repository = try Target.one(options)
        let boot = RepositoryBoot(repository, reporter: .silent)
        var all = boot.snapshots
        if let pinned = boot.pinned { all.append(pinned) }
        if options.json {
            standardOutput(JSON.array(all.map { $0.json }).text + "\n")
        } else if all.isEmpty {
            standardOutput("\(repository.path) has no snapshots; migrate and snapshot take them\n")
        }
        for snapshot in all where !options.json {
            let title = snapshot.sequence == 0 ? "pinned, schema \(snapshot.seal.schema)" : snapshot.title
            standardOutput("\(title)  \(snapshot.seal.size) bytes  \(snapshot.path)\n")
        }
        return ExitCode.wanted
    }
}
