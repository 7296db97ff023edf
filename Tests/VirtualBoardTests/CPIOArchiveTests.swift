#if Lab
import Foundation
import Testing

@testable import VirtualBoard

@Suite struct CPIOArchiveTests {
    /// An archive made by cpio itself.
    private func archive() throws -> (CPIOArchive, Scratch) {
        let scratch = try Scratch()
        let script = """
            cd "$0" && mkdir -p root/etc/app root/usr && cd root && echo one >etc/app/one && echo two >etc/app/two &&
            ln -s etc/app link && echo other >etc/application && find . | cpio --quiet -o -H newc
            """
        return (try CPIOArchive(HostTool.run(["sh", "-c", script, scratch.url.path])), scratch)
    }

    /// What cpio itself finds in the archive.
    private func listing(_ archive: CPIOArchive, _ scratch: Scratch) throws -> String {
        let file = scratch.file("made.cpio")
        try archive.data.write(to: file)
        return try HostTool.text(["sh", "-c", "cpio --quiet -tF \"$0\" 2>&1 | sort | tr '\\n' ' '", file.path])
    }

    @Test func removesADirectoryButNotItsNeighbour() throws {
        var (archive, scratch) = try archive()
        archive.remove("/etc/app")
        #expect(try listing(archive, scratch) == ". etc etc/application link usr ")
    }

    @Test func addsAFileWithItsDirectories() throws {
        var (archive, scratch) = try archive()
        archive.add("/usr/share/x/hello", Data("hello".utf8), permissions: 0o755)
        let names = try listing(archive, scratch)
        #expect(names.hasSuffix("link usr usr/share usr/share/x usr/share/x/hello "), "\(names)")
        let script = "cd \"$0\" && mkdir out && cd out && cpio --quiet -id <../made.cpio && cat usr/share/x/hello etc/app/two"
        #expect(try HostTool.text(["sh", "-c", script, scratch.url.path]) == "hellotwo\n")
    }

    @Test func refusesWhatIsNoArchive() {
        #expect(throws: BoardError.self) { try CPIOArchive(Data(repeating: 7, count: 500)) }
    }
}
#endif
