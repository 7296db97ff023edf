internal import AutoMigrator

/// Why a command did nothing, or could not go on.
enum CommandError: Error {
    /// The command line makes no sense; exit 2.
    case usage(String)
    /// It could not be done; exit 1.
    case failed(String)

    var text: String {
        switch self {
        case .usage(let text), .failed(let text): text
        }
    }

    var code: Int32 {
        switch self {
        case .usage: ExitCode.usage
        case .failed: ExitCode.none
        }
    }
}

/// Runs the migrator's calls where CommandError is thrown.
/// - Parameter next: what follows from the error for the database, in half a sentence.
func migrator<T: ~Copyable>(
    _ next: String, _ body: () throws(MigrationError) -> T
) throws(CommandError) -> T {
    do throws(MigrationError) { return try body() } catch { throw .failed("\(error.text); \(next)") }
}
