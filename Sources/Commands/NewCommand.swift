internal import AutoMigrator
internal import BootSequence
internal import Linux

/// `firstlightctl new`: an empty migration with its markers, numbered after those that are there.
struct NewCommand {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() throws(CommandError) -> Int32 {
        let title = NewCommand.sanitized(options.names[0])
        if title.utf8.isEmpty { throw .usage("\"\(options.names[0])\": a TITLE has a letter or a digit, a to z, 0 to 9") }
        let directory = try directory()
        let names: [String]
        do throws(LinuxError) {
            names = try FileSystem.list(directory)
        } catch {
            throw .failed("\(error.text); make the directory first. Nothing was written")
        }
        // A set that does not load yet has its file names all the same.
        let newest = (try? MigrationSet(directory: directory))?.newest ?? 0
        guard let version = NewCommand.version(after: newest, names, clock: Clock.date) else {
            throw .failed("\(directory): there is no version behind its newest. Nothing was written")
        }
        let path = "\(directory)/\(version)_\(title).sql"
        do throws(LinuxError) {
            let file = try FileDescriptor.open(path, .createNew)
            try file.write("-- migrate:up\n\n-- migrate:down\n")
        } catch {
            throw .failed(error.text)
        }
        standardOutput(options.json ? JSON.object([("path", .string(path))]).text + "\n" : "\(path)\n")
        return ExitCode.wanted
    }

    private func directory() throws(CommandError) -> String {
        if let migrations = options.migrations { return migrations }
        let databases = try Target.all(options, Array(options.names.dropFirst()))
        guard let only = databases.first, databases.count == 1 else {
            throw .usage("for which one? \(databases.map { $0.repository.name }.joined(separator: ", ")): new TITLE NAME")
        }
        return only.repository.migrations
    }

    /// Lower-case letters and digits, `_` between words.
    static func sanitized(_ name: String) -> String {
        var words: [UInt8] = []
        for byte in Text.lowercase(name).utf8 {
            if byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39 {
                words.append(byte)
            } else if let last = words.last, last != 0x5F {
                words.append(0x5F)
            }
        }
        if words.last == 0x5F { words.removeLast() }
        return String(decoding: words, as: UTF8.self)
    }

    /// Where the newest is no date, the next number in its width. Else the date, or behind the newest when the clock is not: a
    /// build machine's may be wrong, and a colleague's in another zone.
    static func version(after newest: Int64, _ names: [String], clock: Int64) -> String? {
        var newest = newest
        var width = 0
        for name in names {
            // Flyway's begin with a V.
            let name = Text.dropPrefix(name, "V") ?? name
            let digits = String(decoding: name.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self)
            guard let version = Text.number(digits), version >= newest else { continue }
            newest = version
            width = digits.utf8.count
        }
        let isDate = newest >= 1_000_00_00_00_00
        if width == 0 && newest == 0 || isDate && clock > newest { return "\(clock)" }
        return newest == Int64.max ? nil : Text.padded(newest + 1, width)
    }
}
