internal import AutoMigrator

/// `firstlightctl migrate`: what the daemon does at boot, for one database, on any Linux. A plan that rests after a failure is tried again:
/// a person asks.
struct MigrateCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        try Order.run(options) { boot, _ in boot.run(to: options.goal ?? .end, retryHeld: true) }
    }
}
