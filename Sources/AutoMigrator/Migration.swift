internal import Linux
public import SQLite

/// One step of a schema's history: what its file says, or what the program does.
public struct Migration: Sendable {
    /// SQL text and where in the file it begins, so that an error can name a line.
    public struct Script: Sendable {
        /// One or more statements.
        public let sql: String
        /// The file's line that the text begins on, counted from 1.
        public let firstLine: Int64
        /// The file, where it is not the migration's: a down may have one of its own.
        public let file: String?

        /// - Parameters:
        ///   - firstLine: the line of the file that `sql` begins on.
        ///   - file: nil for the migration's own.
        public init(sql: String, firstLine: Int64 = 1, file: String? = nil) {
            self.sql = sql
            self.firstLine = firstLine
            self.file = file
        }
    }

    /// A function of the program, given the open database inside the run's transaction. It must not end that transaction, nor keep the
    /// database. What it throws fails the step and undoes the run.
    public typealias Code = @Sendable (_ database: borrowing Database) throws(SQLiteError) -> Void

    /// What a step does.
    public enum Action: Sendable {
        case sql(Script)
        case code(Code)
    }

    /// What may stand behind the marker `-- migrate:up`.
    public struct Options: Sendable, Equatable {
        /// `transaction:false`: the step runs alone and outside a transaction, under a snapshot that a cut or a failure
        /// brings back.
        public var transaction = true
        /// `foreign-keys:on`: the step relies on cascades (RULES.md S28); otherwise they are off while it runs (S9).
        public var foreignKeys = false
        /// `compatible:true`: every image that lacks this step may go on using the database.
        public var compatible = false

        /// The defaults: in the transaction of all pending steps, foreign keys off, not compatible.
        public init() {}
    }

    /// The number in front of the file's name; the order of steps.
    public let version: Int64
    /// What follows the version: `add_sensors`.
    public let name: String
    /// The file it came from; for a step in code its title.
    public let file: String
    /// What the step does.
    public let up: Action
    /// Undoes `up`. Only SQL travels in the database; code can undo only where the program has it.
    public let down: Action?
    /// Of the up; `compatible` is the step's.
    public let options: Options
    /// Of the down alone; `compatible` says nothing there.
    public let downOptions: Options

    /// A step out of a file.
    public init(
        version: Int64, name: String, file: String, up: Script, down: Script?, options: Options = Options(),
        downOptions: Options = Options()
    ) {
        self.version = version
        self.name = name
        self.file = file
        self.up = .sql(up)
        self.down = down.map { .sql($0) }
        self.options = options
        self.downOptions = downOptions
    }

    /// A step in code, for what SQL alone cannot do. It has its place among the files by its version.
    ///
    /// Whether it was changed after it was applied cannot be seen, and a plan that failed with such a step in it is never held: the next boot
    /// tries again.
    public init(
        version: Int64, name: String, options: Options = Options(), up: @escaping Code, down: Code? = nil
    ) {
        self.version = version
        self.name = name
        file = Migration.title(version, name)
        self.up = .code(up)
        self.down = down.map { .code($0) }
        self.options = options
        downOptions = options
    }

    /// XXH64 of the up SQL, line ends and byte-order mark left out: what tells a file that was changed after it was applied. Nil for code.
    public var checksum: String? {
        guard case .sql(let script) = up else { return nil }
        return Text.hex(XXH64.digest(of: script.sql))
    }

    /// `20240301120000_add_sensors`
    public var title: String { Migration.title(version, name) }

    static func title(_ version: Int64, _ name: String) -> String { name.utf8.isEmpty ? "\(version)" : "\(version)_\(name)" }
}
