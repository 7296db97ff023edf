internal import Linux
internal import SQLite

/// Judges a set of migrations for a build server, on copies only.
///
///     the files: names, versions, markers
///     a fresh database, and a copy of the repository's own where there is one:
///         all steps forward, as a device runs them ► foreign keys and integrity
///         each step up, down and up again          ► the schema from before it, and the one from after it
///     that database's history: changed since applied, out of order, not in the set
///
/// The repository's database and its directory are only read.
public struct SetCheck {
    /// Something that a person should look at.
    public struct Finding: Sendable, Equatable {
        /// Else it is a warning.
        public let isError: Bool
        public let file: String
        public let line: Int64?
        public let reason: String

        /// `migrations/7_totals.sql:3: no such table: reading`
        public var text: String {
            "\(line.map { "\(file):\($0)" } ?? file): \(isError ? "" : "warning: ")\(reason)"
        }
    }

    private let repository: Repository
    private let requireDowns: Bool
    private let load: RepositoryBoot.Load
    /// Where the database of a trial is.
    private var trial = ""
    /// Behind the reason of a finding that the fresh database did not have.
    private var place = ""
    private var findings: [Finding] = []
    /// How many steps the set has, after `run`.
    public private(set) var steps = 0

    /// - Parameters:
    ///   - repository: its `migrations`, `verify`, `strictOrder`, `adopt`, `extensions` and `configure` count; its `path` where a database is there.
    ///   - requireDowns: a step without a down is an error, not a warning.
    public init(
        _ repository: Repository, requireDowns: Bool = false, load: @escaping RepositoryBoot.Load = RepositoryBoot.load
    ) {
        self.repository = repository
        self.requireDowns = requireDowns
        self.load = load
    }

    /// Runs it, in a directory of its own below `directory` that is gone again on return.
    /// - Throws: what kept the set from being judged: no room, an I/O error.
    public mutating func run(below directory: String) throws(MigrationError) -> [Finding] {
        let set: MigrationSet
        do throws(MigrationError) {
            set = try load(repository)
        } catch {
            try add(error)
            return findings
        }
        steps = set.migrations.count
        for step in set.migrations where step.down == nil {
            add(step.file, nil, "no down: an older image cannot undo it", isError: requireDowns)
        }
        let scratch = try system { () throws(LinuxError) in try ScratchDirectory(below: directory) }
        trial = "\(scratch.path)/trial.db"
        try judge(set.migrations, on: nil, History())
        try judgeDatabase(set, in: scratch.path)
        _ = consume scratch
        return findings
    }

    // ---- The repository's own database ----

    private mutating func judgeDatabase(_ set: MigrationSet, in scratch: String) throws(MigrationError) {
        let path = repository.path
        let found = try system { () throws(LinuxError) in try Inspection(path) }
        switch found.file {
        case .missing, .empty: return
        case .short, .foreign: return add(path, nil, "it is not a SQLite database; only a fresh one was tried")
        case .database: break
        }
        let copy = "\(scratch)/copy.db"
        try take(copy)
        let history: History
        do throws(MigrationError) {
            // Once read and write: what lies beside the copy goes into it, and the file alone is the database from then on.
            let database = try sqlite { () throws(SQLiteError) in
                let database = try Database(copy, .readWrite)
                if try database.text("PRAGMA journal_mode") == "wal" { try Upgrade.checkpoint(database) }
                return database
            }
            history = try History.read(database, adopt: repository.adopt, set: set)
        } catch {
            return try add(error, in: path)
        }
        let plan = Plan(set, history)
        for step in plan.changed { add(step.file, nil, "changed after it was applied to \(path)") }
        for step in plan.outOfOrder {
            add(step.file, nil, "older than step \(plan.schema ?? 0), which \(path) has", isError: repository.strictOrder)
        }
        for step in plan.unknown {
            let title = Migration.title(step.version, step.name ?? "")
            add(set.directory, nil, "step \(title), which \(path) has, is not in it", isError: false)
        }
        // What a device would run on it is not these steps alone.
        if plan.unknown.contains(where: { !$0.compatible }) { return }
        place = " (on a copy of \(path))"
        try judge(plan.pending, on: copy, history)
    }

    /// Copies the database with what lies beside it, opening nothing by SQLite: that could change the original (RULES.md S24).
    private func take(_ copy: String) throws(MigrationError) {
        if (try? FileSystem.isOpenElsewhere(repository.path)) == true {
            // It is being written: only SQLite's locks give one state of it.
            return try sqlite { () throws(SQLiteError) in try Database(repository.path, .readWrite).backup(to: copy) }
        }
        try system { () throws(LinuxError) in
            for suffix in ["", "-wal", "-journal"] where FileSystem.exists(repository.path + suffix) {
                try FileSystem.copy(repository.path + suffix, to: copy + suffix)
            }
        }
    }

    // ---- Trials ----

    /// - Parameter original: what each trial begins with a copy of; nil for a fresh database.
    private mutating func judge(_ steps: [Migration], on original: String?, _ history: History) throws(MigrationError) {
        if steps.isEmpty { return }
        let sound = Array(steps.prefix(try runForward(steps, on: original, history)))
        var next = 0
        while next < sound.count { next = try tryDowns(sound, from: next, on: original, history) }
    }

    private func begin(on original: String?, _ history: History) throws(MigrationError) -> Database {
        try system { () throws(LinuxError) in
            for suffix in RepositoryState.suffixes { try FileSystem.remove(trial + suffix) }
            if let original { try FileSystem.copy(original, to: trial) }
        }
        let database = try repository.open(trial, .create)
        try sqlite { () throws(SQLiteError) in
            try database.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; BEGIN IMMEDIATE")
        }
        try History.prepare(database, taking: history)
        try sqlite { () throws(SQLiteError) in try database.execute("COMMIT") }
        return database
    }

    /// All steps up. How many ran.
    private mutating func runForward(
        _ steps: [Migration], on original: String?, _ history: History
    ) throws(MigrationError) -> Int {
        let database = try begin(on: original, history)
        let before = try sqlite { () throws(SQLiteError) in try Check(database, verify: repository.verify) }
        for (index, step) in steps.enumerated() {
            do throws(MigrationError) {
                try apply(Move(up: step), on: database)
            } catch {
                try add(error, in: step.file)
                return index
            }
        }
        let after = try sqlite { () throws(SQLiteError) in try Check(database, verify: repository.verify) }
        if let news = after.news(since: before) { add(repository.migrations, nil, "after all steps: \(news)") }
        for note in after.notes where !before.notes.contains(note) {
            add(repository.migrations, nil, "after all steps: \(note)", isError: false)
        }
        return steps.count
    }

    /// Each step that has a down: up, down and up again, from index `first` on. Where the next trial begins: what a bad down leaves is no
    /// ground for the steps after it.
    private mutating func tryDowns(
        _ steps: [Migration], from first: Int, on original: String?, _ history: History
    ) throws(MigrationError) -> Int {
        let database = try begin(on: original, history)
        for (index, step) in steps.enumerated() {
            let up = Move(up: step)
            var doing = ""
            do throws(MigrationError) {
                guard index >= first, let down = Move(down: step) else {
                    try apply(up, on: database)
                    continue
                }
                let before = try schema(database)
                try apply(up, on: database)
                let after = try schema(database)
                doing = "its down: "
                try apply(down, on: database)
                doing = "up again after its down: "
                if !compare(try schema(database), with: before, after: down, "before the step") { return index + 1 }
                try apply(up, on: database)
                if !compare(try schema(database), with: after, after: up, "the first time") { return index + 1 }
            } catch {
                try add(error, in: step.file, doing)
                return index + 1
            }
        }
        return steps.count
    }

    private func schema(_ database: borrowing Database) throws(MigrationError) -> [String: String] {
        try sqlite { () throws(SQLiteError) in try SchemaText.read(database) }
    }

    /// One move and its row in the history, committed; or nothing.
    private func apply(_ move: Move, on database: borrowing Database) throws(MigrationError) {
        let alone = !move.options.transaction
        do throws(MigrationError) {
            try sqlite { () throws(SQLiteError) in
                try database.execute("PRAGMA foreign_keys=\(move.options.foreignKeys ? "ON" : "OFF")")
                if !alone { try database.execute("BEGIN IMMEDIATE") }
            }
            try move.run(on: database)
            try sqlite { () throws(SQLiteError) in if alone { try database.execute("BEGIN IMMEDIATE") } }
            try History.record(move, in: database)
            try sqlite { () throws(SQLiteError) in try database.execute("COMMIT") }
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// Whether the schema is what it should be; a finding for each object that differs.
    private mutating func compare(
        _ schema: [String: String], with wanted: [String: String], after move: Move, _ time: String
    ) -> Bool {
        var line: Int64?
        if case .sql(let script) = move.action { line = max(script.firstLine - 1, 1) }
        let direction = move.direction == .up ? "up" : "down"
        var objects: [String] = []
        for (object, text) in schema where wanted[object] != text { objects.append(object) }
        for (object, _) in wanted where schema[object] == nil { objects.append(object) }
        Text.sort(&objects) { Text.precedes($0, $1) }
        for object in objects {
            let what =
                if wanted[object] == nil {
                    "leaves \(object), which was not there \(time)"
                } else if schema[object] == nil {
                    "does not leave \(object), which was there \(time)"
                } else {
                    "leaves \(object) other than it was \(time)"
                }
            add(move.file, line, "its \(direction) \(what)")
        }
        return objects.isEmpty
    }

    // ---- Findings ----

    private mutating func add(_ file: String, _ line: Int64?, _ reason: String, isError: Bool = true) {
        // A database with rows need not say again what the fresh one said.
        if findings.contains(Finding(isError: isError, file: file, line: line, reason: reason)) { return }
        findings.append(Finding(isError: isError, file: file, line: line, reason: reason + place))
    }

    /// - Throws: the error itself, where it speaks of the machine.
    private mutating func add(
        _ error: MigrationError, in file: String = "", _ doing: String = ""
    ) throws(MigrationError) {
        if error.isMachine { throw error }
        switch error {
        case .file(let path, let line, let reason): add(path, line, reason)
        case .noMigrations(let directory, let reason): add(directory, nil, "no migrations: \(reason)")
        case .step(_, let file, let line, let error): add(file, line, doing + error.message)
        case .refused(_, let file, let line, let reason): add(file, line, doing + reason)
        case .history(_, let reason): add(file, nil, reason)
        case .database(let error): add(file, nil, doing + error.message)
        default: add(file, nil, error.text)
        }
    }
}
