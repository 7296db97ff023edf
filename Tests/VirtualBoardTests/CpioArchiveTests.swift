#if Lab
import Foundation
import Testing

@testable import VirtualBoard

/// Against cpio itself: it makes what is read, and reads what is made.
@Suite struct CpioArchiveTests {
    private let scratch: Scratch
    private let archive: CpioArchive

    init() throws {
        scratch = try Scratch()
        let script = """
            cd "$0" && mkdir -p root/etc/app root/usr && cd root && echo one >etc/app/one && echo two >etc/app/two &&
            ln -s etc/app link && find . | sort | cpio --quiet -o -H newc
            """
        archive = try CpioArchive(HostTool.run(["sh", "-c", script, scratch.url.path]))
    }

    @Test func readsWhatCpioMade() {
        #expect(archive.entries.map(\.name) == [".", "etc", "etc/app", "etc/app/one", "etc/app/two", "link", "usr"])
        #expect(archive.entries.first { $0.name == "etc/app/two" }?.data == Data("two\n".utf8))
        #expect(archive.entries.first { $0.name == "link" }.map { $0.mode & 0o170000 } == 0o120000)
    }

    @Test func writesWhatCpioReads() throws {
        var changed = archive
        changed.entries.removeAll { $0.name == "etc/app/one" }
        changed.entries.append(.init(name: "usr/hello", mode: 0o100755, data: Data("hello".utf8)))
        try changed.bytes.write(to: scratch.file("made.cpio"))
        let script = """
            cd "$0" && mkdir out && cd out && cpio --quiet -id <../made.cpio &&
            cat link/two usr/hello && ls etc/app && stat -c %a usr/hello
            """
        #expect(try HostTool.text(["sh", "-c", script, scratch.url.path]) == "two\nhellotwo\n755\n")
    }

    @Test func refusesWhatIsNoArchiveAndWhatIsCutShort() {
        #expect(throws: BoardError.self) { try CpioArchive(Data(repeating: 7, count: 500)) }
        #expect(throws: BoardError.self) { try CpioArchive(archive.bytes.prefix(300)) }
    }
}
#endif
