#if ServiceLifecycle
import AutoMigrator
import AutoMigratorService
import Foundation
import Linux
import Logging
import SQLite
import ServiceLifecycle
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct AutoMigratorServiceTests {
    private let readings = "CREATE TABLE readings (id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, value REAL NOT NULL);"

    private struct NeverHappened: Error {}

    /// Polls: what is waited for happens on another thread.
    private func until(_ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition() {
            guard ContinuousClock.now < end else { throw NeverHappened() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    // ---- The example ----

    @Test func theExampleWritesAndReadsWhatTheMigrationsMadeAndShutsDown() async throws {
        let bench = ServiceBench(readings)
        for start in 1...2 {
            let group = application(data: bench.root + "/data", migrations: bench.root + "/set", logger: bench.logger)
            let run = Task { try await group.run() }
            try await until { bench.log.lines.contains { $0.text == "readings so far: \(start)" } }
            await group.triggerGracefulShutdown()
            try await run.value
        }
        #expect(bench.log.lines.compactMap { $0.metadata["outcome"] } == ["migrated", "current"])
        #expect(bench.text("SELECT sensor || ' ' || value FROM readings") == "boiler 63.5")
    }

    @Test func theDocumentationShowsTheExampleAsItIs() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let source = try String(contentsOf: tests.appending(path: "ExampleApplication.swift"), encoding: .utf8)
        let document = try String(contentsOf: tests.appending(path: "../../docs/service.md"), encoding: .utf8)
        // Without the lines that make it part of this package.
        let example = source.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("#") }
            .joined(separator: "\n")
        #expect(document.contains("```swift\n" + example + "```\n"))
    }

    // ---- Order ----

    @Test func aServiceAfterTheMigrationsFindsTheirSchemaAndOneBesideThemDoesNotWait() async throws {
        let bench = ServiceBench(readings)
        var repository = bench.repository
        // Long enough for a service that does not wait to be first.
        repository.hooks.afterStep = { (_, _) throws(SQLiteError) in usleep(200_000) }
        let migrations = bench.service([repository])
        let order = Mutex<[String]>([])
        let after = Noting {
            let tables = bench.text("SELECT group_concat(name) FROM sqlite_schema WHERE name = 'readings'")
            order.withLock { $0.append("after: \(tables ?? "nothing")") }
        }
        let beside = Noting { order.withLock { $0.append("beside") } }
        let group = bench.group(migrations, after.after(migrations), beside)
        let run = Task { try await group.run() }
        try await until { order.withLock { $0.count == 2 } }
        await group.triggerGracefulShutdown()
        try await run.value
        #expect(order.withLock { $0 } == ["beside", "after: readings"])
    }

    @Test func everyWaiterGetsTheReportsAndOneThatGivesUpHarmsNobody() async throws {
        let bench = ServiceBench(readings)
        let migrations = bench.service()
        let waiters = (0..<20).map { _ in Task { try await migrations.ready() } }
        for patience in [0, 50] {
            let impatient = Task { try await migrations.ready() }
            try await Task.sleep(for: .milliseconds(patience))
            impatient.cancel()
            await #expect(throws: CancellationError.self) { try await impatient.value }
        }

        let run = Task { try await migrations.run() }
        for waiter in waiters { #expect(try await waiter.value.map { $0.outcome } == [.migrated]) }
        #expect(try await migrations.ready().map { $0.name } == ["app"], "who comes later")
        run.cancel()
        try await run.value
    }

    @Test func aSecondRunMigratesNothing() async throws {
        let bench = ServiceBench(readings)
        let migrations = bench.service()
        let group = bench.group(migrations, migrations)
        let run = Task { try await group.run() }
        _ = try await migrations.ready()
        await group.triggerGracefulShutdown()
        try await run.value
        #expect(bench.log.lines.compactMap { $0.metadata["outcome"] } == ["migrated"])
    }

    @Test func migrationsBlockNoThreadOfTheConcurrencyPool() async throws {
        let benches = (0..<(2 * ProcessInfo.processInfo.activeProcessorCount)).map { _ in ServiceBench(ServiceBench.endless) }
        let runs = benches.map { bench in Task { try await bench.service().run() } }
        // Were they on the pool, nobody would get to this point while they run.
        try await until { benches.allSatisfy { $0.log.lines.contains { $0.text.contains("step 1 of 1") } } }
        for run in runs { run.cancel() }
        for run in runs { try await run.value }
    }

    // ---- Shutting down while migrating ----

    /// Runs a group up to where the endless step works, ends it, and tells how long that took.
    private func interrupt(
        _ bench: ServiceBench, _ migrations: AutoMigratorService, by end: (ServiceGroup, Task<Void, any Error>) async -> Void
    ) async throws -> Duration {
        let started = Mutex(false)
        let group = bench.group(migrations, Noting { started.withLock { $0 = true } }.after(migrations))
        let run = Task { try await group.run() }
        try await until { bench.log.lines.contains { $0.text.contains(": step ") && $0.level == .info } }
        try await Task.sleep(for: .milliseconds(50))
        let clock = ContinuousClock.now
        await end(group, run)
        _ = await run.result
        #expect(!started.withLock { $0 }, "a service after the migrations started without them")
        await #expect(throws: CancellationError.self) { try await migrations.ready() }
        return clock.duration(to: .now)
    }

    @Test(arguments: [true, false])
    func aShutdownUndoesALongMigrationAndTheNextStartTriesAgain(graceful: Bool) async throws {
        let bench = ServiceBench(readings)
        #expect(bench.migrateBefore().outcome == .migrated)
        bench.execute("INSERT INTO readings VALUES (1, 'boiler', 63.5)")
        bench.add(2, ServiceBench.endless)
        let took = try await interrupt(bench, bench.service()) { group, run in
            if graceful {
                await group.triggerGracefulShutdown()
                await #expect(throws: Never.self) { try await run.value }
            } else {
                run.cancel()
            }
        }
        #expect(took < .seconds(5))
        #expect(bench.text("SELECT group_concat(name) FROM sqlite_schema WHERE name IN ('readings', 'late')") == "readings")
        #expect(bench.text("SELECT max(version) FROM schema_migrations") == "1")
        #expect(bench.text("SELECT sensor FROM readings") == "boiler")
        #expect(bench.log.lines.contains { $0.level == .notice && $0.text.contains("begins again at the next start") })

        // The same step again is tried, not held: it was not its fault.
        let again = try await interrupt(bench, bench.service()) { group, _ in await group.triggerGracefulShutdown() }
        #expect(again < .seconds(5))
    }

    /// Both ways in which a program may say that a database whose migration fails is made anew.
    @Test func aShutdownNeverDestroysADatabaseEvenWhereFailuresMay() async throws {
        struct Recipe: AutoMigrator {
            var repositories: [Repository]
            var reporter: Reporter
            func shouldRun() -> Bool { true }

            func migrate(_ repository: Repository) -> RepositoryReport {
                let report = defaultMigrate(repository)
                return report.succeeded ? report : recreate(repository)
            }
        }
        let (bench, other) = (ServiceBench(readings), ServiceBench(readings))
        for bench in [bench, other] {
            _ = bench.migrateBefore()
            bench.execute("INSERT INTO readings VALUES (1, 'boiler', 63.5)")
            bench.add(2, ServiceBench.endless)
        }
        var repositories = [bench.repository, other.repository]
        for index in repositories.indices { repositories[index].onFailure = [.rebuild] }
        let service = AutoMigratorService(repositories: repositories, logger: bench.logger) {
            Recipe(repositories: $0, reporter: $1)
        }
        _ = try await interrupt(bench, service) { group, _ in await group.triggerGracefulShutdown() }
        for bench in [bench, other] { #expect(bench.text("SELECT sensor FROM readings") == "boiler") }
        #expect(!bench.log.lines.contains { $0.text.contains(other.root) && $0.text.contains("snapshot") }, "work begun after the shutdown")
    }

    @Test func aGroupThatShutsDownBeforeTheMigrationsBeganStartsNone() async throws {
        let bench = ServiceBench(ServiceBench.endless)
        let migrations = bench.service()
        let run = Task {
            try? await Task.sleep(for: .seconds(60))
            try await migrations.run()
        }
        run.cancel()
        try await run.value
        #expect(!FileManager.default.fileExists(atPath: bench.repository.path))
        await #expect(throws: CancellationError.self) { try await migrations.ready() }
    }

    // ---- What is good enough ----

    @Test func withoutARequirementTheServicesStartWhateverHappened() async throws {
        let bench = ServiceBench("CREATE TABEL readings (x);")
        let migrations = bench.service()
        let started = Mutex(false)
        let group = bench.group(migrations, Noting { started.withLock { $0 = true } }.after(migrations))
        let run = Task { try await group.run() }
        try await until { started.withLock { $0 } }
        await group.triggerGracefulShutdown()
        try await run.value
        #expect(try await migrations.ready().map { $0.outcome } == [.failed])
    }

    @Test func anOutcomeThatIsNotAcceptedEndsTheGroupWithTheRepositoryAndTheReason() async throws {
        let (bench, other) = (ServiceBench("CREATE TABEL readings (x);"), ServiceBench(readings))
        var fine = other.repository
        fine.name = "other"
        let migrations = bench.service([bench.repository, fine], require: [.current, .migrated])
        let started = Mutex(false)
        let group = bench.group(migrations, Noting { started.withLock { $0 = true } }.after(migrations))
        let error = await #expect(throws: AutoMigratorServiceError.self) { try await group.run() }
        #expect(error?.text.contains("repository app (\(bench.repository.path)) ended as failed") == true, "\(error?.text ?? "")")
        #expect(error?.text.contains("1_step.sql:1: near \"TABEL\": syntax error") == true, "\(error?.text ?? "")")
        #expect(!started.withLock { $0 })
        #expect(other.text("SELECT count(*) FROM readings") == "0", "the other repository had its turn")
    }

    // ---- Overrides and RUN_MIGRATIONS ----

    @Test func everyOverrideOfTheMigratorIsHonoured() async throws {
        struct Backwards: AutoMigrator {
            var repositories: [Repository]
            func shouldRun() -> Bool { true }
            func migrateAll() -> [RepositoryReport] { repositories.reversed().map { migrate($0) } }
        }
        let (bench, other) = (ServiceBench(readings), ServiceBench(readings))
        var second = other.repository
        second.name = "second"
        let migrations = AutoMigratorService(repositories: [bench.repository, second], logger: bench.logger) { repositories, _ in
            Backwards(repositories: repositories)
        }
        let run = Task { try await migrations.run() }
        #expect(try await migrations.ready().map { $0.name } == ["second", "app"])
        run.cancel()
        try await run.value
    }

    @Test func theDefaultMigratorAsksTheEnvironment() async throws {
        let bench = ServiceBench(readings)
        let migrations = AutoMigratorService(repositories: [bench.repository], logger: bench.logger)
        let run = Task { try await migrations.run() }
        let isOn = RunMigrations.isOn(Environment.value("RUN_MIGRATIONS"))
        #expect(try await migrations.ready().map { $0.outcome } == [isOn ? .migrated : .skipped])
        run.cancel()
        try await run.value
    }

    // ---- The log ----

    @Test func everyLineReachesTheLoggerWithItsLevelAndItsRepository() async throws {
        let (bench, other) = (ServiceBench(readings), ServiceBench(readings))
        var failing = other.repository
        failing.name = "other"
        #expect(other.migrateBefore().outcome == .migrated)
        other.add(2, "CREATE TABEL oops (x);")
        let migrations = bench.service([bench.repository, failing])
        let run = Task { try await migrations.run() }
        _ = try await migrations.ready()
        run.cancel()
        try await run.value

        let lines = bench.log.lines
        let step = try #require(lines.first { $0.level == .info && $0.text.contains("step 1 of 1: 1_step") })
        #expect(step.metadata == ["repository": "app"])
        let doing = try #require(lines.first { $0.metadata["phase"] != nil && $0.text.contains(failing.path) })
        #expect(doing.level == .debug && doing.metadata == ["repository": "other", "phase": "working"])
        let failure = try #require(lines.first { $0.level == .error })
        #expect(failure.text.contains("migrating failed") && failure.metadata == ["repository": "other"])

        let ends = lines.filter { $0.metadata["outcome"] != nil }
        try #require(ends.count == 2)
        #expect(ends.map { $0.level } == [.notice, .warning])
        #expect(ends[0].text == "app: migrated")
        #expect(ends[1].text.hasPrefix("other: restored: ") && ends[1].text.contains("TABEL"))
        for (key, value) in [
            "repository": "other", "path": failing.path, "outcome": "restored", "schema": "1", "wanted": "2", "pending": "1",
        ] { #expect(ends[1].metadata[key] == value, "\(key)") }
        #expect(ends[0].metadata["schema"] == "1" && ends[0].metadata["pending"] == "0")
        #expect(ends.allSatisfy { Int64($0.metadata["duration_ms"] ?? "") != nil })
    }
}
#endif
