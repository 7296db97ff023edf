import Testing

@testable import DataPartition

struct TailTests {
    private let size: Int64 = 64 << 20

    private func record(_ sequence: Int64, resets: Int64) -> TailRecord {
        TailRecord(sequence: sequence, text: "resets=\(resets)\n")
    }

    @Test func readsWhatItWrote() {
        var record = record(7, resets: 3)
        record.intent = TailRecord.Intent(operation: .wipe, stage: .format, reason: "button\nresets=99")
        record.others = ["future=of a newer image"]
        let read = Tail.decode(Tail.encode(record))
        #expect(read?.resets == 3 && read?.sequence == 7)
        #expect(read?.intent?.operation == .wipe && read?.intent?.stage == .format)
        #expect(read?.intent?.reason == "button resets=99")
        #expect(read?.others == record.others)
    }

    @Test func takesTheNewerOfTwoSlots() throws {
        for newer: Int64 in 0...1 {
            var disk = FakeDisk(size: size)
            disk.put(Tail.encode(record(5, resets: 2)), at: Tail.offset(ofSlot: newer, on: size))
            disk.put(Tail.encode(record(4, resets: 1)), at: Tail.offset(ofSlot: 1 - newer, on: size))
            #expect(try Tail.read(disk).resets == 2)
        }
    }

    @Test func takesTheOtherSlotWhenOneIsTorn() throws {
        for torn in [0, 8, 30, 511, 512, 4095] {
            var disk = FakeDisk(size: size)
            var bytes = Tail.encode(record(5, resets: 2))
            bytes[torn] ^= 0x40
            disk.put(bytes, at: Tail.offset(ofSlot: 1, on: size))
            disk.put(Tail.encode(record(4, resets: 1)), at: Tail.offset(ofSlot: 0, on: size))
            #expect(try Tail.read(disk).resets == 1)
        }
    }

    @Test func isEmptyOnABlankPartition() throws {
        #expect(try Tail.read(FakeDisk(size: size)) == TailRecord())
    }
}
