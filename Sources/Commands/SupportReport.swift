internal import AutoMigrator
internal import BootSequence
internal import DataPartition
internal import Linux

/// What `firstlightctl report` writes: sections, each `==== name ====` and text, each bounded, and each saying why where it cannot be had.
///
/// What touches the data partition comes last: one that hangs takes nothing with it but itself. Of the databases only names, sizes and times are told.
struct SupportReport: ~Copyable {
    /// Of each section, in bytes; of what is longer, the end is what counts.
    static let longest = 256 << 10
    /// Of each database's files.
    private static let mostEntries = 300

    private let options: Options
    private let configuration: Configuration
    private let output: FileDescriptor
    private var status: JSON?

    init(_ options: Options, to output: consuming FileDescriptor) {
        self.options = options
        self.output = output
        var reader = ConfigurationReader()
        reader.read(options.configuration)
        configuration = reader.configuration
    }

    /// - Throws: where it could not be written; what is there then is its beginning.
    mutating func write() throws(LinuxError) {
        try output.write(
            "Firstlight report, by firstlightctl \(firstlightVersion) at \(Clock.text(Clock.secondsSince1970)) UTC by the board's clock, "
                + "\(StatusPage.duration(Clock.sinceBootMilliseconds)) after power-on\n")
        try writeStatus()
        for path in configurationFiles { try file(path, path) }
        try section("kernel log: firstlight, filesystems, flash, errors", text { () throws(LinuxError) in try SupportReport.kernelLog() })
        try section("journal of firstlight.service", text { () throws(LinuxError) in try SupportReport.journal() })
        for (name, path) in [
            ("kernel", "/proc/version"), ("kernel command line", "/proc/cmdline"), ("system", "/etc/os-release"), ("memory", "/proc/meminfo"),
            ("mounts", "/proc/mounts"), ("partitions", "/proc/partitions"),
        ] { try file(name, path, lines: name == "memory" ? 8 : .max) }
        let settings = configuration.data
        let data = status?["data"]
        let mount = data?["mount"]?.stringValue ?? settings.mount
        let wear = FlashWear.read(data?["device"]?.stringValue, mount: mount)
        try section("flash", wear?.text ?? "the kernel tells nothing of its wear (an eMMC 5.0 or newer would)")
        // From here on the partition is read from.
        let history = text { () throws(LinuxError) in
            try HistoryFile(DataSettings(device: .none, mount: mount)).read(limit: BootHistory.longest) ?? "none: there is no \(mount)/\(HistoryFile.name)"
        }
        try section("history of boots that were not current", history)
        try section("room on \(mount)", text { () throws(LinuxError) in SupportReport.room(try FileSystem.space(mount)) })
        for database in configuration.databases {
            let directory = Text.directory(of: database.repository.path)
            var listing = FileListing(most: SupportReport.mostEntries)
            listing.add(directory, depth: 0)
            if FileSystem.exists(directory + "/.firstlight") { listing.add(directory + "/.firstlight", depth: 4) }
            try section("files of database \(database.repository.name): \(directory)", listing.text)
        }
        try output.write("\n==== end ====\n")
    }

    private mutating func writeStatus() throws(LinuxError) {
        let file = StatusFile(options)
        var problem = ""
        do throws(CommandError) { status = try file.read().status } catch { problem = error.text }
        if let status {
            try section("status", StatusPage.text(status, .look(status)))
            try self.file(file.path, file.path)
        } else {
            try section("status", "not to be had: \(problem)")
        }
    }

    private var configurationFiles: [String] {
        let folder = options.configuration + ".d"
        let names = ((try? FileSystem.list(folder)) ?? []).filter { Text.hasSuffix($0, ".conf") }
        return [options.configuration] + names.prefix(50).map { "\(folder)/\($0)" }
    }

    // ---- Sections ----

    private func section(_ name: String, _ text: String) throws(LinuxError) {
        // Plain text, whatever a file holds: nothing that moves a terminal's cursor.
        var bytes = Array("\n==== \(name) ====\n\(text)".utf8)
        for index in bytes.indices where bytes[index] < 0x20 && ![0x0A, 0x09, 0x0D].contains(bytes[index]) || bytes[index] == 0x7F { bytes[index] = 0x3F }
        if bytes.last != 0x0A { bytes.append(0x0A) }
        try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in try output.write(UnsafeRawBufferPointer(bytes)) }
    }

    /// What it gives, or why it does not.
    private func text(_ body: () throws(LinuxError) -> String) -> String {
        do throws(LinuxError) { return try body() } catch { return "not to be had: \(error.text)" }
    }

    private func file(_ name: String, _ path: String, lines: Int = .max) throws(LinuxError) {
        let whole = text { () throws(LinuxError) in String(decoding: try FileSystem.readEnd(path, longest: SupportReport.longest), as: UTF8.self) }
        if lines == .max { return try section(name, whole) }
        var first = ""
        for line in Text.lines(whole).prefix(lines) { first += line + "\n" }
        try section(name, first)
    }

    private static func kernelLog() throws(LinuxError) -> String {
        var text: [UInt8] = []
        try KernelMessages.read { message in
            guard message.level <= 3 || words.contains(where: { Text.contains(message.text, $0) }) else { return }
            let time = "\(message.microseconds / 1_000_000).\(Text.padded(message.microseconds % 1_000_000, 6))"
            text += Array("[\(time)] <\(message.level)> \(message.text)\n".utf8)
            if text.count > 2 * longest { text.removeFirst(text.count - longest) }
        }
        if text.count > longest { text.removeFirst(text.count - longest) }
        return text.isEmpty ? "nothing of that kind" : String(decoding: text, as: UTF8.self)
    }

    /// Of lines that are no errors.
    private static let words = ["firstlight", "EXT4-fs", "F2FS-fs", "JBD2", "mmc", "I/O error", "blk_", "nvme", "watchdog", "emount"]

    private static func journal() throws(LinuxError) -> String {
        if !FileSystem.exists("/run/systemd/system") { return "this device does not run systemd; the daemon logs to the kernel" }
        let program = FileSystem.exists("/usr/bin/journalctl") ? "/usr/bin/journalctl" : "/bin/journalctl"
        let result = try ChildProcess.output(
            of: program, ["-b", "-u", "firstlight", "--no-pager", "-o", "short-monotonic"], limit: 10_000, longest: longest)
        return String(decoding: result.text, as: UTF8.self) + (result.end == .exited(0) ? "" : "\n\(program): \(result.end.text)")
    }

    private static func room(_ space: FileSystem.Space) -> String {
        "\(space.total) bytes, \(space.available) available, in blocks of \(space.blockSize)\n"
            + "\(space.files) files possible, \(space.freeFiles) left\n" + (space.readOnly ? "read-only\n" : "")
    }
}
