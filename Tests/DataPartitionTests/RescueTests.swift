import CLinux
import Linux
import Testing

@testable import DataPartition

/// A check that puts a filesystem right by taking files away, which a read-only mount had still given out.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct RescueTests {
    /// Not cleanly unmounted, with two databases; its check removes what `removed` says, as debugfs spells it.
    private func partition(_ disk: LoopDisk, removing removed: [String]) throws -> DataPartition {
        var first = disk.partition()
        _ = try first.bringUp()
        try shell("""
            cd \(disk.mount) && mkdir -p app/.firstlight/app/snapshots log && printf rows > app/app.db && printf wal > app/app.db-wal && printf seal > app/.firstlight/app/snapshots/1 \
            && ln -s app.db app/link && chown -R 1000:1000 app && chmod 640 app/app.db && printf log > log/log.db && printf old > log/log.db-journal && printf j > junk
            """).output()
        disk.unmount()
        try shell("debugfs -w -R 'ssv state 0' \(disk.device)").output()
        let script = disk.folder + "/e2fsck"
        let commands = removed.map { "debugfs -w -R '\($0)' \"$last\"" }.joined(separator: "; ")
        let text = "#!/bin/sh\nfor last; do :; done\ncase \" $* \" in *\\ -p\\ *|*\\ -n\\ *) exit 4;; esac\n{ \(commands); debugfs -w -R 'ssv state 1' \"$last\"; } >/dev/null 2>&1\nexit 1\n"
        try FileSystem.replace(script, with: text, durable: false, permissions: 0o755)
        var partition = disk.partition { $0.databases = ["\(disk.mount)/app/app.db", "\(disk.mount)/log/log.db"] }
        partition.checkPrograms = [script]
        return partition
    }

    private func bringUp(_ partition: inout DataPartition) throws -> String {
        _ = try partition.bringUp()
        partition.putBackLost(partition.settings.databases)
        return partition.actions.rungs
    }

    @Test func whatTheRepairTookAwayComesBack() throws {
        let disk = try LoopDisk()
        var partition = try partition(disk, removing: ["rm /app/app.db", "rm /app/link", "rm /app/.firstlight/app/snapshots/1", "rm /junk"])
        #expect(try bringUp(&partition) == "preen failed, repair fixed, mount ok, rescue ok")
        #expect(disk.get("app/app.db") == "rows" && disk.get("app/.firstlight/app/snapshots/1") == "seal" && disk.get("junk") == nil)
        #expect(shell("stat -c '%a %u %g' \(disk.mount)/app/app.db; readlink \(disk.mount)/app/link").text == "640 1000 1000\napp.db")
    }

    @Test func wholeDirectoriesComeBack() throws {
        let disk = try LoopDisk()
        var partition = try partition(disk, removing: ["rm /app/app.db", "unlink /app", "unlink /log"])
        #expect(try bringUp(&partition).hasSuffix("mount ok, rescue ok"))
        #expect(disk.get("app/app.db") == "rows" && disk.get("app/app.db-wal") == "wal" && disk.get("log/log.db") == "log")
        #expect(shell("stat -c '%u' \(disk.mount)/app").text == "1000")
    }

    /// What is there stays as it is; and a sidecar that is gone is not put beside a database that may be another.
    @Test func nothingThatIsThereIsTouched() throws {
        let disk = try LoopDisk()
        var partition = try partition(disk, removing: ["rm /log/log.db-journal", "rm /app/app.db-wal"])
        #expect(try bringUp(&partition) == "preen failed, repair fixed, mount ok")
        #expect(disk.get("app/app.db-wal") == nil && disk.get("log/log.db-journal") == nil && disk.get("log/log.db") == "log")
    }

    /// In the place of a directory there is something else now: nothing is made through it.
    @Test func nothingIsMadeThroughALink() throws {
        let disk = try LoopDisk()
        let outside = disk.folder + "/outside"
        try FileSystem.makeDirectory(outside)
        var partition = try partition(disk, removing: ["rm /app/app.db", "unlink /app", "symlink /app \(outside)"])
        _ = try bringUp(&partition)
        #expect(try FileSystem.list(outside).isEmpty)
    }
}
