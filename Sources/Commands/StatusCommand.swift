internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl status`: how the boot went, or how far it is.
struct StatusCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let (text, status) = try StatusFile(options).read()
        standardOutput(options.json ? text : StatusPage.text(status, .look(status)))
        // Behind all that does not wait for the partition.
        if !options.json { standardOutput(StatusPage.boots(status)) }
        return StatusCommand.code(status)
    }

    /// The worst repository decides; a boot that is not over yet is `none`.
    static func code(_ status: JSON) -> Int32 {
        guard let outcome = status["outcome"]?.stringValue.flatMap({ Outcome(text: $0) }) else { return ExitCode.none }
        var schemaIsWanted = true
        var lost = false
        for report in status["repositories"]?.elements ?? [] {
            if report["schema"]?.numberValue != report["wanted"]?.numberValue { schemaIsWanted = false }
            if report["lost"] != nil { lost = true }
        }
        return ExitCode.of(outcome, schemaIsWanted: schemaIsWanted, lost: lost)
    }
}
