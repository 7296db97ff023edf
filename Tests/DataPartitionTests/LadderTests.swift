import CLinux
import Linux
import Testing

@testable import DataPartition

/// The ladder's edges, without a device.
struct LadderTests {
    private static let clean = Superblock(FakeDisk.superblock(blocks: 16128))!
    private static let dirty = Superblock(FakeDisk.superblock(blocks: 16128, recover: true))!
    private let backup = SuperblockPlace(block: 4096, blockSize: 4096, group: 1)

    private func ladder(
        _ finding: Probe.Finding, _ superblock: Superblock? = nil, backups: [SuperblockPlace] = [],
        readError: LinuxError? = nil, policy: FormatPolicy = .ifUnusable
    ) -> Ladder {
        Ladder(
            Probe(finding: finding, superblock: superblock, backups: backups, readError: readError), policy: policy,
            deviceSize: 64 << 20)
    }

    private func isGivenUp(_ step: Ladder.Step) -> Bool { if case .giveUp = step { true } else { false } }
    private func isFormat(_ step: Ladder.Step) -> Bool { if case .format = step { true } else { false } }

    @Test func mountsACleanFilesystemWithoutACheck() {
        var ladder = ladder(.ext4, Self.clean)
        #expect(ladder.first() == .mount)
        #expect(ladder.afterMountFailed(EUCLEAN) == .preen)
    }

    @Test func climbsFromPreenToRepairToFormat() {
        var ladder = ladder(.ext4, Self.dirty)
        #expect(ladder.first() == .preen)
        #expect(ladder.after(Check(.uncorrected)) == .repair)
        #expect(ladder.after(Check(.uncorrected)) == .mount)
        // What the first one put right may have hidden more.
        #expect(ladder.afterMountFailed(EUCLEAN) == .repair)
        #expect(ladder.after(Check(.uncorrected)) == .mount)
        #expect(isFormat(ladder.afterMountFailed(EUCLEAN)))
    }

    @Test func neitherRepairsNorFormatsWhereALookMetAReadError() {
        var ladder = ladder(.ext4, Self.dirty)
        _ = (ladder.first(), ladder.after(Check(.uncorrected)))
        #expect(isGivenUp(ladder.afterReadError()))
    }

    @Test func mountsWhenPreenCouldNotRun() {
        for verdict in [Check.Verdict.couldNotWork, .didNotRun] {
            var ladder = ladder(.ext4, Self.dirty)
            _ = ladder.first()
            #expect(ladder.after(Check(verdict)) == .mount)
            #expect(ladder.afterMountFailed(EUCLEAN) == .repair)
            #expect(isGivenUp(ladder.after(Check(verdict))))
        }
    }

    @Test func triesTwoBackupsBeforeTheDamagedSuperblock() {
        var ladder = ladder(.damaged, backups: [backup, backup, backup])
        #expect(ladder.first() == .repairFrom(backup))
        #expect(ladder.after(Check(.couldNotWork)) == .repairFrom(backup))
        #expect(ladder.after(Check(.couldNotWork)) == .repair)
        #expect(isGivenUp(ladder.after(Check(.couldNotWork))))
    }

    @Test func formatsDamageThatNothingCouldWorkOn() {
        var ladder = ladder(.damaged)
        #expect(ladder.first() == .repair)
        #expect(isFormat(ladder.after(Check(.couldNotWork))))
    }

    @Test func neverFormatsAfterAReadError() {
        let error = LinuxError("read", "fake", code: EIO)
        for finding in [Probe.Finding.ext4, .damaged, .unknown, .foreign("vfat")] {
            for policy in [FormatPolicy.ifUnusable, .always] {
                var ladder = ladder(finding, Self.dirty, readError: error, policy: policy)
                var step = ladder.first()
                for _ in 0..<10 {
                    switch step {
                    case .preen, .repair, .repairFrom: step = ladder.after(Check(.uncorrected))
                    case .mount: step = ladder.afterMountFailed(EUCLEAN)
                    case .format, .giveUp: break
                    }
                    #expect(step != .repair && !isFormat(step))
                }
                #expect(isGivenUp(step))
            }
        }
    }

    @Test func neverFormatsAfterACheckMetAReadError() {
        var ladder = ladder(.ext4, Self.dirty)
        _ = ladder.first()
        #expect(isGivenUp(ladder.after(Check(.uncorrected, readError: true))))
    }

    @Test func neverFormatsForWhatIsNotTheFilesystemsFault() {
        for code in [ENODEV, EBUSY, ENOMEM, EROFS, ENOENT, EPERM] {
            var ladder = ladder(.ext4, Self.dirty)
            _ = ladder.first()
            _ = ladder.after(Check(.fixed))
            #expect(isGivenUp(ladder.afterMountFailed(code)))
        }
    }

    @Test func neverFormatsWhatIsWholeButTheKernelRefuses() {
        var ladder = ladder(.ext4, Self.dirty)
        _ = ladder.first()
        #expect(ladder.after(Check(.clean)) == .mount)
        #expect(ladder.afterMountFailed(EINVAL) == .repair)
        #expect(ladder.after(Check(.clean)) == .mount)
        #expect(isGivenUp(ladder.afterMountFailed(EINVAL)))
    }

    @Test func obeysThePolicy() {
        for policy in [FormatPolicy.ifBlank, .never] {
            var noise = ladder(.unknown, policy: policy)
            #expect(noise.first() == .preen)
            #expect(noise.after(Check(.couldNotWork)) == .repair)
            #expect(isGivenUp(noise.after(Check(.couldNotWork))))
        }
        var blank = ladder(.blank, policy: .ifBlank)
        #expect(isFormat(blank.first()))
        var untouchable = ladder(.blank, policy: .never)
        #expect(isGivenUp(untouchable.first()))
        var foreign = ladder(.foreign("vfat"))
        #expect(isGivenUp(foreign.first()))
        var forced = ladder(.foreign("vfat"), policy: .always)
        #expect(isFormat(forced.first()))
    }

    @Test func readsE2fsckExitsAsASumOfBits() {
        func verdict(_ code: Int32) -> Check.Verdict { Check(end: .exited(code), readError: false).verdict }
        #expect(verdict(0) == .clean)
        #expect([1, 2, 3].allSatisfy { verdict($0) == .fixed })
        #expect([4, 5, 6].allSatisfy { verdict($0) == .uncorrected })
        #expect([8, 12, 16, 32, 128].allSatisfy { verdict($0) == .couldNotWork })
        #expect(verdict(127) == .didNotRun)
        #expect(Check(end: .killed(signal: 9), readError: false).verdict == .didNotRun)
    }
}
