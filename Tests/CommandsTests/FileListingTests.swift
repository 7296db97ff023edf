import Foundation
import Testing

@testable import Commands

@Suite struct FileListingTests {
    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/firstlight-listing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path + "/app/deep", withIntermediateDirectories: true)
        return path
    }

    @Test func tellsNamesSizesTimesAndOwnersAndGoesDownNoLink() throws {
        let root = try folder()
        defer { try? FileManager.default.removeItem(atPath: root) }
        try Data(repeating: 1, count: 4096).write(to: URL(fileURLWithPath: root + "/app/app.db"))
        try Data(repeating: 1, count: 7).write(to: URL(fileURLWithPath: root + "/app/deep/inside"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 86_400), .posixPermissions: 0o640], ofItemAtPath: root + "/app/app.db")
        try FileManager.default.createSymbolicLink(atPath: root + "/app/link", withDestinationPath: "/etc")
        var flat = FileListing(most: 100)
        flat.add(root + "/app", depth: 0)
        let lines = flat.text.split(separator: "\n")
        #expect(lines.first == "\(root)/app:" && lines.count == 4)
        #expect(lines[1] == "  -0640 \(getuid()):\(getgid())         4096 1970-01-02 00:00:00 app.db", "\(flat.text)")
        #expect(lines[2].hasPrefix("  d0") && lines[2].hasSuffix(" deep") && lines[3].hasPrefix("  l0777") && lines[3].hasSuffix(" link"))
        var deep = FileListing(most: 100)
        deep.add(root + "/app", depth: 4)
        #expect(deep.text.contains("\n\(root)/app/deep:\n  -0") && !deep.text.contains("passwd") && !deep.text.contains("/link:"))
    }

    @Test func isBounded() throws {
        let root = try folder()
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in 0..<50 { try Data().write(to: URL(fileURLWithPath: "\(root)/app/deep/\(name)")) }
        var listing = FileListing(most: 20)
        listing.add(root + "/app", depth: 4)
        #expect(listing.text.split(separator: "\n").filter { $0.hasPrefix("  -") || $0.hasPrefix("  d") }.count == 20)
        #expect(listing.text.hasSuffix("  and more, which are left out\n"))
        var none = FileListing(most: 20)
        none.add(root + "/nowhere", depth: 0)
        #expect(none.text == "\(root)/nowhere:\n  not to be had: opendir \(root)/nowhere: ENOENT\n")
    }
}
