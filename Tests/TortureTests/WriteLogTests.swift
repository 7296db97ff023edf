#if Lab
import Foundation
import Testing

@testable import Torture

@Suite struct WriteLogTests {
    /// As QEMU writes it: a sector for the head, then for each entry one and its data.
    private func file(_ entries: [(sector: UInt64, sectors: UInt64, flags: UInt64)], cut: Int = 0) throws -> URL {
        func sector(_ numbers: [UInt64]) -> Data {
            var data = Data()
            for number in numbers { data.append(withUnsafeBytes(of: number.littleEndian) { Data($0) }) }
            return data + Data(count: 512 - data.count)
        }
        var data = sector([0x6a73_6677_7368_72, 1, 0, 512])
        for (number, entry) in entries.enumerated() {
            data += sector([entry.sector, entry.sectors, entry.flags, 0])
            if entry.flags & 4 == 0 { data += Data(repeating: UInt8(number + 1), count: Int(entry.sectors) * 512) }
        }
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try data.dropLast(cut).write(to: url)
        return url
    }

    private func text(_ log: BlockLog) -> [String] {
        log.entries.map { entry in
            switch entry {
            case .write(let offset, let bytes): "write \(offset) \(bytes.count) \(bytes[0])"
            case .discard(let offset, let count): "discard \(offset) \(count)"
            case .flush: "flush"
            }
        }
    }

    @Test func readsWritesFlushesAndDiscards() throws {
        let url = try file([(8, 2, 0), (0, 0, 1), (16, 8, 4), (24, 1, 0)])
        defer { try? FileManager.default.removeItem(at: url) }
        let log = try WriteLog(url)
        #expect(text(log.log) == ["write 4096 1024 1", "flush", "discard 8192 4096", "write 12288 512 4"])
        #expect(text(log.log.moved(by: -4096)).first == "write 0 1024 1")
        // What was logged when the file ended behind the flush: its entry's own sector is the fourth behind the head.
        #expect(log.position(at: 512 * 5) == 2)
        #expect(log.position(at: 512 * 4) == 1)
    }

    @Test func anEntryThatAKilledQEMULeftInTheMiddleIsNone() throws {
        let url = try file([(8, 2, 0), (24, 4, 0)], cut: 700)
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(text(try WriteLog(url).log) == ["write 4096 1024 1"])
    }

    @Test func somethingElseIsNoLog() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(count: 4096).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(throws: TortureError.self) { try WriteLog(url) }
    }
}
#endif
