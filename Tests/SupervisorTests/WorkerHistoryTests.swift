import BootSequence
import Foundation
import Testing

@testable import Supervisor

/// The worker's stage on a real directory, which `device = none` takes for the partition.
@Suite(.enabled(if: getuid() == 0, "needs root, as the worker does"))
struct WorkerHistoryTests {
    private final class Place {
        let root = FileManager.default.temporaryDirectory.path + "/firstlight-history-\(UUID().uuidString)"
        var file: String { root + "/data/.firstlight-boots" }
        private let extra: String

        init(_ extra: String = "device = none") throws {
            self.extra = extra
            try FileManager.default.createDirectory(atPath: root + "/data", withIntermediateDirectories: true)
            try "[data]\n\(extra)\nmount = \(root)/data\n".write(toFile: root + "/conf", atomically: true, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        /// What it warns of.
        func add(_ outcome: String, _ lost: String = "") -> String? {
            let entry = "{\"outcome\": \"\(outcome)\", \"lost\": \"\(lost)\", \"clock\": 7}"
            guard case .kept(nil, let warning) = Worker(configuration: root + "/conf", supervisor: nil).addToHistory(entry) else { return "no result" }
            return warning
        }

        var text: String? { try? String(contentsOfFile: file, encoding: .utf8) }
        var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: root + "/data").sorted()) ?? [] }
        var inode: Int? { try? FileManager.default.attributesOfItem(atPath: file)[.systemFileNumber] as? Int }
    }

    @Test func addsABootAndNotTheSameAgain() throws {
        let place = try Place()
        #expect(place.add("migrated") == nil)
        #expect(place.text == "{\"number\": 1, \"outcome\": \"migrated\", \"lost\": \"\", \"clock\": 7}\n")
        let first = place.inode
        for _ in 0..<100 { #expect(place.add("migrated") == nil) }
        #expect(place.inode == first && place.names == [".firstlight-boots"])
        #expect(place.add("rebuilt", "all") == nil)
        #expect(place.inode != first)
        #expect(place.text?.split(separator: "\n").count == 2)
    }

    @Test func whatIsDamagedOrTooLongIsReplaced() throws {
        for bytes in [Data([0xFF, 0xFE, 0, 10, 0x7B]), Data(), Data(repeating: 0x61, count: 1 << 20), Data("{\"number\": 3, \"outcome\": \"failed\"}".utf8)] {
            let place = try Place()
            try bytes.write(to: URL(fileURLWithPath: place.file))
            try Data("half".utf8).write(to: URL(fileURLWithPath: place.file + ".new"))
            #expect(place.add("restored") == nil)
            let number = bytes.count == 34 ? 4 : 1
            #expect(place.text?.hasSuffix("{\"number\": \(number), \"outcome\": \"restored\", \"lost\": \"\", \"clock\": 7}\n") == true, "\(place.text ?? "")")
            #expect(place.names == [".firstlight-boots"])
        }
    }

    @Test(arguments: [".firstlight-boots", ".firstlight-boots.new"])
    func aLinkIsNotFollowed(name: String) throws {
        let place = try Place()
        let victim = place.root + "/victim"
        try "{\"number\": 77, \"outcome\": \"precious\"}\n".write(toFile: victim, atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: "\(place.root)/data/\(name)", withDestinationPath: victim)
        #expect(place.add("restored") == nil)
        #expect(try String(contentsOfFile: victim, encoding: .utf8).contains("precious"))
        #expect(place.text?.hasPrefix("{\"number\": 1, ") == true)
        #expect(try FileManager.default.attributesOfItem(atPath: place.file)[.type] as? FileAttributeType == .typeRegular)
    }

    @Test func whatIsNoFileNeitherBlocksNorGoesAway() throws {
        let place = try Place()
        #expect(mkfifo(place.file, 0o600) == 0)
        #expect(place.add("restored") == nil)
        #expect(place.text?.contains("restored") == true)
        let other = try Place()
        try FileManager.default.createDirectory(atPath: other.file + "/somebodys", withIntermediateDirectories: true)
        #expect(other.add("restored")?.contains("rename \(other.file): ") == true)
        #expect(other.names == [".firstlight-boots"])
    }

    @Test func nothingIsWrittenWhereOthersCouldPlantSomething() throws {
        let place = try Place()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: place.root + "/data")
        #expect(place.add("restored")?.contains("trust a directory that others can write to") == true)
        #expect(place.names.isEmpty)
    }

    @Test func nothingIsWrittenWhereNoPartitionIsMounted() throws {
        let place = try Place("device = PARTLABEL=data")
        #expect(place.add("restored")?.contains("find in mountinfo") == true)
        #expect(place.names.isEmpty)
    }

    @Test func nothingIsWrittenIntoRAMAndAFullDiskIsAWarning() throws {
        let ram = try Place("device = PARTLABEL=data")
        try #require(mount("firstlight-volatile", ram.root + "/data", "tmpfs", 0, "mode=0755") == 0)
        defer { umount(ram.root + "/data") }
        #expect(ram.add("restored")?.contains("keep in RAM .firstlight-boots: EROFS") == true)
        #expect(ram.names.isEmpty)

        let full = try Place()
        try #require(mount("x", full.root + "/data", "tmpfs", 0, "mode=0755,size=16k") == 0)
        defer { umount(full.root + "/data") }
        #expect(full.add("migrated") == nil)
        let before = full.text
        for name in 0..<8 { try? Data(repeating: 1, count: 4096).write(to: URL(fileURLWithPath: "\(full.root)/data/\(name)")) }
        #expect(full.add("rebuilt")?.contains("ENOSPC") == true)
        #expect(full.text == before)
        #expect(!full.names.contains(".firstlight-boots.new"))
    }
}
