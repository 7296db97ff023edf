import AutoMigrator
import Linux
import SQLite
import Testing

@testable import DataPartition

/// A full partition and a database in WAL mode: other boots die there of SIGBUS or an I/O error (RULES.md S20).
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, "\(LoopDisk.reason)"))
struct FullDiskTests {
    private static func appliance(blockSize: Int) throws -> (LoopDisk, Repository) {
        let disk = try LoopDisk(size: 16 << 20)
        _ = try shell("mke2fs -q -t ext4 -m 0 -b \(blockSize) \(disk.device) && mount \(disk.device) \(disk.mount)").output()
        try FileSystem.makeDirectory("\(disk.mount)/app")
        try FileSystem.makeDirectory("\(disk.folder)/set")
        try FileSystem.replace(
            "\(disk.folder)/set/1_wal.sql", with: "-- migrate:up transaction:false\nPRAGMA journal_mode=WAL;\nCREATE TABLE log (x);",
            durable: false)
        let repository = Repository(name: "app", path: "\(disk.mount)/app/app.db", migrations: "\(disk.folder)/set")
        var boot = RepositoryBoot(repository, reporter: .silent)
        #expect(boot.run().outcome == .migrated)
        // The application's last log line fills the partition to its last block.
        // In small writes and synced each time: delayed allocation keeps blocks back.
        shell(
            "for i in 1 2 3 4 5; do dd if=/dev/zero of=\(disk.mount)/log bs=1k oflag=append conv=notrunc 2>/dev/null; sync -f \(disk.mount); done")
        #expect((try FileSystem.space(disk.mount)).available < 32768)
        return (disk, repository)
    }

    /// Each boot begins with a mount of its own.
    private func reboot(_ disk: LoopDisk) throws {
        _ = try shell("umount \(disk.mount) && mount \(disk.device) \(disk.mount)").output()
    }

    private func applicationCanWrite(_ repository: Repository) throws {
        let application = try Database(repository.path, .readWrite)
        #expect(try application.text("PRAGMA journal_mode") == "wal")
        try application.execute("INSERT INTO log VALUES ('alive')")
        #expect(try application.integer("SELECT count(*) FROM log WHERE x = 'alive'") == 1)
    }

    @Test(arguments: [1024, 4096])
    func theApplicationCanOpenItsDatabaseAfterTheBoot(blockSize: Int) throws {
        let (disk, repository) = try Self.appliance(blockSize: blockSize)
        defer { disk.unmount() }
        try reboot(disk)
        var boot = RepositoryBoot(repository, reporter: .silent)
        #expect(boot.run().outcome == .current)
        try applicationCanWrite(repository)
    }

    /// A cut, a repair, and no room for the proof that the kernel writes: still the partition, and not RAM.
    @Test func aRepairedFilesystemWithoutRoomForAProofIsUsed() throws {
        let (disk, repository) = try Self.appliance(blockSize: 4096)
        defer { disk.unmount() }
        shell("dd if=/dev/zero of=\(disk.mount)/log2 bs=4k 2>/dev/null; sync -f \(disk.mount)")
        _ = try shell("umount \(disk.mount) && debugfs -w -R 'set_super_value state 0' \(disk.device)").output()
        var partition = disk.partition()
        let report = try partition.bringUp()
        #expect(report.rungs == "preen fixed, mount ok" && !report.volatile)
        var boot = RepositoryBoot(repository, reporter: .silent)
        #expect(boot.run(unclean: report.unclean).outcome == .current)
        try applicationCanWrite(repository)
    }

    @Test(arguments: [1024, 4096])
    func aMigrationThatFindsNoRoomLosesNothingAndIsTriedAgain(blockSize: Int) throws {
        let (disk, repository) = try Self.appliance(blockSize: blockSize)
        defer { disk.unmount() }
        try FileSystem.replace(
            "\(disk.folder)/set/2_fill.sql",
            with: "CREATE TABLE fill (x); INSERT INTO fill WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
                + "SELECT zeroblob(1000) FROM n;", durable: false)
        for _ in 0..<2 {
            try reboot(disk)
            var boot = RepositoryBoot(repository, reporter: .silent)
            let report = boot.run()
            #expect(report.outcome == .restored, "\(report)")
            #expect(report.reason?.contains("disk is full") == true, "\(report)")
            #expect(report.schema == 1)
        }
        try applicationCanWrite(repository)
        shell("rm \(disk.mount)/log")
        try reboot(disk)
        var boot = RepositoryBoot(repository, reporter: .silent)
        #expect(boot.run().outcome == .migrated)
        #expect(try Database(repository.path, .readWrite).integer("SELECT count(*) FROM fill") == 2000)
    }
}
