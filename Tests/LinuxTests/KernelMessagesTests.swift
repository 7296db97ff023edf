import Foundation
import Testing

@testable import Linux

@Suite struct KernelMessagesTests {
    @Test func readsARecordAsTheKernelWritesIt() throws {
        let message = try #require(
            KernelMessages.Message(record: "3,1204,5140900,-;EXT4-fs error (device mmcblk0p3): x; y\n SUBSYSTEM=block\n DEVICE=b179:3\n"))
        #expect(message.level == 3 && message.microseconds == 5_140_900)
        #expect(message.text == "EXT4-fs error (device mmcblk0p3): x; y")
        // The facility is not the level; a field more came with Linux 5.
        let other = try #require(KernelMessages.Message(record: "28,5,17,c,caller=T1;firstlightd: ready"))
        #expect(other.level == 4 && other.text == "firstlightd: ready")
    }

    @Test(arguments: ["", "no semicolon", "6,1;x", "x,1,2,-;y", ";"])
    func whatIsNoRecordIsNone(record: String) { #expect(KernelMessages.Message(record: record) == nil) }

    @Test func endsWithWhatIsThere() throws {
        guard FileManager.default.isReadableFile(atPath: "/dev/kmsg") else { return }
        var last: Int64 = -1
        do throws(LinuxError) {
            try KernelMessages.read { last = $0.microseconds }
        } catch {
            // A container may see the device and not be let read it.
            #expect(error.code == EPERM, "\(error.text)")
            return
        }
        #expect(last >= -1)
    }
}

@Suite struct ProgramOutputTests {
    @Test func bothOutputsAreTakenAndOnlyTheEndIsKept() throws {
        let result = try ChildProcess.output(of: "/bin/sh", ["-c", "echo one; echo two >&2; exit 3"], limit: 10_000, longest: 1000)
        #expect(result.end == .exited(3) && String(decoding: result.text, as: UTF8.self) == "one\ntwo\n")
        let long = try ChildProcess.output(of: "/bin/sh", ["-c", "head -c 300000 /dev/zero; echo end"], limit: 10_000, longest: 1000)
        #expect(long.text.count == 1000 && String(decoding: long.text.suffix(4), as: UTF8.self) == "end\n")
    }

    @Test func oneThatDoesNotEndIsKilled() throws {
        let start = Clock.milliseconds
        let result = try ChildProcess.output(of: "/bin/sh", ["-c", "echo begun; exec sleep 60"], limit: 300, longest: 1000)
        #expect(result.end == .killed(signal: SIGKILL) && String(decoding: result.text, as: UTF8.self) == "begun\n")
        #expect(Clock.milliseconds - start < 20_000)
        #expect(throws: LinuxError.self) { try ChildProcess.output(of: "/nowhere/program", [], limit: 300, longest: 1000) }
    }
}

@Suite struct FileEndTests {
    @Test func theEndOfALongFileIsWhatCounts() throws {
        let path = FileManager.default.temporaryDirectory.path + "/firstlight-end-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileSystem.replace(path, with: String(repeating: "a", count: 5000) + "end", durable: false)
        #expect(try FileSystem.readEnd(path, longest: 4) == Array("aend".utf8))
        #expect(try FileSystem.readEnd(path, longest: 1 << 20).count == 5003)
        #expect(try FileSystem.readEnd("/dev/zero", longest: 10_000).count == 10_000)
        #expect(try FileSystem.readEnd("/proc/self/stat", longest: 1 << 20).count > 20)
    }

    @Test func timesAreWrittenAsPeopleReadThem() {
        #expect(Clock.text(0) == "1970-01-01 00:00:00" && Clock.text(1_795_686_607) == "2026-11-26 09:50:07")
    }
}
