#if Lab
import CTorture
import Foundation
import Linux
import SQLite
import Testing
@testable import Torture

/// A disk with a database on it, made without firstlightd, and without a mount.
private func template(_ folder: String) throws -> FilesystemTemplate {
    try FileSystem.makeDirectories(folder + "/tree/app")
    try FileSystem.makeDirectories(folder + "/tree/log")
    let path = folder + "/tree/app/app.db"
    do {
        let database = try Database(path, .create)
        try database.execute(
            """
            CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT);
            CREATE TABLE readings (id INTEGER PRIMARY KEY, name TEXT, value REAL);
            INSERT INTO readings (name, value) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT 'r' || i, i FROM n;
            """)
    }
    try "a line\n".write(toFile: folder + "/tree/log/today", atomically: false, encoding: .utf8)
    let image = folder + "/image"
    let made = try Tool(folder: folder).run(
        "/usr/sbin/mke2fs", ["-q", "-F", "-t", "ext4", "-b", "4096", "-g", "4096", "-d", folder + "/tree", image, "32M"])
    try #require(made == 0)
    let disk = try FileSystem.read(image, limit: 64 << 20)
    return FilesystemTemplate(
        kind: .clean, disk: disk, older: [UInt8](repeating: 0, count: disk.count), layout: try Ext4Layout(disk),
        readings: try #require(Readings(copyOf: path, in: folder + "/copy")), files: [XXH64.digest(of: "a line\n")], snapshots: [])
}

@Suite struct DamagedFilesystemsTests {
    @Test(.enabled(if: canMount)) func theOracleReachesWhatIsThereAndNothingElse() async throws {
        try await alone { folder in
            let template = try template(folder)
            let oracle = try FilesystemOracle(template, folder: folder + "/oracle")
            defer { oracle.remove() }
            let whole = try oracle.look(at: template.disk)
            #expect(whole.map { $0.way } == ["e2fsck -p"])
            #expect(whole.allSatisfy { $0.isWhole && $0.files == 1 })

            var headless = template.disk
            headless.replaceSubrange(0..<8192, with: [UInt8](repeating: 0, count: 8192))
            let reached = try oracle.look(at: headless).filter { $0.isWhole }.map { $0.way }
            #expect(reached.contains { $0.contains("-b 4096") }, "\(reached)")

            let zeros = try oracle.look(at: [UInt8](repeating: 0, count: template.disk.count))
            #expect(zeros.allSatisfy { $0.isNothing }, "\(zeros.map { $0.text })")
        }
    }

    @Test func everyPartIsFoundAndTheSameSeedIsTheSameDamage() async throws {
        try await alone { folder in
            let template = try template(folder)
            // A file this small needs no tree of extents.
            for part in Ext4Layout.Part.allCases where part != .extents {
                #expect(template.layout.pieces[part]?.isEmpty == false, "\(part.rawValue)")
            }
            func damaged(_ number: Int, seed: UInt64) -> (String, [UInt8]) {
                let damage = FilesystemDamage(number, seed: seed, layout: template.layout, size: template.disk.count)
                var disk = template.disk
                disk.withUnsafeMutableBytes { damage.apply(to: $0, older: template.older) }
                return (damage.text, disk)
            }
            var texts: Set<String> = []
            for seed in 0..<20 {
                let (one, again) = (damaged(0, seed: UInt64(seed)), damaged(0, seed: UInt64(seed)))
                #expect(one == again)
                texts.insert(one.0)
            }
            #expect(texts.count > 15)
        }
    }

    @Test(.enabled(if: canMount)) func whatIsSpoiledCannotBeReadAndTheRestCan() async throws {
        try await alone { folder in
            let disk = try FuseDisk(path: folder + "/disk", size: 1 << 20)
            defer { disk.remove() }
            disk.spoil([8192..<8704])
            let file = try FileDescriptor.open(disk.path, .read)
            #expect(try file.bytes(at: 4096, count: 4096).count == 4096)
            #expect(throws: LinuxError.self) { try file.bytes(at: 8192, count: 4096) }
            disk.spoil([])
            #expect(try file.bytes(at: 8192, count: 4096).count == 4096)
        }
    }
}
#endif
