import AutoMigrator
import Foundation
import Linux
import SQLite
import Testing

@testable import AutoMigrator

/// A plan that failed rests, and what cut it short is counted.
@Suite struct HeldPlanTests {
    @Test func anSQLErrorRestsUntilTheImageChanges() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(100)
        bench.migrations.merge(RepositoryBootTests.broken) { $1 }
        #expect(bench.boot().outcome == .restored)
        let before = try bench.fingerprint()
        for _ in 0..<3 {
            let report = bench.boot()
            #expect(report.outcome == .restored)
            #expect(report.reason?.hasPrefix("held: ") == true, "\(report)")
            #expect(report.reason?.contains("no such table: nowhere") == true, "\(report)")
            #expect(report.heldForBoots == nil)
        }
        #expect(try bench.fingerprint() == before)
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        #expect(bench.boot().outcome == .migrated)
    }

    @Test func aFailedCheckRestsToo() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_orphan.sql"] = "INSERT INTO readings (sensor_id, value) VALUES (99, 1);"
        #expect(bench.boot().reason?.hasPrefix("check after migrating") == true)
        #expect(bench.boot().reason?.hasPrefix("held: check after migrating") == true)
        #expect(bench.boot(retryHeld: true).reason?.hasPrefix("check after migrating") == true)
    }

    @Test func aDeadlineNeverHolds() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_long.sql"] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;"
        for _ in 0..<2 {
            let report = bench.boot { $0.deadline = 100 }
            #expect(report.outcome == .restored)
            #expect(report.reason?.contains("2_long.sql:1: interrupted") == true, "\(report)")
        }
    }

    @Test func aCutAttemptRestsOneTwoFourBoots() {
        // Attempts (1) and rests (0) of a plan that is cut short every time.
        var record = Attempts.Record()
        var course: [Int] = []
        for _ in 0..<40 {
            switch Attempts.decide(record, key: 7) {
            case .attempt(let next):
                record = next
                course.append(1)
            case .hold(_, let boots, let write):
                #expect(boots! >= 1)
                record = write!
                course.append(0)
            }
        }
        #expect(
            course.map { "\($0)" }.joined() == "11" + "01" + "0001" + "00000001" + "0000000000000001" + String(repeating: "0", count: 8))
        var cuts = record
        cuts.verdict = .running
        cuts.cuts = 60
        guard case .hold(_, let boots, _) = Attempts.decide(cuts, key: 7) else { return #expect(Bool(false)) }
        #expect(boots == 31)
        guard case .attempt(let fresh) = Attempts.decide(cuts, key: 8) else { return #expect(Bool(false)) }
        #expect(fresh.cuts == 0)
    }

    @Test func theCounterSurvivesATornSlot() throws {
        let bench = Workbench.logger()
        bench.boot()
        let attempts = Attempts(RepositoryState(database: bench.database))
        var record = Attempts.Record()
        record.key = 5
        record.verdict = .running
        record.cuts = 1
        try attempts.write(record, durable: true)
        record.cuts = 2
        try attempts.write(record, durable: true)
        #expect(attempts.read().cuts == 2)
        let newest = Int(attempts.read().sequence % 2) * Attempts.slot
        bench.damage("\(bench.state)/attempts", at: newest + 20, count: 4)
        #expect(attempts.read().cuts == 1)
        #expect(bench.bytes("\(bench.state)/attempts")?.count == 2 * Attempts.slot)
    }

    @Test func aLongReasonFitsItsSlot() throws {
        let bench = Workbench.logger()
        bench.boot()
        let attempts = Attempts(RepositoryState(database: bench.database))
        var record = Attempts.Record()
        record.sequence = .max - 1
        record.key = .max
        record.cuts = .max
        record.rest = .max
        record.stage = String(repeating: "é", count: 100)
        record.reason = String(repeating: "é\n", count: 400)
        try attempts.write(record, durable: false)
        #expect(attempts.read().key == .max)
        #expect(record.text.utf8.count <= Attempts.slot)
    }

    @Test func aProcessThatDiesInAStepIsCountedAndItsStageKnown() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations.merge(RepositoryBootTests.next) { $1 }
        bench.writeMigrations()
        // As a worker leaves it that is killed in its second step.
        let attempts = Attempts(RepositoryState(database: bench.database))
        var keyed = Repository(name: "app", path: bench.database, migrations: bench.root + "/set")
        keyed.hooks.beforeStep = { (_, _) throws(SQLiteError) in
            throw SQLiteError(operation: "die", database: "", code: SQLiteError.interrupted, message: "killed")
        }
        var boot = RepositoryBoot(keyed, reporter: .silent)
        #expect(boot.run().outcome == .restored)
        var record = attempts.read()
        record.verdict = .running
        record.cuts = 1
        record.stage = "the steps"
        try attempts.write(record, durable: true)
        let held = bench.boot()
        #expect(held.outcome == .restored)
        #expect(held.heldForBoots == 1)
        #expect(held.reason?.contains("cut short 2 times, the last time at the steps") == true, "\(held)")
        #expect(bench.boot().outcome == .migrated)
    }

    @Test func plansWithStepsInCodeAreNeverHeld() throws {
        let bench = Workbench.logger()
        bench.boot()
        let set = try MigrationSet(
            MigrationSet(directory: bench.root + "/set").migrations + [
                Migration(version: 2, name: "code") { (database) throws(SQLiteError) in try database.execute("INSERT INTO nowhere VALUES (1)") }
            ], directory: "code")
        for _ in 0..<2 {
            var boot = RepositoryBoot(
                Repository(name: "app", path: bench.database, migrations: ""), reporter: .silent,
                load: { (_) throws(MigrationError) in set })
            let report = boot.run()
            #expect(report.reason?.hasPrefix("2_code: no such table: nowhere") == true, "\(report)")
        }
    }
}
