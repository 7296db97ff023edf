import CLinux
import Linux
import Testing

@testable import DataPartition

/// Root makes a user's directory and follows nothing that user planted (RULES.md B7). Needs root: chown is what it is
/// about.
@Suite(.enabled(if: geteuid() == 0, "needs root"))
final class RepositoryDirectoryTests {
    private let user: UInt32 = 4242
    private let mount: String

    init() throws { mount = try shell("mktemp -d /tmp/repository-XXXXXX").output() }
    deinit { try? FileSystem.removeTree(mount) }

    private func make(_ name: String) throws {
        try DataPartition.makeRepositoryDirectory("\(mount)/\(name)", mount: mount, user: user, group: user)
    }

    private func owner(_ name: String) throws -> UInt32? { try FileSystem.status("\(mount)/\(name)")?.user }

    @Test func makesItForItsUserOnly() throws {
        try make("group/app")
        let status = try #require(try FileSystem.status("\(mount)/group/app"))
        #expect(status.user == user && status.group == user && status.permissions == 0o750)
        #expect(try owner("group") == 0)
    }

    @Test func leavesWhatIsRightAlone() throws {
        try make("app")
        try shell("chmod 700 \(mount)/app; touch -d 2001-01-01 \(mount)/app").output()
        let before = try shell("stat -c '%Z %Y %a' \(mount)/app").output()
        try make("app")
        #expect(try shell("stat -c '%Z %Y %a' \(mount)/app").output() == before)
    }

    @Test func adoptsADirectoryOfRoots() throws {
        try FileSystem.makeDirectory("\(mount)/app")
        try make("app")
        #expect(try owner("app") == user)
    }

    @Test func followsNoLink() throws {
        try shell("mkdir \(mount)/victim; ln -s victim \(mount)/app; ln -s . \(mount)/way").output()
        for name in ["app", "way/app2"] {
            let error = #expect(throws: DataPartitionError.self) { try self.make(name) }
            #expect(error?.kind == .refused)
        }
        #expect(try owner("victim") == 0 && owner("app2") == nil)
    }

    @Test func takesNothingFromAnotherUserAndPassesThroughNoneOfTheirs() throws {
        try shell("mkdir \(mount)/theirs \(mount)/shared; chown 77 \(mount)/theirs; chmod 777 \(mount)/shared").output()
        for name in ["theirs", "theirs/app", "shared/app"] {
            let error = #expect(throws: DataPartitionError.self) { try self.make(name) }
            #expect(error?.kind == .refused)
        }
        #expect(try owner("theirs") == 77)
    }

    @Test func refusesAFileAndTheMountPointItself() throws {
        try shell("touch \(mount)/app").output()
        for name in ["app", "", "..", "x/../app"] {
            #expect(throws: DataPartitionError.self) { try self.make(name) }
        }
        #expect(try owner("app") == 0)
    }
}
