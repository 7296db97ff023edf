#if Lab
import Foundation
import Linux
import Testing

@testable import Torture

/// The tracer on small programs.
struct TracerTests {
    private let folder = TracerFolder()

    private func shell(_ script: String) -> Tracer {
        Tracer(
            "/bin/sh", ["-c", script], environment: ["PATH": "/bin:/usr/bin", "LC_ALL": "C", "F": folder.path],
            output: folder.path + "/out")
    }

    private var said: String { folder.read("out") }

    // ---- Looking ----

    @Test func listsTheCallsOnOurFilesAndNoOthers() throws {
        let dd = SyscallSelection(.program("dd"), paths: [folder.path + "/a"])
        let result = try shell("cd $F; dd if=/dev/zero of=./a bs=512 count=3 conv=fsync 2>/dev/null; rm a").run(dd)
        #expect(result.cause == .ended && result.end == .exited(0))
        let names = result.events.map { $0.name }
        #expect(names.filter { $0 == "write" }.count == 3, "\(names)")
        #expect(names.filter { $0 == "fsync" }.count == 1, "\(names)")
        #expect(result.events.allSatisfy { $0.paths == [folder.path + "/a"] })
        #expect(result.events.last { $0.name == "write" }?.text == "write #2 of dd on \(folder.path)/a")
        #expect(!result.events.contains { $0.name == "unlinkat" || $0.name == "unlink" }, "that was rm")
    }

    @Test func aRenameHasTwoPathsRelativeToWhereItsProgramIs() throws {
        let result = try shell("cd $F; : >a; mv a b").run(
            SyscallSelection(.program("mv"), names: ["rename", "renameat", "renameat2"]))
        #expect(result.events.map { $0.paths } == [[folder.path + "/a", folder.path + "/b"]])
    }

    @Test func theNthProcessIsMeantAndNotAnother() throws {
        let second = SyscallSelection(.program("cat"), process: 1, names: ["openat", "open"], paths: [folder.path])
        let result = try shell("cd $F; : >a; : >b; : >c; cat a; cat b; cat c").run(second)
        #expect(result.events.map { $0.paths } == [[folder.path + "/b"]])
    }

    // ---- Faults ----

    @Test func aKilledProcessHasNotMadeTheCall() throws {
        let writes = SyscallSelection(.program("dd"), names: ["write"], paths: [folder.path])
        let result = try shell("dd if=/dev/zero of=$F/a bs=512 count=5 2>/dev/null; echo went on with $?").run(
            writes, fault: SyscallFault(2, .kill))
        #expect(result.delivered?.text == "write #2 of dd on \(folder.path)/a")
        #expect(result.processes.first { $0.label == "dd" }?.end == .killed(signal: SIGKILL))
        #expect(folder.size("a") == 1024, "two of five writes")
        #expect(said.contains("went on with 137"), "the others go on: \(said)")
        #expect(result.end == .exited(0))
    }

    @Test func anErrorReachesTheProgramOnce() throws {
        let writes = SyscallSelection(.program("dd"), names: ["write"], paths: [folder.path])
        let result = try shell("dd if=/dev/zero of=$F/a bs=512 count=5").run(
            writes, fault: SyscallFault(3, .error(ENOSPC)))
        #expect(said.contains("No space left on device"), "\(said)")
        #expect(result.deliveries == 1 && folder.size("a") == 1536)
        #expect(result.end == .exited(1))
    }

    @Test func anErrorThatLastsReachesLaterProcessesToo() throws {
        let opens = SyscallSelection(.program("cat"), names: ["openat"], paths: [folder.path])
        let script = "cd $F; echo x >a; cat a; cat a; cat a; true"
        let once = try shell(script).run(opens, fault: SyscallFault(0, .error(EIO)))
        #expect(once.deliveries == 1 && said.contains("Input/output error") && said.contains("x\nx\n"), "\(said)")
        let lasting = try shell(script).run(opens, fault: SyscallFault(0, .error(EIO, .fromThenOn)))
        #expect(lasting.deliveries == 3 && lasting.events.count == 1)
    }

    @Test func aSkippedCallSeemsToSucceed() throws {
        let renames = SyscallSelection(.program("mv"), names: ["rename", "renameat", "renameat2"])
        let result = try shell("cd $F; : >a; mv a b").run(renames, fault: SyscallFault(0, .succeed()))
        #expect(result.end == .exited(0) && result.deliveries == 1)
        #expect(folder.has("a") && !folder.has("b"))
    }

    @Test func aCallCanFailThoughItWasExecuted() throws {
        let removals = SyscallSelection(.program("rm"), names: ["unlink", "unlinkat"])
        let result = try shell("cd $F; : >a; rm a").run(removals, fault: SyscallFault(0, .error(EIO, executed: true)))
        #expect(result.end == .exited(1) && said.contains("Input/output error"), "\(said)")
        #expect(!folder.has("a"))
    }

    @Test func aCloseThatFailsHasClosed() throws {
        // The shell reads the descriptor's directory: were 7 still open, it would be listed.
        let closes = SyscallSelection(.supervisor, names: ["close"], paths: [folder.path + "/a"])
        let result = try shell("exec 7>$F/a; exec 7>&-; ls /proc/$$/fd").run(
            closes, fault: SyscallFault(1, .error(EIO)))
        #expect(result.deliveries == 1, "\(result.events.map { $0.text })")
        #expect(!said.split(separator: "\n").contains("7"), "\(said)")
    }

    @Test func aChildCanDieBeforeItIsAnything() throws {
        let births = SyscallSelection(.unborn, process: 1, names: ["execve"])
        let result = try shell("/bin/true; /bin/true; echo got $?; /bin/true").run(
            births, fault: SyscallFault(0, .kill))
        #expect(result.delivered?.text == "execve #0 of unborn on /bin/true")
        #expect(said.contains("got 137"), "\(said)")
    }

    // ---- Ends ----

    @Test func aFileRenamedIntoPlaceIsTheEnd() throws {
        let result = try shell("cd $F; : >ready.new; mv ready.new ready; while :; do :; done").run(
            SyscallSelection(.supervisor, names: ["fsync"]), until: .appears(folder.path + "/ready"),
            limit: .seconds(20))
        #expect(result.cause == .finished)
        #expect(result.processes.count == 2 && result.processes.allSatisfy { isDead($0.id) })
    }

    @Test(.enabled(if: access("/usr/bin/perl", X_OK) == 0, "needs a program that waits for events"))
    func itHasNotSettledBeforeItsChildrenAreDealtWith() throws {
        // One child is alive when its parent waits for events, the other has ended and is not waited for.
        let script = """
            chdir $ENV{F}; open A, ">a"; rename "a", "ready";
            if (!fork) { select undef, undef, undef, 0.2; exit 4 }
            select undef, undef, undef, 0.05; wait;
            if (!fork) { exit 5 }
            select undef, undef, undef, 0.1; open B, ">behind"; wait; select undef, undef, undef, 60;
            """
        let result = try Tracer("/usr/bin/perl", ["-e", script], environment: ["F": folder.path]).run(
            SyscallSelection(.supervisor, names: []), until: .settled(folder.path + "/ready"), limit: .seconds(20))
        #expect(result.cause == .finished && result.processes.dropFirst().map { $0.end } == [.exited(4), .exited(5)])
        #expect(folder.has("behind"))
    }

    @Test func theLimitKillsEverything() throws {
        let result = try shell("sleep 60 & sleep 60 & setsid sleep 60 & wait").run(
            SyscallSelection(.supervisor, names: []), limit: .milliseconds(300))
        #expect(result.timedOut && result.processes.count == 4 && result.duration < .seconds(5))
        #expect(result.processes.allSatisfy { isDead($0.id) && $0.end == .killed(signal: SIGKILL) })
    }

    @Test func aChildBornWhileAllAreKilledIsKilledToo() throws {
        for _ in 0..<5 {
            let result = try shell("while :; do sleep 60 & done").run(
                SyscallSelection(.supervisor, names: []), limit: .milliseconds(50))
            #expect(result.unkillable.isEmpty && result.processes.allSatisfy { isDead($0.id) })
        }
    }

    @Test func itCanBeStoppedFromOutsideAndByACondition() throws {
        let tracer = shell("sleep 60")
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.2)
            tracer.stop()
        }
        #expect(try tracer.run(SyscallSelection(.supervisor, names: [])).cause == .stopped)
        let marker = folder.path + "/marker"
        let result = try shell(": >$F/marker; sleep 60").run(
            SyscallSelection(.supervisor, names: []), until: .when { access(marker, F_OK) == 0 })
        #expect(result.cause == .finished)
    }

    @Test func whoOutlivesTheFirstProcessIsAnOrphan() throws {
        let selection = SyscallSelection(.supervisor, names: [])
        let left = try shell("sleep 60 & exit 3").run(selection, grace: .milliseconds(200))
        #expect(left.end == .exited(3) && left.orphans.map { $0.label } == ["sleep"])
        #expect(left.processes.allSatisfy { isDead($0.id) })
        let done = try shell("sleep 0.1 & exit 3").run(selection)
        #expect(done.orphans.isEmpty && done.outlived.map { $0.label } == ["sleep"])
        let taken = try shell("setpriv --pdeathsig KILL sleep 60 & sleep 0.3; exit 3").run(selection)
        #expect(taken.orphans.isEmpty && taken.outlived.isEmpty && taken.processes.count == 3)
    }

    @Test func whatCannotBeStartedIsAnError() {
        #expect(throws: TracerError.self) { try Tracer("/nonexistent").run(SyscallSelection(.any)) }
        #expect(throws: TracerError.self) { try shell("").run(SyscallSelection(.any, names: ["fsink"])) }
    }

    // ---- What the program must not notice ----

    @Test func signalsStopsAndDeathSignalsWorkAsEver() throws {
        let result = try shell(
            """
            trap 'echo caught' USR1; kill -USR1 $$
            sleep 60 & kill -STOP $!; sleep 0.1; grep State /proc/$!/status; kill -CONT $!; sleep 0.1
            grep State /proc/$!/status; kill $!; wait $!; echo ended $?
            setpriv --pdeathsig KILL sleep 60 & sleep 0.2
            """
        ).run(SyscallSelection(.any))
        #expect(result.cause == .ended && result.orphans.isEmpty && result.duration < .seconds(2), "\(result.duration)")
        #expect(said.contains("caught\nState:\tt") && said.contains("State:\tS"), "\(said)")
        #expect(said.contains("ended 143"), "\(said)")
    }

    @Test func lanesDoNotTakeEachOthersChildren() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    let folder = TracerFolder()
                    let tracer = Tracer(
                        "/bin/sh",
                        ["-c", "for i in 1 2 3 4 5; do dd if=/dev/zero of=$F/a count=\(lane + 1) 2>/dev/null; done"],
                        environment: ["PATH": "/bin:/usr/bin", "F": folder.path])
                    let result = try tracer.run(SyscallSelection(.any, names: ["write"], paths: [folder.path]))
                    return result.events.count - 5 * (lane + 1)
                }
            }
            for try await surplus in group { #expect(surplus == 0) }
        }
    }
}

/// Gone, or a zombie that init has yet to wait for.
private func isDead(_ id: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return true }
    return text.contains(") Z ")
}

/// A directory for one test, named as the kernel names it.
final class TracerFolder: Sendable {
    let path: String

    init() {
        let temporary = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = "\(temporary)/firstlight-tracer-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func read(_ name: String) -> String { (try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)) ?? "" }
    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    }
    func has(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }
    func size(_ name: String) -> Int64? { (try? FileSystem.status("\(path)/\(name)"))??.size }
}
#endif
