import BootSequence
import CLinux
import Foundation
import Linux
import Testing

@testable import Supervisor

/// A supervisor's view of a worker that does not keep to the protocol. The worker is a shell: what it is started as is this test's own program.
@Suite struct WorkerProcessTests {
    /// Bytes into a worker's pipe, as its supervisor reads them.
    private func worker(_ script: String) throws -> WorkerProcess {
        try WorkerProcess(.data, program: "/bin/sh", arguments: ["-c", script], now: 0)
    }

    private func drain(_ worker: WorkerProcess, all: Bool = false, turns: Int = 1) -> [String] {
        var lines: [String] = []
        for _ in 0..<turns {
            worker.read(now: 1, log: Log { _, text in lines.append(text) }, all: all)
            usleep(1_000)
        }
        return lines
    }

    @Test func aFloodOfLinesIsTakenInPieces() throws {
        let worker = try worker("yes 'log\t6\tx' | head -c 60000 >&3; sleep 10")
        usleep(300_000)
        let first = drain(worker)
        #expect(first.count > 100 && first.count <= 4 * 4096 / 8)
        #expect(drain(worker, turns: 20).count > first.count)
        worker.kill("the test is over", now: 2)
        _ = drain(worker, all: true)
    }

    @Test func whatIsNoMessageIsToldAFewTimesAndThenItIsAstray() throws {
        let worker = try worker("yes '' | head -n 30000 >&3; sleep 10")
        usleep(300_000)
        let said = drain(worker, turns: 30)
        #expect(said.count == 20 && worker.isAstray)
        worker.kill("the test is over", now: 2)
    }

    @Test func aPipeThatIsClosedIsNotPolled() throws {
        let worker = try worker("printf 'progress\tworking\tone\t\n' >&3; exec 3>&-; sleep 10")
        usleep(300_000)
        _ = drain(worker)
        #expect(worker.step == "one" && worker.descriptor == -1)
        worker.kill("the test is over", now: 2)
    }
}
