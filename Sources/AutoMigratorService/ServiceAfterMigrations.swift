#if ServiceLifecycle
public import ServiceLifecycle

extension Service {
    /// The service, started only when the migrations have ended: `[migrations, server.after(migrations)]`.
    ///
    /// It does not start at all when `run` of the migrations throws, which is an error of the group, and when the group
    /// shuts down before. It has to come after the migrations in the group: a group shuts down from its last service to
    /// its first.
    public func after(_ migrations: AutoMigratorService) -> some Service {
        ServiceAfterMigrations(service: self, migrations: migrations)
    }
}

struct ServiceAfterMigrations<Base: Service>: Service {
    let service: Base
    let migrations: AutoMigratorService

    func run() async throws {
        do {
            _ = try await migrations.ready()
        } catch is CancellationError {
            return
        }
        try await service.run()
    }
}
#endif
