internal import Linux

/// One step of a schema's history: what its file says.
public struct Migration: Sendable {
    /// SQL text and where in the file it begins, so that an error can name a line.
    public struct Script: Sendable {
        public let sql: String
        /// The file's line that the text begins on, counted from 1.
        public let firstLine: Int64

        public init(sql: String, firstLine: Int64 = 1) {
            self.sql = sql
            self.firstLine = firstLine
        }
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

        public init() {}
    }

    /// The number in front of the file's name; the order of steps.
    public let version: Int64
    /// What follows the version: `add_sensors`.
    public let name: String
    /// The file it came from.
    public let file: String
    public let up: Script
    public let down: Script?
    public let options: Options

    public init(
        version: Int64, name: String, file: String, up: Script, down: Script?, options: Options = Options()
    ) {
        self.version = version
        self.name = name
        self.file = file
        self.up = up
        self.down = down
        self.options = options
    }

    /// XXH64 of the up SQL, line ends and byte-order mark left out: what tells a file that was changed after it was applied.
    public var checksum: String { Text.hex(XXH64.digest(of: up.sql)) }

    /// `20240301120000_add_sensors`
    public var title: String { "\(version)_\(name)" }
}
