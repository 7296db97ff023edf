#if Lab
import Foundation

/// Something an appliance goes through: a disk that is made ready, and one boot that the faults fall into.
struct Scenario: Sendable {
    let name: String
    /// The disk before the boot; nothing of it is mounted when it returns. The image it installs last is the one that boots.
    let prepare: @Sendable (Machine) throws -> Void
    /// The outcome of the boot when nothing goes wrong.
    let outcome: String
    /// What may be told about the database as it was before the boot, by a boot that could not do its work.
    var before: Set<String> = ["restored", "failed"]
    /// Its end is told: an outcome behind which rows are gone, or the schema is not the wanted one. A later boot must not turn it into
    /// `current` before anybody has heard of it.
    var isLoud = false
    /// Rows are gone by then, and have to be told of.
    var loses = false
    /// The database's files go to quarantine.
    var isReplaced = false
    /// What else happens before the boot: a factory reset.
    var order: (@Sendable (Machine) throws -> Void)?
    /// Nothing is left on the partition but our record: as little to work with as on a new device.
    var isEmptied = false
    /// A factory reset has been asked for: whatever is written before it is done goes with the rest.
    var takesAll = false
    /// What a reset has to leave alone, as paths below the mount point.
    var kept: [String] = []

    /// A device that has been in the field: image one, and rows of its own.
    static func fielded(_ machine: Machine, rows: Int = 300, mode: String = "DELETE", after: String = "") throws {
        machine.set = one
        try machine.install()
        let boot = try machine.boot()
        guard boot.outcome == "migrated" else { throw TortureError("a new device: \(boot.text)\n\(boot.log)") }
        try Application(path: machine.database).execute(
            """
            PRAGMA journal_mode=\(mode);
            INSERT INTO readings (name, value) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
            SELECT 'reading number ' || i, i * 0.5 FROM n;
            \(after)
            """)
    }

    static func install(_ machine: Machine, _ set: [String: String], keys: [String] = []) throws {
        machine.set = set
        machine.keys = keys
        try machine.install()
        machine.unmount()
    }

    // ---- What befell the disk ----

    /// The power goes while the application writes: what has reached the disk stays.
    static func cutApplication(_ machine: Machine, _ sql: String) throws {
        let fifo = machine.folder + "/fifo"
        unlink(fifo)
        mkfifo(fifo, 0o600)
        let shell = try Process.start(
            "/bin/sh", ["-c", "exec sqlite3 \"$0\" <\"$1\"", machine.database, fifo], output: machine.folder + "/sqlite.log",
            environment: ["PATH=/usr/bin:/bin"])
        let input = open(fifo, O_WRONLY | O_CLOEXEC)
        defer { close(input) }
        // A cache of one page: what is changed goes to the file before its time.
        let text = "PRAGMA cache_size=1; PRAGMA wal_autocheckpoint=0; BEGIN; \(sql);\n.print done\n"
        _ = text.withCString { write(input, $0, strlen($0)) }
        for _ in 0..<5000 {
            if (try? String(contentsOfFile: machine.folder + "/sqlite.log", encoding: .utf8))?.contains("done") == true { break }
            usleep(1000)
        }
        shell.killAll()
        self.shell("sync -f \(machine.mount)")
        let sidecars = ["-journal", "-wal"].map { (try? Data(contentsOf: URL(fileURLWithPath: machine.database + $0)).count) ?? 0 }
        guard sidecars.contains(where: { $0 > 512 }) else { throw TortureError("the application left nothing behind") }
    }

    /// The last page of a table's or an index's tree is overwritten; or a letter in it, which only a comparison with the table shows.
    static func damage(_ machine: Machine, tree: String, letter: Bool = false) throws {
        let path = machine.database
        let page = shell(
            "sqlite3 \(path) \"SELECT pageno FROM dbstat WHERE name = '\(tree)' AND pagetype = 'leaf' ORDER BY pageno DESC LIMIT 1\"")
        guard let page = Int(page) else { throw TortureError("no leaf of \(tree): \(page)") }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(letter ? page * 4096 - 8 : (page - 1) * 4096))
        try file.write(contentsOf: letter ? Data("~".utf8) : Data(repeating: 0, count: 4096))
        try file.close()
        if letter { return }
        try Data().write(to: URL(fileURLWithPath: machine.state + "/damaged"))
    }

    @discardableResult
    static func shell(_ command: String) -> String {
        guard let pipe = popen(command, "r") else { return "" }
        defer { pclose(pipe) }
        var text = ""
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, 4096, pipe) != nil {
            text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
#endif
