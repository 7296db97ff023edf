#if Lab
import CSQLite
import CAllocator
import Foundation
import Testing
@testable import Torture

@Suite struct AllocationFaultsTests {
    private func faults(_ body: (AllocationFaults) throws -> Void) throws {
        let folder = "/dev/shm/firstlight-allocation-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(try AllocationFaults(folder: folder))
    }

    /// Its first use makes requests of its own.
    init() { sqlite3_initialize() }

    @Test func refusesTheRequestThatIsMeantAndNoOther() {
        allocator_arm(1, 0)
        defer { allocator_disarm() }
        let memory = (0..<3).map { _ in sqlite3_malloc(10) }
        #expect(memory.map { $0 != nil } == [true, false, true])
        #expect(allocator_count() == 3)
        #expect(allocator_refused() == 1)
        for one in memory { sqlite3_free(one) }
    }

    @Test func refusesAllLaterOnesForEver() {
        allocator_arm(1, 1)
        let memory = (0..<3).map { _ in sqlite3_malloc(10) }
        allocator_disarm()
        #expect(memory.map { $0 != nil } == [true, false, false])
        sqlite3_free(memory[0])
        let after = sqlite3_malloc(10)
        #expect(after != nil)
        sqlite3_free(after)
    }

    @Test func otherThreadsHaveTheirMemory() {
        allocator_arm(0, 1)
        defer { allocator_disarm() }
        nonisolated(unsafe) var memory: UnsafeMutableRawPointer?
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            memory = sqlite3_malloc(10)
            done.signal()
        }
        done.wait()
        #expect(memory != nil)
        sqlite3_free(memory)
    }

    @Test(arguments: [AllocationScenario.firstBoot, .nothingToDo, .upgrade, .failingStep, .hotJournal, .leftoverWAL], [false, true])
    func aSampleOfRefusalsIsSurvived(_ scenario: AllocationScenario, forEver: Bool) throws {
        try faults { faults in
            let count = try faults.count(scenario)
            #expect(count > 100)
            #expect(try faults.run(scenario, 0..<count, stride: count / 40, forEver: forEver) == [])
        }
    }
}
#endif
