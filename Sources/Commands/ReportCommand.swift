internal import BootSequence
internal import Linux

/// `firstlightctl report`: all that support wants to see of a device, in one plain-text file. It needs no daemon, and changes nothing.
struct ReportCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let path = options.output
        do throws(LinuxError) {
            // Only its owner's: the configuration may hold what is not for everybody. And over no link that somebody has put into /tmp.
            let output = try path.map { (path) throws(LinuxError) in
                try FileDescriptor.open(path, .create, permissions: 0o600, followLinks: false)
            } ?? FileDescriptor(owning: 1, name: "standard output")
            var report = SupportReport(options, to: output)
            try report.write()
        } catch {
            throw .failed("\(error.text); the report is not whole")
        }
        if let path { standardOutput(options.json ? JSON.object([("path", .string(path))]).text + "\n" : "\(path)\n") }
        return ExitCode.wanted
    }
}
