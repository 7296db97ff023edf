internal import Linux

/// Names, sizes, times and owners of what is in a directory: no file is opened.
struct FileListing {
    private(set) var text = ""
    private var left: Int

    /// - Parameter most: entries in all.
    init(most: Int) { left = most }

    /// - Parameter depth: how many directories down.
    mutating func add(_ directory: String, depth: Int) {
        text += "\(directory):\n"
        var names: [String]
        do throws(LinuxError) {
            // One more than are told, to say that there are more; an application may have made very many.
            names = try FileSystem.names(directory, atMost: left + 1)
        } catch {
            return text += "  not to be had: \(error.text)\n"
        }
        Text.sort(&names) { Text.precedes($0, $1) }
        var below: [String] = []
        for name in names {
            if left == 0 {
                text += "  and more, which are left out\n"
                break
            }
            left -= 1
            let path = "\(directory)/\(name)"
            guard let status = try? FileSystem.status(path) else {
                text += "  \(name): cannot be looked at\n"
                continue
            }
            // Down no link: it is the application's directory.
            if status.kind == .directory, depth > 0 { below.append(path) }
            text += "  \(FileListing.mode(status)) \(status.user):\(status.group) \(FileListing.padded(status.size)) \(Clock.text(status.modified)) \(name)\n"
        }
        for path in below { add(path, depth: depth - 1) }
    }

    /// `d0750`
    private static func mode(_ status: FileStatus) -> String {
        let kind =
            switch status.kind {
            case .file: "-"
            case .directory: "d"
            case .symbolicLink: "l"
            case .blockDevice: "b"
            case .other: "?"
            }
        let bits = status.permissions
        return "\(kind)\(bits >> 9 & 7)\(bits >> 6 & 7)\(bits >> 3 & 7)\(bits & 7)"
    }

    private static func padded(_ size: Int64) -> String {
        let digits = "\(size)"
        return String(repeating: " ", count: max(12 - digits.utf8.count, 0)) + digits
    }
}
