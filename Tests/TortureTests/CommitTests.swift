#if Lab
import CLinux
import Linux
import Testing
@testable import DataPartition
@testable import Torture

@Suite struct CommitTests {
    /// A flush that fails once, while somebody else's fsync commits: ext4 gives its journal up, and syncfs has nothing more to wait for.
    @Test(.enabled(if: canMount)) func aJournalThatWasGivenUpIsNoCommit() async throws {
        try await alone { folder in
            let disk = try FuseDisk(path: folder + "/disk", size: 16 << 20)
            defer { disk.remove() }
            let loop = try LoopDevice(disk.path)
            let tool = Tool(folder: folder)
            try #require(try tool.run("/usr/sbin/mke2fs", ["-q", "-t", "ext4", loop.path]) == 0)
            let mount = folder + "/mount"
            try FileSystem.makeDirectory(mount)
            try #require(linux_mount(loop.path, mount, "ext4", Mounting.flags, "") == 0)
            defer { _ = linux_umount(mount, 0) }
            try FileSystem.makeDirectory(mount + "/kept")
            try Mounting.commit(mount)

            disk.inject(FuseDisk.Fault(operation: .flush, index: 0, code: EIO, fromThenOn: false))
            try FileSystem.makeDirectory(mount + "/lost")
            #expect(throws: LinuxError.self) { try FileSystem.syncDirectory(mount) }
            disk.inject(nil)
            // syncfs mostly answers 0 here, and now and then what it should.
            #expect(throws: LinuxError.self) { try Mounting.commit(mount) }
        }
    }
}
#endif
