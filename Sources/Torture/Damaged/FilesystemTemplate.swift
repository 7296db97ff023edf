#if Lab
import CLinux
import Foundation
import Linux

/// A device that has been in the field, as its partition was before the damage.
struct FilesystemTemplate {
    enum Kind: String, CaseIterable {
        /// As firstlightd formats it, unmounted.
        case clean = "ours, unmounted"
        /// The power went while the application wrote: the filesystem's journal is to be replayed, and the database's.
        case cut = "ours, cut"
        /// mke2fs's own defaults up to the end of the partition, 1 KiB blocks, a database with everything new in its WAL.
        case others = "others'"
        /// Large enough for the default groups.
        case large = "ours, 160 MiB"

        var size: Int { self == .large ? 160 << 20 : 64 << 20 }
    }

    let kind: Kind
    /// What lies on it.
    let disk: [UInt8]
    /// The same, before the last upgrade: what a write that never arrived leaves.
    let older: [UInt8]
    let layout: Ext4Layout
    /// The database's, as an application reads them.
    let readings: Readings
    /// Of the files beside it, by their checksums.
    let files: Set<UInt64>
    /// Of the database's sealed snapshots.
    let snapshots: Set<UInt64>
}

extension FilesystemTemplate {
    /// Makes it on `machine`, by boots of its firmware.
    init(_ kind: Kind, on machine: Machine) throws {
        self.kind = kind
        machine.unmount()
        machine.disk.spoil([])
        machine.contents = [UInt8](repeating: 0, count: machine.disk.size)
        // Not root's: what a repair leaves has to be given to its owner again.
        machine.keys = ["user = nobody"]
        if kind == .others {
            let made = try Tool(folder: machine.folder).run(
                "/usr/sbin/mke2fs",
                ["-q", "-F", "-t", "ext4", "-b", "1024", "-U", "0a0b0c0d-0102-4304-8506-0708090a0b0c",
                    "-E", "hash_seed=0a0b0c0d-0102-4304-8506-0708090a0b0c", machine.loop.path])
            guard made == 0 else { throw TortureError("mke2fs: \(made)") }
        }
        try Self.migrate(machine, Scenario.one, schema: 1)
        let mode = kind == .others ? "WAL" : "DELETE"
        try Application(path: machine.database).execute("PRAGMA journal_mode=\(mode); \(Self.rows(1...300, "name, value", ""))")
        files = try Self.fill(machine.mount)
        machine.unmount()
        older = machine.contents

        // A snapshot with the rows so far comes with the upgrade.
        try Self.migrate(machine, Scenario.two, schema: 2)
        let more = Self.rows(301...500, "name, value, unit", ", 'degree ' || i")
        let cut = "UPDATE readings SET name = 'never committed', value = -1"
        switch kind {
        case .others: try Scenario.cutApplication(machine, "COMMIT; \(more); BEGIN; \(cut)")
        case .cut:
            try Application(path: machine.database).execute(more)
            try Scenario.cutApplication(machine, cut)
        case .clean, .large: try Application(path: machine.database).execute(more)
        }
        guard let readings = Readings(copyOf: machine.database, in: machine.folder + "/copy"), readings.isSound, readings.rows.count == 500 else {
            throw TortureError("\(kind.rawValue): the readings are not there")
        }
        self.readings = readings
        let sealed = machine.state + "/snapshots"
        snapshots = Set(try FileSystem.list(sealed).map { XXH64.digest(of: try FileSystem.read("\(sealed)/\($0)", limit: 1 << 26)) })
        guard !snapshots.isEmpty else { throw TortureError("\(kind.rawValue): no snapshot") }
        // A disk as it is when the power goes, or as an unmount leaves it.
        let asItWas = machine.contents
        machine.unmount()
        disk = kind == .cut ? asItWas : machine.contents
        layout = try Ext4Layout(machine.contents)
    }

    private static func rows(_ numbers: ClosedRange<Int>, _ columns: String, _ more: String) -> String {
        """
        INSERT INTO readings (\(columns)) WITH RECURSIVE n(i) AS (SELECT \(numbers.lowerBound) UNION ALL SELECT i + 1 FROM n WHERE i < \(numbers.upperBound))
        SELECT 'reading number ' || i, i * 0.5\(more) FROM n
        """
    }

    /// A boot of the next image, and the snapshot that follows READY: with the boot's end it would be there or not.
    private static func migrate(_ machine: Machine, _ set: [String: String], schema: Int) throws {
        machine.set = set
        try machine.install()
        var isThere = false
        let boot = try machine.boot(ready: {
            for _ in 0..<5000 where !isThere {
                let names = (try? FileSystem.list(machine.state + "/snapshots")) ?? []
                isThere = names.contains { $0.dropFirst(6).hasPrefix("-\(schema)-") && $0.hasSuffix(".db") }
                // The one from before an upgrade is there at READY; what it told is on record by then.
                usleep(isThere ? 20_000 : 1000)
            }
        })
        guard boot.outcome == "migrated", isThere else { throw TortureError("schema \(schema): \(boot.text)\n\(boot.log)") }
    }

    /// Files beside the database's: nested, large and in many pieces, many in one directory, with owners and modes of their own.
    private static func fill(_ root: String) throws -> Set<UInt64> {
        var generator = SeededGenerator(seed: 64)
        var sums: Set<UInt64> = []
        func put(_ path: String, _ bytes: [UInt8]) throws {
            try FileSystem.makeDirectories(Text.directory(of: "\(root)/\(path)"))
            let file = try FileDescriptor.open("\(root)/\(path)", .create)
            try bytes.withUnsafeBytes { try file.write($0) }
            // One after the other, so that each has the same blocks at every run.
            try file.sync()
            sums.insert(XXH64.digest(of: bytes))
        }
        func noise(_ count: Int) -> [UInt8] { Array(generator.bytes(count)) }
        for number in 0..<300 { try put("log/2026/entry number \(number) of the log.txt", noise(200 + number)) }
        for number in 0..<8 { try put("media/a/b/c/picture-\(number).jpg", noise(100_000 + number * 5000)) }
        try put("media/large", noise(3 << 20))
        try put("etc/secret", noise(77))
        guard chmod("\(root)/etc/secret", 0o6711) == 0, chown("\(root)/etc/secret", 4711, 1147) == 0,
            symlink("../media/large", "\(root)/etc/link") == 0
        else { throw TortureError.last("\(root)/etc") }
        // Every other block is a hole: each block an extent, more than an inode has place for.
        let file = try FileDescriptor.open("\(root)/media/sparse", .create)
        var sparse = [UInt8](repeating: 0, count: 60 * 8192)
        for number in 0..<60 {
            let bytes = noise(4096)
            try bytes.withUnsafeBytes { try file.write($0, at: Int64(number * 8192)) }
            try file.sync()
            sparse.replaceSubrange(number * 8192..<number * 8192 + 4096, with: bytes)
        }
        sums.insert(XXH64.digest(of: Array(sparse.dropLast(4096))))
        return sums
    }
}
#endif
