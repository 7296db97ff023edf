import CLinux
import Linux
import Testing

@testable import DataPartition

/// f2fs as far as any machine shows it: found, judged, checked and made. Mounted it is on the board, whose kernel has it.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, Comment(rawValue: LoopDisk.reason)))
struct F2FSTests {
    private func disk() throws -> LoopDisk {
        let disk = try LoopDisk()
        try shell("mkfs.f2fs -q -f \(disk.device) \((63 << 20) / 512)").output()
        return disk
    }

    private func probe(_ disk: LoopDisk) throws -> Probe { Probe(try BlockDevice.open(disk.device, .read)) }

    private func found(_ disk: LoopDisk) throws -> F2FS? {
        if case .f2fs(let found) = try probe(disk).finding { return found }
        return nil
    }

    /// Where its first checkpoint lies: at the beginning of its first segment behind the superblocks.
    private static let checkpoint: Int64 = 512 * 4096

    @Test func readsHowFarItReachesAndHowItWasLeft() throws {
        let disk = try disk()
        let found = try #require(try found(disk))
        #expect(found.size == 63 << 20 && found.isClean)
        #expect(try probe(disk).isClean && !probe(disk).isUnclean && probe(disk).kind == .f2fs)
        // One superblock is enough, and one checkpoint.
        try disk.write([UInt8](repeating: 0xA5, count: 512), at: 1024)
        try disk.write([UInt8](repeating: 0xA5, count: 512), at: Self.checkpoint)
        let other = try self.found(disk)
        #expect(other?.size == 63 << 20 && other?.checkpoint?.isUnmounted == true && other?.checkpoint != found.checkpoint)
        // Without a checkpoint there is an f2fs, and nothing to begin from.
        try disk.write([UInt8](repeating: 0xA5, count: 512), at: Self.checkpoint + 512 * 4096)
        #expect(try self.found(disk)?.checkpoint == nil)
        #expect(try !probe(disk).hasIntactSuperblock)
    }

    @Test func tellsWhatTheKernelLeft() {
        #expect(F2FS(size: 1, checkpoint: .init(version: 1, flags: 0x181)).isClean)
        let cut = F2FS(size: 1, checkpoint: .init(version: 1, flags: 0x180))
        #expect(!cut.isClean && cut.checkpoint?.asksForCheck == false)
        for flag in [UInt32(0x8), 0x10] {
            let failed = F2FS(size: 1, checkpoint: .init(version: 1, flags: 0x181 | flag))
            #expect(!failed.isClean && failed.checkpoint?.asksForCheck == true)
        }
    }

    @Test func isMadeShortOfTheTailWithFixedNames() throws {
        let disk = try LoopDisk()
        let size = try BlockDevice.open(disk.device, .read).size
        for spec in [DeviceSpec.path(disk.device), .label("mine")] {
            let arguments = F2FS.makeArguments(disk.device, end: Tail.start(on: size), for: spec)
            #expect(try Program.run(F2FS.make, arguments, deadline: 60_000, reporter: .silent).end == .exited(0))
            #expect(try found(disk)?.size == Tail.start(on: size))
            let names = shell("blkid -p -o value -s UUID -s LABEL \(disk.device)").text
            #expect(names == "\(spec == .label("mine") ? "mine" : "data")\n\(Ext4.uuid)")
        }
        #expect(shell("fsck.f2fs --dry-run \(disk.device)").code == 0)
    }

    private func isStep(_ step: Ladder.Step, _ word: String) -> Bool {
        switch step {
        case .giveUp: word == "giveUp"
        case .format: word == "format"
        default: false
        }
    }

    /// The ladder has its own order: what was merely cut off is the kernel's to roll forward.
    @Test func climbsItsOwnLadder() {
        func ladder(_ flags: UInt32?, policy: FormatPolicy = .ifUnusable) -> Ladder {
            let found = F2FS(size: 63 << 20, checkpoint: flags.map { F2FS.Checkpoint(version: 1, flags: $0) })
            return Ladder(Probe(finding: .f2fs(found)), policy: policy, deviceSize: 64 << 20)
        }
        for flags: UInt32 in [0x1, 0x0] {
            var ladder = ladder(flags)
            #expect(ladder.first() == .mount)
            #expect(ladder.afterMountFailed(EUCLEAN) == .preen)
            #expect(ladder.after(Check(.couldNotWork)) == .mount)
            #expect(ladder.afterMountFailed(EUCLEAN) == .repair)
            // fsck.f2fs says the same of what it cannot mend and of what it does not know.
            #expect(isStep(ladder.after(Check(.couldNotWork)), "giveUp"))
        }
        var asked = ladder(0x11)
        #expect(asked.first() == .preen)
        var lost = ladder(nil)
        #expect(lost.first() == .preen)
        #expect(lost.after(Check(.couldNotWork)) == .repair)
        #expect(isStep(lost.after(Check(.couldNotWork)), "format"))
        var never = ladder(nil, policy: .never)
        _ = (never.first(), never.after(Check(.couldNotWork)))
        #expect(isStep(never.after(Check(.couldNotWork)), "giveUp"))
    }

    @Test func becomesExt4WhereTheImageCannotMakeIt() throws {
        let disk = try LoopDisk()
        var partition = disk.partition(nil) { $0.filesystem = .f2fs }
        partition.makeF2FSPrograms = ["/no/such/mkfs.f2fs"]
        #expect(try partition.bringUp().filesystem == "ext4")
    }
}
