#if ServiceLifecycle
import AutoMigrator
import AutoMigratorService
import Foundation
import Logging
import SQLite
import ServiceLifecycle
import Synchronization

/// A directory with a database and migrations, gone with the value, and what was logged.
final class ServiceBench: Sendable {
    let root = FileManager.default.temporaryDirectory.path + "/firstlight-\(UUID().uuidString)"
    let log = RecordingLog()

    var repository: Repository { Repository(name: "app", path: root + "/data/app.db", migrations: root + "/set") }
    var logger: Logger { log.logger }

    /// - Parameter migrations: the SQL of steps 1, 2, ….
    init(_ migrations: String...) {
        try! FileManager.default.createDirectory(atPath: root + "/set", withIntermediateDirectories: true)
        for (index, sql) in migrations.enumerated() { add(index + 1, sql) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func add(_ version: Int, _ sql: String) {
        try! sql.write(toFile: root + "/set/\(version)_step.sql", atomically: false, encoding: .utf8)
    }

    /// The service with `Migrator` of the example, and `RUN_MIGRATIONS` out of the way.
    func service(_ repositories: [Repository]? = nil, require: Set<Outcome>? = nil) -> AutoMigratorService {
        AutoMigratorService(repositories: repositories ?? [repository], logger: logger, require: require) {
            Migrator(repositories: $0, reporter: $1)
        }
    }

    func group(_ services: any Service...) -> ServiceGroup { ServiceGroup(services: services, logger: logger) }

    /// What an earlier start left.
    func migrateBefore() -> RepositoryReport { Earlier(repositories: [repository]).run()[0] }

    func text(_ sql: String) -> String? {
        guard let database = try? Database(repository.path, .readWrite) else { return nil }
        return try? database.text(sql)
    }

    func execute(_ sql: String) { try! Database(repository.path, .create).execute(sql) }

    private struct Earlier: AutoMigrator {
        var repositories: [Repository]
        func shouldRun() -> Bool { true }
    }

    /// A statement that runs for minutes and writes one row.
    static let endless = """
        CREATE TABLE late (x);
        INSERT INTO late WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000)
            SELECT count(*) FROM n;
        """
}

/// A LogHandler that keeps its lines.
final class RecordingLog: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let text: String
        let metadata: [String: String]
    }

    private let kept = Mutex<[Line]>([])

    var lines: [Line] { kept.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: RecordingLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            log.kept.withLock {
                $0.append(Line(level: event.level, text: "\(event.message)", metadata: all.mapValues { "\($0)" }))
            }
        }
    }
}

/// A service that notes when it starts, does its work and stays until the shutdown.
struct Noting: Service {
    let work: @Sendable () async throws -> Void

    func run() async throws {
        try await work()
        try? await gracefulShutdown()
    }
}
#endif
