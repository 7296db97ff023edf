import AutoMigrator
import CSQLite
import Foundation
import Linux
import SQLite
import Testing

/// The protocol, goals, code, hooks: what a program has of it.
@Suite struct MigratorTests {
    /// The recipe of Ecto.AutoMigrator's README, as AutoMigrator's documentation shows it.
    struct Recipe: AutoMigrator {
        var repositories: [Repository]
        func shouldRun() -> Bool { true }

        func migrate(_ repository: Repository) -> RepositoryReport {
            let report = defaultMigrate(repository)
            return report.succeeded ? report : recreate(repository)
        }
    }

    private func repository(_ bench: Workbench, _ name: String = "app") -> Repository {
        bench.writeMigrations()
        return Repository(name: name, path: bench.database, migrations: bench.root + "/set")
    }

    @Test func theReadmesRecipeStartsWithAnEmptyDatabaseWhateverHappens() {
        let bench = Workbench()
        bench.migrations["1_a.sql"] = "CREATE TABLE a (x);"
        bench.boot()
        bench.execute("DROP TABLE a; CREATE TABLE b (x); INSERT INTO b VALUES (1)")
        bench.migrations["2_b.sql"] = "CREATE TABLE b (y);"
        let other = Workbench.logger()
        let reports = Recipe(repositories: [repository(bench), repository(other, "other")]).run()
        #expect(reports.map { $0.outcome } == [.rebuilt, .migrated], "\(reports)")
        #expect(bench.integer("SELECT count(*) FROM a") == 0)
        #expect(reports[0].quarantine.flatMap { FileManager.default.fileExists(atPath: $0 + "/app.db") } == true)
    }

    /// A database of a newer image is no failure, and the recipe must not make it an empty one.
    @Test func theReadmesRecipeLeavesAnOlderImagesUserTheirRows() {
        let bench = Workbench.logger()
        bench.migrations["2_more.sql"] = "-- migrate:up compatible:true\nCREATE TABLE more (x);"
        bench.boot()
        bench.addReadings(5)
        bench.migrations["2_more.sql"] = nil
        #expect(Recipe(repositories: [repository(bench)]).run().map { $0.outcome } == [.ahead])
        bench.migrations["2_more.sql"] = "-- migrate:up compatible:true\nCREATE TABLE more (x);"
        bench.migrations["3_less.sql"] = "-- migrate:up\nDROP TABLE more;\n-- migrate:down\nCREATE TABLE more (x);"
        bench.boot()
        bench.migrations["2_more.sql"] = nil
        bench.migrations["3_less.sql"] = nil
        #expect(Recipe(repositories: [repository(bench)]).run().map { $0.outcome } == [.downgraded])
        #expect(bench.integer("SELECT count(*) FROM readings") == 5)
    }

    @Test func thePolicyRebuildIsTheSameRecipe() {
        let bench = Workbench.logger()
        bench.boot()
        bench.execute("CREATE TABLE b (x)")
        bench.migrations["2_b.sql"] = "CREATE TABLE b (y);"
        let report = bench.boot { $0.onFailure = [.rebuild] }
        #expect(report.outcome == .rebuilt, "\(report)")
        #expect(report.reason?.contains("table b already exists") == true)
    }

    @Test func oneRepositorysFailureNeverKeepsTheOthersFromTheirTurn() {
        let broken = Workbench()
        broken.migrations["1_a.sql"] = "CREATE TABEL a (x);"
        let fine = Workbench.logger()
        struct Migrator: AutoMigrator {
            var repositories: [Repository]
            func shouldRun() -> Bool { true }
        }
        let unmakeable = Repository(name: "none", path: "/proc/firstlight/app.db", migrations: fine.root + "/set")
        let reports = Migrator(repositories: [repository(broken), unmakeable, repository(fine, "fine")]).run()
        #expect(reports.map { $0.outcome } == [.failed, .failed, .migrated], "\(reports)")
        #expect(reports[1].reason?.contains("mkdir /proc/firstlight") == true, "\(reports[1])")
    }

    @Test func everyStepCanBeOverridden() {
        final class Calls: @unchecked Sendable { var names: [String] = [] }
        struct Migrator: AutoMigrator {
            let calls = Calls()
            var repositories: [Repository]
            func shouldRun() -> Bool {
                calls.names.append("shouldRun")
                return true
            }
            func load(_ repository: Repository) throws(MigrationError) -> MigrationSet {
                calls.names.append("load")
                return try MigrationSet([Migration(version: 1, name: "a") { (database) throws(SQLiteError) in try database.execute("CREATE TABLE a (x)") }], directory: "code")
            }
            func create(_ repository: Repository) throws(MigrationError) {
                calls.names.append("create")
                try defaultCreate(repository)
            }
            func createAll() -> [RepositoryReport] {
                calls.names.append("createAll")
                return defaultCreateAll()
            }
            func migrate(_ repository: Repository) -> RepositoryReport {
                calls.names.append("migrate")
                return defaultMigrate(repository)
            }
            func migrateAll() -> [RepositoryReport] {
                calls.names.append("migrateAll")
                return repositories.map { migrate($0) }
            }
            func recreate(_ repository: Repository) -> RepositoryReport {
                calls.names.append("recreate")
                return defaultRecreate(repository)
            }
        }
        let bench = Workbench()
        let migrator = Migrator(repositories: [repository(bench)])
        #expect(migrator.run().map { $0.outcome } == [.migrated])
        #expect(migrator.calls.names == ["shouldRun", "createAll", "create", "migrateAll", "migrate", "load"])
        #expect(migrator.recreate(repository(bench)).outcome == .rebuilt)
        #expect(migrator.rollBack(repository(bench), to: 0).reason?.contains("has no down") == true)
    }

    @Test(arguments: [(nil, false), ("", false), ("0", false), ("False", false), (" no ", false), ("off", false), ("1", true), ("true", true)])
    func whatRunMigrationsSays(value: String?, runs: Bool) { #expect(RunMigrations.isOn(value) == runs) }

    @Test func withoutRunMigrationsEverythingIsSkipped() {
        struct Migrator: AutoMigrator { var repositories: [Repository] }
        let bench = Workbench.logger()
        #expect(Migrator(repositories: [repository(bench)]).run().map { $0.outcome } == [.skipped])
        #expect(!FileSystem.exists(bench.database))
    }

    // ---- Goals ----

    @Test func goesToAVersionAndByStepsAndBack() {
        let bench = Workbench()
        for number in 1...5 {
            bench.migrations["\(number)_t.sql"] = "-- migrate:up\nCREATE TABLE t\(number) (x);\n-- migrate:down\nDROP TABLE t\(number);"
        }
        func tables() -> Int64 { bench.integer("SELECT count(*) FROM sqlite_schema WHERE name GLOB 't[0-9]'") ?? -1 }
        let first = bench.boot(to: .version(2))
        #expect(first.outcome == .migrated && first.schema == 2 && first.wanted == 2, "\(first)")
        #expect(tables() == 2)
        #expect(bench.boot(to: .version(2)).outcome == .current)
        #expect(bench.boot(to: .steps(1)).schema == 3)
        #expect(bench.boot(to: .version(9)).reason?.contains("there is no step 9") == true)
        #expect(tables() == 3)
        #expect(bench.boot().schema == 5)
        #expect(bench.rollBack(to: .steps(1)).schema == 4)
        let back = bench.rollBack(to: .version(2))
        #expect(back.outcome == .downgraded && back.schema == 2 && back.wanted == 2, "\(back)")
        #expect(tables() == 2)
        #expect(bench.rollBack(to: .version(7)).reason?.contains("version 7 is not applied") == true)
        #expect(bench.rollBack(to: .version(0)).outcome == .downgraded)
        #expect(tables() == 0)
        #expect(bench.boot().schema == 5)
    }

    @Test func aStepWithoutADownStopsARollbackBeforeItBegins() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_n.sql"] = "CREATE TABLE n (x);"
        bench.migrations["3_m.sql"] = "-- migrate:up\nCREATE TABLE m (x);\n-- migrate:down\nDROP TABLE m;"
        bench.boot()
        #expect(bench.rollBack(to: .version(1)).reason?.contains("step 2_n has no down; nothing was undone") == true)
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('n', 'm')") == 2)
    }

    @Test func aRollbackNeedsNoFilesSinceDownsTravelInTheDatabase() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations = [:]
        #expect(bench.rollBack(to: .steps(1)).outcome == .downgraded)
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'readings'") == 0)
    }

    @Test func downsKeepTheirOptionsInTheDatabase() {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["2_v.sql"] = "-- migrate:up\nCREATE TABLE v (x);\n-- migrate:down transaction:false\nDROP TABLE v;\nVACUUM;"
        bench.boot()
        bench.migrations["2_v.sql"] = nil
        let report = bench.boot()
        #expect(report.outcome == .downgraded)
        #expect(report.reason?.contains("does not run in a transaction") == true, "\(report)")
        bench.migrations["2_v.sql"] = "-- migrate:up\nCREATE TABLE v (x);"
        bench.boot()
        bench.execute("UPDATE firstlight_migrations SET down = '-- migrate:down transaction:false' || char(10) || 'DROP TABLE v; VACUUM;' WHERE version = 2")
        #expect(bench.rollBack(to: .steps(1)).outcome == .downgraded)
    }

    @Test func anErrorInADownOfItsOwnFileNamesThatFile() {
        let bench = Workbench.logger()
        bench.migrations["2_b.up.sql"] = "CREATE TABLE b (x);"
        bench.migrations["2_b.down.sql"] = "\nDROP TABLE c;"
        bench.boot()
        #expect(bench.rollBack(to: .steps(1)).reason?.contains("2_b.down.sql:2: no such table: c") == true)
    }

    @Test func aDamagedSnapshotIsNotRestoredOnRequestNorLater() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(10)
        let before = bench.bytes(bench.database)
        bench.damage("\(bench.state)/snapshots/\(bench.files("snapshots")[0])", at: 5000, count: 1)
        var boot = RepositoryBoot(repository(bench), reporter: .silent)
        let report = boot.restore(try #require(boot.snapshots.first))
        #expect(report.outcome == .failed)
        #expect(report.reason?.contains("is not what its seal says") == true, "\(report)")
        #expect(bench.boot().outcome == .current)
        #expect(bench.bytes(bench.database) == before)
    }

    @Test func strictOrderRefusesWhatIsOlderThanTheNewest() {
        let bench = Workbench.logger()
        bench.migrations["3_c.sql"] = "CREATE TABLE c (x);"
        bench.boot()
        bench.migrations["2_b.sql"] = "CREATE TABLE b (x);"
        let strict = bench.boot { $0.strictOrder = true }
        #expect(strict.outcome == .restored)
        #expect(strict.reason?.contains("2_b.sql: older than step 3") == true, "\(strict)")
        let report = bench.boot()
        #expect(report.outcome == .migrated)
        #expect(report.warnings.contains { $0.contains("2_b.sql is older than the newest applied step and runs out of order") })
        #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'b'") == 1)
    }

    /// A step may tidy up the history that came before it, in the same boot.
    @Test func aStepThatForgetsEarlierOnesIsObeyed() {
        let bench = Workbench.logger()
        bench.migrations["2_b.sql"] = "CREATE TABLE b (x);"
        bench.migrations["3_squash.sql"] = "DELETE FROM schema_migrations WHERE version < 3;"
        #expect(bench.boot().outcome == .migrated)
        #expect(bench.text("SELECT group_concat(version) FROM schema_migrations") == "3")
        #expect(bench.text("SELECT group_concat(version) FROM firstlight_migrations") == "3")
    }

    @Test func aChangedFileIsReportedAndHarmless() throws {
        let bench = Workbench.logger()
        bench.boot()
        bench.migrations["1_create_readings.sql"]! += "\n"
        #expect(bench.boot().warnings == [])
        bench.migrations["1_create_readings.sql"] = "CREATE TABLE other (x);"
        let report = bench.boot()
        #expect(report.outcome == .current)
        #expect(report.warnings.first?.contains("was changed after it was applied") == true)
    }

    // ---- Code, functions, hooks ----

    @Test func codeAndFilesAreOneOrderedList() throws {
        let bench = Workbench()
        bench.migrations["1_a.sql"] = "CREATE TABLE a (x); INSERT INTO a VALUES (20), (22);"
        bench.migrations["3_c.sql"] = "CREATE TABLE c AS SELECT total FROM b;"
        let repository = repository(bench)
        let code = Migration(
            version: 2, name: "b",
            up: { (database) throws(SQLiteError) in
                var total: Int64 = 0
                let rows = try database.prepare("SELECT x FROM a")
                while try rows.step() { total += rows.integer(0) ?? 0 }
                try database.execute("CREATE TABLE b (total)")
                let insert = try database.prepare("INSERT INTO b VALUES (?)")
                try insert.bind(total, at: 1)
                try insert.run()
            }, down: { (database) throws(SQLiteError) in try database.execute("DROP TABLE b") })
        let load = { (repository: Repository) throws(MigrationError) -> MigrationSet in
            try MigrationSet(MigrationSet(directory: repository.migrations).migrations + [code], directory: repository.migrations)
        }
        var boot = RepositoryBoot(repository, reporter: .silent, load: load)
        #expect(boot.run().outcome == .migrated)
        #expect(bench.integer("SELECT total FROM c") == 42)
        var again = RepositoryBoot(repository, reporter: .silent, load: load)
        #expect(again.run().outcome == .current)
        var back = RepositoryBoot(repository, reporter: .silent, load: load)
        let report = back.rollBack(to: .version(1))
        #expect(report.reason?.contains("3_c has no down") == true, "\(report)")
    }

    @Test func codeThatThrowsOrCommitsFailsItsStep() throws {
        for (body, words) in [("INSERT INTO nowhere VALUES (1)", "2_code: no such table: nowhere"), ("COMMIT", "2_code: COMMIT in a migration")] {
            let bench = Workbench.logger()
            bench.boot()
            var boot = RepositoryBoot(
                repository(bench), reporter: .silent,
                load: { (repository) throws(MigrationError) in
                    try MigrationSet(
                        MigrationSet(directory: repository.migrations).migrations + [
                            Migration(version: 2, name: "code") { (database) throws(SQLiteError) in
                                try database.execute("CREATE TABLE half (x)")
                                try database.execute(body)
                            }
                        ], directory: "code")
                })
            let report = boot.run()
            #expect(report.outcome == .restored)
            #expect(report.reason?.contains(words) == true, "\(report)")
            #expect(bench.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
        }
    }

    @Test func aFunctionThatASetNeedsComesFromTheConfiguringClosure() {
        let bench = Workbench.logger()
        bench.migrations["2_f.sql"] = "CREATE TABLE f (x); CREATE INDEX f_x ON f (twice(x)); INSERT INTO f VALUES (21);"
        bench.migrations["3_c.sql"] = "CREATE TABLE c (x COLLATE backwards); INSERT INTO c VALUES ('a'), ('b'); CREATE INDEX c_x ON c (x);"
        let without = bench.boot()
        #expect(without.outcome == .failed)
        #expect(without.reason?.contains("2_f.sql:1: no such function: twice") == true, "\(without)")
        let configure: Repository.Configure = { (database) throws(SQLiteError) in
            sqlite3_create_function_v2(
                database.connection, "twice", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nil,
                { context, _, values in sqlite3_result_int64(context, 2 * sqlite3_value_int64(values![0])) }, nil, nil, nil)
            sqlite3_create_collation_v2(
                database.connection, "backwards", SQLITE_UTF8, nil,
                { _, n, a, m, b in -memcmp(a!, b!, Int(min(n, m))) }, nil)
        }
        let with = bench.boot { $0.configure = configure }
        #expect(with.outcome == .migrated, "\(with)")
        // Looked at without them, after an unclean shutdown: no reason to restore anything.
        #expect(bench.boot(unclean: true).outcome == .current)
        bench.migrations["4_d.sql"] = "CREATE TABLE d (x);"
        let blind = bench.boot()
        #expect(blind.outcome == .migrated, "\(blind)")
        #expect(bench.logged.contains { $0.contains("cannot be checked") }, "\(bench.logged)")
    }

    @Test func hooksSeeEveryStepAndCanCancel() {
        final class Seen: @unchecked Sendable { var lines: [String] = [] }
        let bench = Workbench.logger()
        bench.boot()
        bench.addReadings(1000)
        bench.migrations["2_a.sql"] = "CREATE TABLE a (x);"
        bench.migrations["3_b.sql"] =
            "INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n;"
        let seen = Seen()
        var hooks = Hooks()
        hooks.beforeRun = { seen.lines.append("run \($0.joined(separator: " "))") }
        hooks.beforeStep = { (progress, database) throws(SQLiteError) in
            seen.lines.append("before \(progress.step)/\(progress.count) \(try database.integer("SELECT max(version) FROM schema_migrations")!)")
        }
        hooks.afterStep = { (progress, database) throws(SQLiteError) in
            seen.lines.append("after \(progress.title) \(try database.integer("SELECT max(version) FROM schema_migrations")!)")
        }
        hooks.afterRun = { seen.lines.append("end \($0?.text ?? "well")") }
        // Movement inside the one long statement, and then no more patience with it.
        hooks.progress = { $0.step != 2 || $0.instructions < 100_000 }
        let cancelled = bench.boot { $0.hooks = hooks }
        #expect(cancelled.outcome == .restored)
        #expect(
            seen.lines == [
                "run 2_a 3_b", "before 1/2 1", "after 2_a 2", "before 2/2 2",
                "end \(bench.root)/set/3_b.sql:1: interrupted",
            ])
        seen.lines = []
        hooks.progress = { _ in true }
        let report = bench.boot { $0.hooks = hooks }
        #expect(report.outcome == .migrated, "\(report)")
        #expect(seen.lines.last == "end well")
        #expect(bench.integer("SELECT count(*) FROM a") == 200_000)
    }

    @Test func anExtensionMustBeRootsOwn() throws {
        let bench = Workbench.logger()
        let library = bench.root + "/twice.so"
        try "not a library".write(toFile: library, atomically: false, encoding: .utf8)
        #expect(chmod(library, 0o666) == 0)
        let report = bench.boot { $0.extensions = [library] }
        #expect(report.outcome == .failed)
        #expect(report.reason?.contains("somebody but root could have changed \(library); it is not loaded") == true, "\(report)")
        #expect(chmod(library, 0o644) == 0)
        #expect(bench.boot { $0.extensions = [library] }.reason?.contains("load extension \(library) for") == true)
        #expect(bench.boot { $0.extensions = ["/nowhere.so"] }.reason?.contains("ENOENT") == true)
        #expect(bench.boot().outcome == .migrated)
    }

    @Test func anExtensionsFunctionsAreThereForTheSteps() throws {
        let bench = Workbench.logger()
        let source = bench.root + "/twice.c"
        let library = bench.root + "/twice.so"
        try """
            #include <sqlite3ext.h>
            SQLITE_EXTENSION_INIT1
            static void twice(sqlite3_context *c, int n, sqlite3_value **v) { sqlite3_result_int64(c, 2 * sqlite3_value_int64(v[0])); }
            int sqlite3_twice_init(sqlite3 *db, char **error, const sqlite3_api_routines *api) {
                SQLITE_EXTENSION_INIT2(api);
                return sqlite3_create_function(db, "twice", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, 0, twice, 0, 0);
            }
            """.write(toFile: source, atomically: false, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["clang", "-shared", "-fPIC", "-o", library, source]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0, "clang is part of the Swift toolchain")
        bench.migrations["2_f.sql"] = "CREATE TABLE f (x); CREATE INDEX f_x ON f (twice(x)); INSERT INTO f SELECT twice(21);"
        let report = bench.boot { $0.extensions = [library] }
        #expect(report.outcome == .migrated, "\(report)")
        #expect(bench.integer("SELECT x FROM f") == 42)
        // SQL itself still cannot load any.
        bench.migrations["3_l.sql"] = "SELECT load_extension('\(library)');"
        #expect(bench.boot { $0.extensions = [library] }.reason?.contains("not authorized") == true)
    }
}
