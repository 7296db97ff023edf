import Testing

@testable import DataPartition

/// What a partition is taken for.
struct ProbeTests {
    private let size: Int64 = 64 << 20

    @Test func callsZerosBlank() {
        let probe = Probe(FakeDisk(size: size))
        #expect(probe.finding == .blank && probe.readError == nil && !probe.isUnclean)
    }

    @Test func callsErasedFlashBlank() {
        var disk = FakeDisk(size: 3 << 20)
        disk.put([UInt8](repeating: 0xFF, count: 3 << 20), at: 0)
        #expect(Probe(disk).finding == .blank)
    }

    @Test func doesNotCallBlankWhatHasABackupSuperblockAnywhere() {
        for place in SuperblockPlace.backups(on: size) {
            var disk = FakeDisk(size: size)
            disk.put([0x53, 0xEF], at: place.offset + 0x38)
            #expect(Probe(disk).finding == .damaged, "block \(place.block) of \(place.blockSize)")
        }
    }

    @Test func doesNotCallBlankWhatCannotBeRead() {
        for broken: Int64 in [0, 1024, 500_000, Tail.start(on: size) / 64 * 32, Tail.start(on: size) - 1, 4096 * 4096] {
            var disk = FakeDisk(size: size)
            disk.broken = broken / 65536 * 65536..<broken / 65536 * 65536 + 65536
            let probe = Probe(disk)
            #expect(probe.finding != .blank && probe.readError != nil, "error at \(broken)")
        }
    }

    @Test func doesNotCountTheTailAsContent() throws {
        var disk = FakeDisk(size: size)
        var record = TailRecord()
        record.resets = 1
        disk.put(Tail.encode(record), at: Tail.offset(ofSlot: 0, on: size))
        #expect(Probe(disk).finding == .blank)
    }

    @Test func trustsAnIntactSuperblockMoreThanLeftovers() {
        var disk = FakeDisk(size: size)
        disk.put(FakeDisk.superblock(blocks: 16128), at: 1024)
        for group in 0..<Int64(4) { disk.put([10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0, 0], at: 4096 + group * 32) }
        disk.known = .one("btrfs")
        let probe = Probe(disk)
        #expect(probe.finding == .ext4 && probe.isClean)
    }

    @Test func tellsAnUncleanFilesystem() {
        for raw in [
            FakeDisk.superblock(blocks: 16128, recover: true), FakeDisk.superblock(blocks: 16128, state: 3),
            FakeDisk.superblock(blocks: 16128, state: 0),
        ] {
            let superblock = Superblock(raw)
            #expect(superblock?.isUnclean == true && superblock?.isClean == false)
        }
    }

    @Test func callsZeroedDescriptorsDamage() {
        var disk = FakeDisk(size: size)
        disk.put(FakeDisk.superblock(blocks: 16128), at: 1024)
        #expect(Probe(disk).finding == .damaged)
    }
}
