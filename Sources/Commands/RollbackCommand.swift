internal import AutoMigrator

/// `firstlightctl rollback`: undoes applied steps, the newest by default.
struct RollbackCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        try Order.run(options) { boot, _ in boot.rollBack(to: options.goal ?? .steps(1)) }
    }
}
