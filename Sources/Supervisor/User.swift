internal import Linux

/// A user of `/etc/passwd`. getpwnam would want NSS, which a static binary does not have and an appliance does not need.
struct User {
    let name: String
    let id: UInt32
    let group: UInt32

    static var root: User { User(name: "root", id: 0, group: 0) }

    static func find(_ name: String, in file: String = "/etc/passwd") -> User? {
        guard let text = try? FileSystem.readText(file, limit: 1 << 20) else { return nil }
        for line in Text.lines(text) {
            let fields = Text.split(line, 0x3A)
            guard fields.count >= 4, fields[0] == name, let id = Text.number(fields[2]), let group = Text.number(fields[3])
            else { continue }
            return User(name: name, id: UInt32(clamping: id), group: UInt32(clamping: group))
        }
        return nil
    }
}

/// A group of `/etc/group`, without NSS as well.
enum Group {
    static func find(_ name: String, in file: String = "/etc/group") -> UInt32? {
        guard let text = try? FileSystem.readText(file, limit: 1 << 20) else { return nil }
        for line in Text.lines(text) {
            let fields = Text.split(line, 0x3A)
            if fields.count >= 3, fields[0] == name, let id = Text.number(fields[2]) { return UInt32(clamping: id) }
        }
        return nil
    }
}
