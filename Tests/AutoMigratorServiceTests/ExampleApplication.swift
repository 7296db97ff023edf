#if ServiceLifecycle
import AutoMigrator
import AutoMigratorService
import GRDB
import Linux
import Logging
import ServiceLifecycle

/// Migrates whatever the environment says.
struct Migrator: AutoMigrator {
    var repositories: [Repository]
    var reporter: Reporter

    func shouldRun() -> Bool { true }
}

/// The application's own part. It opens the database in `run`, for only then the migrations have ended.
struct ReadingsService: Service {
    let path: String
    let logger: Logger

    func run() async throws {
        let database = try DatabaseQueue(path: path)
        try await database.write { db in
            try db.execute(sql: "INSERT INTO readings (sensor, value) VALUES (?, ?)", arguments: ["boiler", 63.5])
        }
        let count = try await database.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM readings") }
        logger.notice("readings so far: \(count ?? 0)")
        try? await gracefulShutdown()
        try database.close()
    }
}

/// An application: `try await application(data: "/data/app", migrations: "/usr/share/app/migrations", logger: logger).run()`
func application(data: String, migrations: String, logger: Logger) -> ServiceGroup {
    let repository = Repository(name: "app", path: data + "/app.db", migrations: migrations)
    let migrations = AutoMigratorService(repositories: [repository], logger: logger) {
        Migrator(repositories: $0, reporter: $1)
    }
    let readings = ReadingsService(path: repository.path, logger: logger)
    return ServiceGroup(
        services: [migrations, readings.after(migrations)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
}
#endif
