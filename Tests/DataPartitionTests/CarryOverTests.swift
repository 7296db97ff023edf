import CLinux
import Linux
import Testing

@testable import DataPartition

/// A filesystem that no check puts right and no mount makes writable, and that a read-only mount still gives the files of.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct CarryOverTests {
    private struct Cut: Error {}

    private final class Patient {
        let disk: LoopDisk
        /// Gives up on whatever it is shown.
        let check: String

        /// - Parameter fill: a shell command that makes the files, in the partition's root.
        init(_ fill: String = Patient.files, size: Int64 = 64 << 20) throws {
            disk = try LoopDisk(size: size)
            try disk.prepare()
            shell("mount \(disk.device) \(disk.mount); cd \(disk.mount) && rm rows && \(fill)")
            disk.unmount()
            // Without its journal's inode it mounts read-only, and not even that with a look at where its own blocks are.
            shell("debugfs -w -R 'clri <8>' \(disk.device)")
            check = disk.folder + "/e2fsck"
            try FileSystem.replace(check, with: "#!/bin/sh\nexit 4\n", durable: false, permissions: 0o755)
        }

        static let files = """
            mkdir -p app/deep && printf rows >app/app.db && chown 1000:1000 app/app.db && chmod 640 app/app.db && touch -d @86400 app/app.db \
            && ln -s app/app.db link && : >empty && dd if=/dev/urandom of=app/deep/big bs=1k count=3000 status=none && chmod 2750 app/deep && chown 7:8 . && chmod 751 .
            """

        func partition(cutAt stage: String? = nil) -> DataPartition {
            var partition = disk.partition()
            partition.checkPrograms = [check]
            partition.afterStage = { (reached) throws(DataPartitionError) in
                if reached == stage { throw DataPartitionError(.system, "cut") }
            }
            return partition
        }

        /// Names, modes, owners, times, links and contents of everything but lost+found.
        func listing(_ options: String = "") -> String {
            let mounted = disk.isMounted
            if !mounted { shell("mount \(options) \(disk.device) \(disk.mount)") }
            defer { if !mounted { disk.unmount() } }
            return shell(
                "cd \(disk.mount) && stat -c '%n %a %u %g' . && find . -path ./lost+found -prune -o ! -name . ! -type l -exec stat -c '%n %a %u %g %Y' {} + | sort; find . -type l -exec stat -c '%u %g %N' {} +; "
                    + "find . -type f -exec md5sum {} + | sort"
            ).text
        }
    }

    /// EXT4_IOC_RESIZE_FS asks for CAP_SYS_RESOURCE, bit 24, which containers are seldom given.
    private static let mayNotGrow = Text.hexValue(shell("grep CapEff /proc/self/status | cut -f2 | tr -d '\\n'").text).map { $0 & 1 << 24 == 0 } ?? true

    private static let readOnly = "-o ro,noload,noblock_validity"

    @Test func carriesEveryFileOverAFormat() throws {
        let patient = try Patient()
        let before = patient.listing(Self.readOnly)
        #expect(before.contains("./app/app.db 640 1000 1000 86400"))
        var partition = patient.partition()
        let report = try partition.bringUp()
        #expect(report.formatted && report.rungs.hasSuffix("salvage ok, mount ok"), "\(report.rungs)")
        #expect(patient.listing() == before)
        patient.disk.unmount()
        // Grown over where they lay, where this machine lets root do that (the board does), and announced no more.
        let device = try BlockDevice.open(patient.disk.device, .read)
        let size = try Superblock.read(device, at: Superblock.offset)?.size ?? 0
        #expect(size == Tail.start(on: device.size) || Self.mayNotGrow && size < Tail.start(on: device.size))
        let tail = try Tail.read(device)
        #expect(tail.intent == nil && tail.bundle == nil)
        var second = patient.disk.partition()
        #expect(try second.bringUp().rungs == "clean ok, mount ok")
        #expect(patient.listing() == before)
    }

    /// A cut leaves one, and the proof behind the copying takes it away.
    @Test func aLeftoverProofStaysBehind() throws {
        let patient = try Patient("\(Patient.files) && : >.firstlight-proof")
        var partition = patient.partition()
        #expect(try partition.bringUp().rungs.hasSuffix("salvage ok, mount ok"))
        #expect(patient.disk.get("app/app.db") == "rows" && patient.disk.get(".firstlight-proof") == nil)
        patient.disk.unmount()
        #expect(try patient.disk.record().intent == nil)
    }

    @Test(arguments: ["bundled", "erased", "made", "copied"])
    func aCutAnywhereLosesNothing(stage: String) throws {
        let patient = try Patient()
        let before = patient.listing(Self.readOnly)
        // A second time at the same place, and then to its end.
        for _ in 0..<2 {
            var partition = patient.partition(cutAt: stage)
            #expect(throws: DataPartitionError.self) { try partition.bringUp() }
            try patient.disk.cutPower()
            // Of these stages the next boot is past.
            if stage == "copied" || stage == "bundled" { break }
        }
        var partition = patient.partition()
        _ = try partition.bringUp()
        #expect(patient.listing() == before, "\(partition.actions.rungs)")
        patient.disk.unmount()
        var last = patient.disk.partition()
        #expect(try last.bringUp().rungs == "clean ok, mount ok")
    }

    /// The worker was killed as it copied back, or as it read: what it has left mounted is not what the appliance is to work with.
    @Test(arguments: ["made", "read-only"]) func whatAKilledWorkerLeftMountedIsNotTaken(stage: String) throws {
        let patient = try Patient()
        let before = patient.listing(Self.readOnly)
        if stage == "made" {
            var first = patient.partition(cutAt: stage)
            #expect(throws: DataPartitionError.self) { try first.bringUp() }
            shell("mount \(patient.disk.device) \(patient.disk.mount); mkdir \(patient.disk.mount)/app; : >\(patient.disk.mount)/app/app.db")
        } else {
            shell("mount \(Self.readOnly) \(patient.disk.device) \(patient.disk.mount)")
        }
        #expect(patient.disk.isMounted)
        var second = patient.partition()
        #expect(try second.bringUp().rungs.hasSuffix("salvage ok, mount ok"))
        #expect(patient.listing() == before)
    }

    /// Twice their room is not there: nothing is touched.
    @Test func whatDoesNotFitForbidsFormatting() throws {
        let patient = try Patient("dd if=/dev/urandom of=large bs=1M count=36 status=none")
        let before = patient.listing(Self.readOnly)
        var partition = patient.partition()
        let error = #expect(throws: DataPartitionError.self) { try partition.bringUp() }
        #expect(error?.text.contains("it is left as it is") == true, "\(error?.text ?? "")")
        #expect(!patient.disk.isMounted)
        #expect(patient.listing(Self.readOnly) == before)
    }

    /// Files that lie where the bundle would: the old filesystem must stay whole until the bundle is.
    @Test func whatLiesAtTheEndIsNotOverwritten() throws {
        let patient = try Patient("printf rows >rows; i=0; while dd if=/dev/zero of=f$i bs=1M count=1 status=none 2>/dev/null; do i=$((i+1)); done; ls | grep '^f' | sort -V | head -n -3 | xargs rm -f; sync -f .")
        let before = patient.listing(Self.readOnly)
        var partition = patient.partition()
        let report = try? partition.bringUp()
        if report == nil {
            #expect(partition.actions.last?.detail.contains("at the end of") == true, "\(partition.actions)")
            #expect(patient.listing(Self.readOnly) == before)
        } else {
            #expect(patient.listing() == before)
        }
    }

    /// The flash went bad where the bundle lies, before anything was erased: the old filesystem is still there to be read.
    @Test func aBundleThatDoesNotHoldIsNotTrusted() throws {
        let patient = try Patient()
        let before = patient.listing(Self.readOnly)
        var first = patient.partition(cutAt: "bundled")
        #expect(throws: DataPartitionError.self) { try first.bringUp() }
        let place = try #require(try Tail.read(BlockDevice.open(patient.disk.device, .read)).bundle)
        try patient.disk.write([0xFF, 0, 0xFF], at: place.offset + 1000)
        var second = patient.partition()
        #expect(throws: DataPartitionError.self) { try second.bringUp() }
        var third = patient.partition()
        #expect(try third.bringUp().rungs.hasSuffix("salvage ok, mount ok"))
        #expect(patient.listing() == before)
    }

    /// The kernel notes an error in the superblock, and the power goes: the two sectors of it are of different times.
    @Test func aTornSuperblockIsNoReasonToFormat() throws {
        let patient = try Patient()
        let before = patient.listing(Self.readOnly)
        // s_wtime, and the checksum of another time.
        try patient.disk.write([1, 2, 3, 4], at: 1024 + 0x30)
        var partition = patient.partition()
        let report = try partition.bringUp()
        #expect(report.rungs.hasSuffix("salvage ok, mount ok"), "\(report.rungs)")
        #expect(patient.listing() == before)
    }

    /// No primary superblock, or a table of groups that leads astray: by a backup of it the files are there.
    @Test(arguments: [1024, 4096]) func readsByABackup(offset: Int64) throws {
        let patient = try Patient()
        let before = patient.listing(Self.readOnly)
        try patient.disk.write([UInt8](repeating: 0x5A, count: 1024), at: offset)
        var partition = patient.partition()
        let report = try partition.bringUp()
        #expect(report.rungs.hasSuffix("salvage ok, mount ok"), "\(report.rungs)")
        #expect(patient.listing() == before)
    }

    @Test(arguments: ["mkdir empty", "echo history > .firstlight-boots"]) func withoutAnyFileThereIsNothingToCarry(fill: String) throws {
        let patient = try Patient(fill)
        var partition = patient.partition()
        #expect(Array(try partition.bringUp().actions.suffix(3)).rungs == "salvage ok, format ok, mount ok")
    }
}
