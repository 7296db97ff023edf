public import SQLite

/// How far a run is.
public struct Progress: Sendable {
    /// The step that runs, counted from 1.
    public let step: Int
    /// How many there are.
    public let count: Int
    /// `20240301120000_add_sensors`
    public let title: String
    /// Instructions of SQLite's virtual machine since the step began, to some thousands: movement inside a long statement.
    public let instructions: Int64
}

/// Where a program may look in on a run of migrations. Every member is optional.
public struct Hooks: Sendable {
    /// Called on the connection that runs the step, inside its transaction; what it throws fails the step and undoes the run.
    public typealias Step = @Sendable (_ progress: Progress, _ database: borrowing Database) throws(SQLiteError) -> Void

    /// Before the first step, with the titles of all of them; the snapshot is on the disk by then.
    public var beforeRun: (@Sendable (_ steps: [String]) -> Void)?
    /// Before the step's own SQL or code.
    public var beforeStep: Step?
    /// After the step and its row in the history.
    public var afterStep: Step?
    /// After the commit, with nil; or after everything was undone, with the reason.
    public var afterRun: (@Sendable (_ failure: MigrationError?) -> Void)?
    /// As each step begins and every few milliseconds while its statements run. False cancels: the statement is interrupted and the run
    /// undone, as at a deadline.
    public var progress: (@Sendable (Progress) -> Bool)?

    /// None.
    public init() {}
}
