#if Lab
import Glibc
import Testing

@testable import Torture

struct SyscallTests {
    private func event(_ name: String, _ path: String, _ arguments: [UInt64]) -> SyscallEvent {
        SyscallEvent(
            number: 0, ordinal: 0, name: name, process: "supervisor", paths: [path],
            arguments: arguments + Array(repeating: 0, count: 6 - arguments.count))
    }

    @Test func namesAndNumbersAreTheKernels() throws {
        #expect(try Syscall.number("pwrite64").map { Syscall.name($0) } == "pwrite64")
        #expect(throws: TracerError.self) { try Syscall.number("fsink") }
        #expect(Syscall.name(9999) == "syscall 9999")
    }

    @Test func everyCallOfTheTablesExists() throws {
        for name in Syscall.known { _ = try Syscall.number(name) }
    }

    @Test func onlyAnOpenThatMakesAFileCanFindTheDiskFull() {
        let read = event("openat", "/data/a", [UInt64(bitPattern: -100), 0, UInt64(O_RDONLY | O_CLOEXEC)])
        let make = event("openat", "/data/a", [UInt64(bitPattern: -100), 0, UInt64(O_RDWR | O_CREAT)])
        #expect(read.errors == [EIO, EMFILE, ENOMEM])
        #expect(make.errors == [EIO, ENOSPC, EROFS, EMFILE, ENOMEM])
    }

    @Test func aPipeIsNoDisk() {
        #expect(event("write", "pipe:[1]", [1]).errors.isEmpty)
        #expect(event("write", "pipe:[1]", [1]).faults == [.error(EINTR, .once)])
    }

    @Test func interruptionsNeverLast() {
        let faults = event("pwrite64", "/data/a", [5]).faults
        #expect(faults.contains(.error(EINTR, .once)) && !faults.contains(.error(EINTR, .fromThenOn)))
        #expect(event("fcntl", "/data/a", [5, UInt64(F_SETLK)]).errors == [EIO, ENOLCK])
        #expect(event("fcntl", "/data/a", [5, UInt64(F_GETFL)]).faults.isEmpty)
    }

    @Test func pathsAreNormalized() {
        #expect(TracerCall.normalized("/a/./b/../c//d/") == "/a/c/d")
        #expect(SyscallSelection(.any, paths: ["/data/app"]).includes(["/data/app/app.db"]))
        #expect(!SyscallSelection(.any, paths: ["/data/app"]).includes(["/data/application"]))
    }
}
#endif
