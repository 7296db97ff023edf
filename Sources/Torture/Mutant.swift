#if Lab
import Foundation

/// A bug that somebody could have written, planted in a copy of the sources to see the bench find it. All of them are in one build, each
/// switched on by its name in the environment.
public struct Mutant: Sendable {
    public let name: String
    let file: String
    /// The code as it is, once in the file; where it has changed, planting fails.
    let original: String
    let mutated: String
    /// Where to look first: a kind of fault and a scenario.
    public let finders: [(kind: FaultKind, scenario: String)]

    init(_ name: String, _ file: String, _ original: String, _ mutated: String, _ finders: [(FaultKind, String)]) {
        self.name = name
        self.file = "Sources/" + file
        self.original = original
        self.mutated = mutated.replacing("isMutant", with: "isMutant(\"\(name)\")")
        self.finders = finders.map { (kind: $0.0, scenario: $0.1) }
    }

    /// Plants all of them in the sources below `root`.
    public static func plant(in root: String) throws {
        try """
        /// Whether this bug is switched on.
        public func isMutant(_ name: String) -> Bool { Environment.value("FIRSTLIGHT_MUTANT") == name }

        """.write(toFile: root + "/Sources/Linux/Mutant.swift", atomically: false, encoding: .utf8)
        for mutant in all {
            let path = "\(root)/\(mutant.file)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let parts = text.components(separatedBy: mutant.original)
            guard parts.count == 2 else {
                throw TortureError("\(mutant.name): its place in \(mutant.file) is there \(parts.count - 1) times; see Sources/Torture/Mutant.swift")
            }
            try parts.joined(separator: mutant.mutated).write(toFile: path, atomically: false, encoding: .utf8)
        }
    }

    public static let all: [Mutant] = [
        Mutant(
            "built database not synced", "AutoMigrator/FreshDatabase.swift", "            try file.sync()\n", "            if !isMutant { try file.sync() }\n",
            [(.powerCuts, "first boot")]),
        Mutant(
            "synchronous off", "AutoMigrator/Upgrade.swift", "try database.execute(\"PRAGMA synchronous=EXTRA\")",
            "try database.execute(isMutant ? \"PRAGMA synchronous=OFF\" : \"PRAGMA synchronous=EXTRA\")", [(.powerCuts, "upgrade")]),
        Mutant(
            "sidecars left behind", "AutoMigrator/Swap.swift", "            if try FileSystem.status(state.database + suffix)?.inode == inode {",
            "            if !isMutant || suffix.utf8.isEmpty, try FileSystem.status(state.database + suffix)?.inode == inode {",
            [(.powerCuts, "torn database beside a full WAL")]),
        Mutant(
            "old file unlinked to make the way free", "AutoMigrator/Swap.swift",
            "            try FileSystem.rename(\"\\(state.databaseDirectory)/\\(name)\", to: \"\\(place)/\\(name)\")\n",
            "            if isMutant { try FileSystem.remove(\"\\(state.databaseDirectory)/\\(name)\"); continue }\n"
                + "            try FileSystem.rename(\"\\(state.databaseDirectory)/\\(name)\", to: \"\\(place)/\\(name)\")\n",
            [(.powerCuts, "restore")]),
        Mutant(
            "loss not put on record", "AutoMigrator/Swap.swift", "if told == nil { return try Swap.clear(state) }",
            "if told == nil || isMutant { return try Swap.clear(state) }", [(.powerCuts, "restore")]),
        Mutant(
            "seal not verified", "AutoMigrator/SnapshotStore.swift", "if size != seal.size || checksum != seal.checksum {",
            "if !isMutant && (size != seal.size || checksum != seal.checksum) {", [(.powerCuts, "restore, the newest snapshot damaged")]),
        Mutant(
            "run's intent cleared before its snapshot is back", "AutoMigrator/RepositoryUpgrade.swift",
            "        report.quarantine = try putBack(snapshot)\n",
            "        if isMutant { try? Swap.clear(state) }\n        report.quarantine = try putBack(snapshot)\n",
            [(.powerCuts, "failing step behind a committed one")]),
        Mutant(
            "snapshot of a WAL database without a checkpoint", "AutoMigrator/Upgrade.swift",
            "            if try database.text(\"PRAGMA journal_mode\") == \"wal\" { try Upgrade.checkpoint(database) }\n",
            "            if !isMutant, try database.text(\"PRAGMA journal_mode\") == \"wal\" { try Upgrade.checkpoint(database) }\n",
            [(.powerCuts, "failing step behind a committed one")]),
        Mutant(
            "snapshot not synced", "AutoMigrator/SnapshotStore.swift", "        try system { () throws(LinuxError) in try copy?.file.sync() }\n",
            "        if !isMutant { try system { () throws(LinuxError) in try copy?.file.sync() } }\n",
            [(.powerCuts, "failing step behind a committed one"), (.powerCuts, "upgrade of ten steps")]),
        Mutant(
            "worker outlives its supervisor", "CLinux/CLinux.c", "    if (linux_die_with_parent()) return errno;\n    return 0;\n",
            """
                const char *name = getenv("FIRSTLIGHT_MUTANT");
                if ((!name || strcmp(name, "worker outlives its supervisor")) && linux_die_with_parent()) return errno;
                return 0;

            """, [(.badWorkers, "")]),
        Mutant(
            "no room for a WAL", "AutoMigrator/Ballast.swift", "        guard isWAL(), ", "        guard !isMutant, isWAL(), ",
            [(.powerCuts, "full disk, WAL")]),
        Mutant(
            "birth marker ignored", "AutoMigrator/RepositoryState.swift", "{ try FileSystem.isThere(bornPath) }",
            "{ try FileSystem.isThere(bornPath) && !isMutant }", [(.powerCuts, "database and snapshots gone")]),
        Mutant(
            "attempt not counted before it", "AutoMigrator/RepositoryUpgrade.swift", "            try attempts.write(record, durable: true)\n",
            "            if !isMutant { try attempts.write(record, durable: true) }\n", [(.badWorkers, "")]),
        Mutant(
            "read error taken for damage", "AutoMigrator/RepositoryHealth.swift", "        guard suspicion.suggestsDamage else { return false }\n",
            "        if isMutant && suspicion.isMachine { return true }\n        guard suspicion.suggestsDamage else { return false }\n",
            [(.blockErrors, "upgrade")]),
        Mutant(
            "unreadable directory taken for an empty one", "AutoMigrator/SnapshotStore.swift", "            if error.isMissing { return [] }\n",
            "            if error.isMissing || isMutant { return [] }\n", [(.callErrors, "restore")]),
        Mutant(
            "rows given up for an error that passes", "AutoMigrator/OlderImage.swift", "            if passes {",
            "            if passes && !isMutant {", [(.blockErrors, "downgrade")]),
        Mutant(
            "no limit for a run", "AutoMigrator/StepRunner.swift", "        deadline = repository.deadline.map { Clock.milliseconds + $0 }\n",
            "        deadline = isMutant ? nil : repository.deadline.map { Clock.milliseconds + $0 }\n", [(.badWorkers, "")]),
        Mutant(
            "hand-over forgotten", "AutoMigrator/SwapHandOver.swift", "        guard try FileSystem.isThere(state.intentPath) else { return }\n",
            "        guard try FileSystem.isThere(state.intentPath), !isMutant else { return }\n",
            [(.callErrors, "failing step behind a committed one")]),
        Mutant(
            "application's database taken for the appliance's", "AutoMigrator/RepositoryBoot.swift", "            if !history.isKept, try system(",
            "            if !isMutant, !history.isKept, try system(", [(.callErrors, "database gone")]),
        Mutant(
            "bundle not announced before the erasure", "DataPartition/DataPartition+Salvage.swift",
            "checksum: bundle.checksum)\n            try Tail.write(&tail, to: device)\n",
            "checksum: bundle.checksum)\n            if !isMutant { try Tail.write(&tail, to: device) }\n",
            [(.powerCuts, "salvage, format, copy back")]),
        Mutant(
            "reset cleared before its files are gone", "DataPartition/DataPartition+Reset.swift",
            "        try Mounting.commit(mountPoint)\n", "        if !isMutant { try Mounting.commit(mountPoint) }\n",
            [(.powerCuts, "factory reset, files preserved")]),
        Mutant(
            "backup superblocks left out", "DataPartition/Probe.swift", "where backups.count < 4 {", "where backups.count < (isMutant ? 0 : 4) {",
            [(.damagedFilesystems, "")]),
        Mutant(
            "mount of a killed worker taken over", "DataPartition/DataPartition.swift", "        if there.isReadOnly || isHalfDone || isAskedFor || isUnused {\n",
            "        if !isMutant && (there.isReadOnly || isHalfDone || isAskedFor || isUnused) {\n", [(.kills, "salvage, format, copy back")]),
    ]
}
#endif
