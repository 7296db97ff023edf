import AutoMigrator
import Foundation
import Linux
import Testing

/// Sets as other tools' users have them.
@Suite struct MigrationSetTests {
    private static func load(_ files: [String: String]) throws(MigrationError) -> MigrationSet {
        let root = FileManager.default.temporaryDirectory.path + "/firstlight-set-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try! FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for (name, text) in files {
            let path = root + "/" + name
            try! FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try! Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        return try MigrationSet(directory: root)
    }

    private static func sql(_ action: Migration.Action?) -> String? {
        guard case .sql(let script)? = action else { return nil }
        return script.sql
    }

    /// Versions, names, ups and downs, in words.
    private static func words(_ set: MigrationSet) -> [String] {
        set.migrations.map {
            let alone = $0.options.transaction ? "" : " alone"
            return "\($0.version) \($0.name): \(sql($0.up)!) / \(sql($0.down) ?? "none")\(alone)"
        }
    }

    static let sets: [(tool: String, files: [String: String], words: [String])] = [
        (
            "dbmate",
            [
                "2_b.sql": "-- migrate:up transaction:false\nVACUUM;\n", "1_a.sql": "-- migrate:up\nA;\n\n-- migrate:down\nB;\n\n",
                "schema.sql": "dump", "README.md": "notes", ".hidden.sql": "x", "10_c.sql": "C;",
            ], ["1 a: A; / B;", "2 b: VACUUM; / none alone", "10 c: C; / none"]
        ),
        (
            "golang-migrate",
            ["000001_a.up.sql": "A;\n", "000001_a.down.sql": "B;\n", "000002_b.up.sql": "C;"],
            ["1 a: A; / B;", "2 b: C; / none"]
        ),
        (
            "goose",
            [
                "00001_a.sql": "-- +goose Up\n-- +goose StatementBegin\nA;\n-- +goose StatementEnd\n\n-- +goose Down\nB;\n",
                "20240101000000_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n-- +goose Down\nB;",
            ],
            [
                "1 a: -- +goose StatementBegin\nA;\n-- +goose StatementEnd / B;", "20240101000000 b: VACUUM; / B; alone",
            ]
        ),
        (
            "sql-migrate", ["1_a.sql": "-- +migrate Up notransaction\nA;\n-- +migrate Down\nB;"], ["1 a: A; / B; alone"]
        ),
        (
            "diesel",
            [
                "2019-01-01-000000_users/up.sql": "A;\n", "2019-01-01-000000_users/down.sql": "B;\n", "20200101000000_more/up.sql": "VACUUM;",
                "20200101000000_more/metadata.toml": "run_in_transaction = false\n", "notes/x.txt": "",
            ], ["20190101000000 users: A; / B;", "20200101000000 more: VACUUM; / none alone"]
        ),
        (
            "diesel with short dates",
            ["2024-03-06-170000_a/up.sql": "A;", "2024-03-13_170000_b/up.sql": "B;", "2024-10-06-10000_d/up.sql": "D;", "2024-09-04-091351_c/up.sql": "C;"],
            ["20240306170000 a: A; / none", "20240313000000 170000_b: B; / none", "20240904091351 c: C; / none", "20241006100000 d: D; / none"]
        ),
        ("golang-migrate with a database's name", ["000001_init.up.db.sql": "A;", "000001_init.down.db.sql": "B;"], ["1 init: A; / B;"]),
        (
            "Prisma with a day",
            ["20250221_b/migration.sql": "B;", "20240101000000_a/migration.sql": "A;", "20250301000000_c/migration.sql": "C;"],
            ["20240101000000 a: A; / none", "20250221000000 b: B; / none", "20250301000000 c: C; / none"]
        ),
        ("sql-migrate, down first", ["1_a.sql": "-- +migrate Down\nB;\n\n-- +migrate Up\nA;\n"], ["1 a: A; / B;"]),
        ("PhotoPrism", ["20220329-040000.sql": "A;", "20220329-050000.sql": "B;"], ["20220329040000 : A; / none", "20220329050000 : B; / none"]),
        ("rusqlite_migration", ["01-friend_car/up.sql": "A;", "01-friend_car/down.sql": "B;", "02-b/up.sql": "C;"], ["1 friend_car: A; / B;", "2 b: C; / none"]),
        ("Prisma", ["20210101000000_init/migration.sql": "A;", "migration_lock.toml": "x"], ["20210101000000 init: A; / none"]),
        ("drizzle", ["0000_first.sql": "A;\n--> statement-breakpoint\nB;", "meta/_journal.json": "{}"], ["0 first: A;\n--> statement-breakpoint\nB; / none"]),
        ("Flyway", ["V1__a.sql": "A;", "U1__a.sql": "B;", "V2__b_c.sql": "C;"], ["1 a: A; / B;", "2 b_c: C; / none"]),
        ("refinery", ["V1__a.sql": "A;", "U2__b.sql": "B;"], ["1 a: A; / none", "2 b: B; / none"]),
        ("sqlx", ["20200101_a.sql": "-- no-transaction\nVACUUM;"], ["20200101 a: -- no-transaction\nVACUUM; / none alone"]),
        ("plain", ["0001.sql": "A;", "002-b.sql": "B;"], ["1 : A; / none", "2 b: B; / none"]),
    ]

    @Test(arguments: sets.indices)
    func readsTheSetsOf(index: Int) throws {
        let (tool, files, words) = Self.sets[index]
        #expect(Self.words(try Self.load(files)) == words, "\(tool)")
    }

    @Test(arguments: sets.indices)
    func windowsLineEndsAndAByteOrderMarkChangeNothing(index: Int) throws {
        let files = Self.sets[index].files
        let plain = try Self.load(files)
        let windows = try Self.load(files.mapValues { "\u{FEFF}" + $0.replacingOccurrences(of: "\n", with: "\r\n") })
        #expect(Self.words(windows) == Self.words(plain))
        #expect(windows.migrations.map { $0.checksum } == plain.migrations.map { $0.checksum })
    }

    @Test(arguments: [
        (["1_a.sql": "A;", "01_b.sql": "B;"], "version 1 is also that of"),
        (["1_a.sql": "A;", "V1__b.sql": "B;"], "version 1 is also that of"),
        (["1_a.up.sql": "A;", "1_a.down.sql": "B;", "1_b.down.sql": "C;"], "version 1 is also that of"),
        (["1_a.down.sql": "A;"], "there is no up for this down"),
        (["add_users.sql": "A;"], "the name is not VERSION_name.sql"),
        (["99999999999999999999_a.sql": "A;"], "below 2^63"),
        (["V1.1__a.sql": "A;"], "not one whole number"), (["V1_1__a.sql": "A;"], "not one whole number"),
        (["R__views.sql": "A;"], "repeatable"), (["B1__base.sql": "A;"], "baseline"),
        (["1_a.sql": "A;", "2_b.go": "package x"], "2_b.go: a step in another language"),
        (["1_x/notes.txt": "A;"], "neither up.sql nor migration.sql"),
        (["1_a.sql": "-- migrate:upp\nA;"], "1_a.sql:1: unknown marker \"migrate:upp\""),
        (["1_a.sql": "-- Migrate:Up\nA;"], "1_a.sql:1: unknown marker"),
        (["1_a.sql": "A;\n-- migrate:up\nB;"], "1_a.sql:2: SQL before the marker"),
        (["1_a.sql": "-- migrate:down\nA;"], "1_a.sql:1: the down part before the up part"),
        (["1_a.sql": "-- migrate:up\n-- migrate:up\nA;"], "1_a.sql:2: a second marker of the up part"),
        (["1_a.sql": "-- migrate:up transactoin:false\nA;"], "1_a.sql:1: unknown option \"transactoin:false\""),
        (["1_a.sql": "-- migrate:up\nA;\n-- +goose Down\nB;"], "1_a.sql:3: markers of two tools"),
        (["1_a.sql": "-- +goose Up\n-- +goose ENVSUB ON\nA;"], "1_a.sql:2: goose's ENVSUB"),
        (["1_a.sql": "-- +goose StatementBegin\nA;"], "it has markers, but none of the up part"),
        (["1_a.sql": "CREATE TABLE a (x);\n\n-- Down\nDROP TABLE a;"], "1_a.sql:3: \"--Down\" looks like the down part"),
        (["1_a.sql": "A;\n--rollback DROP TABLE a;"], "1_a.sql:2: "),
        (["1_a.sql": "A;\n\u{0}B;"], "1_a.sql:2: a NUL byte"),
    ])
    func whatCannotBeMeantIsAnErrorThatNamesFileAndLine(files: [String: String], words: String) throws {
        let error = #expect(throws: MigrationError.self) { try Self.load(files) }
        #expect(error?.text.contains(words) == true, "\(error?.text ?? "")")
        if case .file = error {} else { Issue.record("\(String(describing: error))") }
    }

    @Test func linksToFilesAreFollowed() throws {
        let root = FileManager.default.temporaryDirectory.path + "/firstlight-links-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/store", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/set", withIntermediateDirectories: true)
        try "A;".write(toFile: root + "/store/x", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: root + "/set/1_a.sql", withDestinationPath: root + "/store/x")
        #expect(try MigrationSet(directory: root + "/set").migrations.count == 1)
        try FileManager.default.createSymbolicLink(atPath: root + "/set/2_b.sql", withDestinationPath: root + "/store/gone")
        #expect(throws: MigrationError.self) { try MigrationSet(directory: root + "/set") }
    }
}
