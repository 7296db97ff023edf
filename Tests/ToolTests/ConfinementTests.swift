import CLinux
import Foundation
import Testing

/// What a repository's worker can do to the rest of the machine: tried from inside, by an extension that a migration loads.
@Suite(
    .enabled(if: Tool.directory != nil, "build/x86_64 is not there: scripts/build-firmware x86_64 makes it"),
    .enabled(if: linux_landlock_version() >= 2, "NOT TESTED: this machine's kernel has no Landlock with REFER (Linux 5.19)"),
    .enabled(if: geteuid() == 0, "an extension must be root's"))
struct ConfinementTests {
    /// Tries it all when it is loaded and notes how each attempt ended, by errno, in `report` beside the database.
    private static let prober = #"""
        #define _GNU_SOURCE 1
        #include <arpa/inet.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <sqlite3ext.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/resource.h>
        #include <sys/stat.h>
        #include <unistd.h>
        SQLITE_EXTENSION_INIT1

        static FILE *report;
        // Not strerrorname_np, so that a firmware with musl can load this as well.
        static const char *code(void) {
            return errno == EACCES ? "EACCES" : errno == EXDEV ? "EXDEV" : errno == ECONNREFUSED ? "ECONNREFUSED" : strerror(errno);
        }
        static void note(const char *name, int result) { fprintf(report, "%s %s\n", name, result < 0 ? code() : "done"); }
        static int tcp(int (*call)(int, const struct sockaddr *, socklen_t)) {
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
            return call(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
        }
        static int limit(int resource) {
            struct rlimit limit;
            getrlimit(resource, &limit);
            return (int)limit.rlim_max;
        }

        int sqlite3_prober_init(sqlite3 *db, char **error, const sqlite3_api_routines *api) {
            SQLITE_EXTENSION_INIT2(api);
            report = fopen(OWN "/report", "w");
            if (!report) return SQLITE_ERROR;
            mkdir(OWN "/from", 0700);
            mkdir(OWN "/to", 0700);
            close(open(OWN "/from/file", O_WRONLY | O_CREAT, 0600));
            note("rename between own directories", rename(OWN "/from/file", OWN "/to/file"));
            note("truncate own", truncate(OWN "/to/file", 0));
            note("rename to outside", rename(OWN "/to/file", OTHERS "/stolen"));
            note("make outside", open(OTHERS "/new", O_WRONLY | O_CREAT, 0600));
            note("write outside", open(OTHERS "/file", O_WRONLY));
            note("truncate outside", truncate(OTHERS "/file", 0));
            note("remove outside", unlink(OTHERS "/file"));
            note("make a directory outside", mkdir(OTHERS "/directory", 0700));
            note("link from outside", link(OTHERS "/file", OWN "/from/link"));
            note("read outside", open(OTHERS "/file", O_RDONLY));
            note("bind", tcp(bind));
            note("connect", tcp(connect));
            fprintf(report, "core %d\nfiles %d\n", limit(RLIMIT_CORE), limit(RLIMIT_NOFILE));
            fclose(report);
            return SQLITE_OK;
        }
        """#

    @Test(.enabled(if: !Tool.isStatic, "a static firmware loads no extension"))
    func aRepositorysWorkerWritesOnlyBelowItsDatabasesDirectory() throws {
        let appliance = try Appliance()
        let (own, others) = (appliance.root + "/data/app", appliance.root + "/others")
        try FileManager.default.createDirectory(atPath: others, withIntermediateDirectories: false)
        try "theirs".write(toFile: others + "/file", atomically: false, encoding: .utf8)
        let library = appliance.root + "/prober.so"
        try Self.prober.write(toFile: appliance.root + "/prober.c", atomically: false, encoding: .utf8)
        let compiler = try Tool.run(
            "/usr/bin/env",
            ["clang", "-shared", "-fPIC", "-DOWN=\"\(own)\"", "-DOTHERS=\"\(others)\"", "-o", library, appliance.root + "/prober.c"])
        try #require(compiler.code == 0, "clang is part of the Swift toolchain: \(compiler.errors)")
        let configuration = try String(contentsOfFile: appliance.configuration, encoding: .utf8)
        try configuration.replacing("[status]", with: "extensions = \(library)\n[status]")
            .write(toFile: appliance.configuration, atomically: true, encoding: .utf8)

        let log = try appliance.boot()
        #expect(log.contains("ready: migrated"), "\(log)")
        #expect(!log.contains("confined"), "\(log)")
        var seen: [String: String] = [:]
        for line in try String(contentsOfFile: own + "/report", encoding: .utf8).split(separator: "\n") {
            let space = try #require(line.lastIndex(of: " "))
            seen[String(line[..<space])] = String(line[line.index(after: space)...])
        }
        let version = linux_landlock_version()
        #expect(seen == [
            "rename between own directories": "done", "truncate own": "done", "rename to outside": "EACCES", "make outside": "EACCES",
            "write outside": "EACCES", "truncate outside": version >= 3 ? "EACCES" : "done", "remove outside": "EACCES",
            "make a directory outside": "EACCES", "link from outside": "EXDEV", "read outside": "done",
            "bind": version >= 4 ? "EACCES" : "done", "connect": version >= 4 ? "EACCES" : "ECONNREFUSED", "core": "0", "files": "256",
        ])
        #expect(try FileManager.default.contentsOfDirectory(atPath: others) == ["file"])
    }

    /// The file's own directory is where it may write, not the one that the link is in.
    @Test func aLinkAsTheDatabasesPathGoesOnWorking() throws {
        let appliance = try Appliance()
        #expect(try appliance.boot().contains("ready: migrated"))
        let place = appliance.root + "/data/elsewhere"
        try FileManager.default.moveItem(atPath: appliance.root + "/data/app", toPath: place)
        try FileManager.default.createDirectory(atPath: appliance.root + "/data/app", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: appliance.database, withDestinationPath: place + "/app.db")
        let set = appliance.root + "/set"
        try FileManager.default.copyItem(atPath: Appliance.migrations, toPath: set)
        // Enough of a sort to spill into a temporary file, which has to be beside the database too.
        try """
            CREATE TABLE much AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
                SELECT i, hex(randomblob(40)) AS x FROM n;
            CREATE INDEX much_x ON much (x);
            """.write(toFile: set + "/20991231000000_much.sql", atomically: false, encoding: .utf8)
        let configuration = try String(contentsOfFile: appliance.configuration, encoding: .utf8)
        try configuration.replacing("\(FileManager.default.currentDirectoryPath)/\(Appliance.migrations)", with: set)
            .write(toFile: appliance.configuration, atomically: true, encoding: .utf8)
        let log = try appliance.boot()
        #expect(log.contains("ready: migrated"), "\(log)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: appliance.database) == place + "/app.db")
        #expect(try FileManager.default.contentsOfDirectory(atPath: appliance.root + "/data/app") == ["app.db"])
    }
}
