internal import CLinux
import Linux

/// /proc/self/mountinfo.
struct MountTable {
    struct Entry: Equatable {
        /// `major:minor`
        let device: String
        let mountPoint: String
        let options: String
        let filesystem: String
        let source: String
        /// The filesystem's own, which it shares with every other place where it is mounted.
        var superOptions = ""

        /// The RAM that `mountVolatile` mounted.
        var isVolatile: Bool { filesystem == "tmpfs" && source == volatileSource }
        /// As far as the kernel tells: after an error ext4 may still call itself writable (RULES.md F6).
        var isReadOnly: Bool {
            Text.split(options, 0x2C).contains("ro") || Text.split(superOptions, 0x2C).contains { $0 == "ro" || $0 == "emergency_ro" || $0 == "shutdown" }
        }
    }

    /// What our tmpfs calls its source, to be known by when the supervisor was restarted.
    static let volatileSource = "firstlight-volatile"

    let entries: [Entry]

    static func read() throws(LinuxError) -> MountTable {
        MountTable(text: try FileSystem.readText("/proc/self/mountinfo", limit: 1 << 20))
    }

    /// Lines as proc_pid_mountinfo(5) has them: `36 35 98:0 /root /point options [tags…] - type source superoptions`.
    init(text: String) {
        var entries: [Entry] = []
        for line in Text.lines(text) {
            let words = Text.words(line)
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 2 else { continue }
            entries.append(
                Entry(
                    device: words[2], mountPoint: MountTable.unescape(words[4]), options: words[5],
                    filesystem: words[dash + 1], source: MountTable.unescape(words[dash + 2]),
                    superOptions: words.count > dash + 3 ? words[dash + 3] : ""))
        }
        self.entries = entries
    }

    /// What is mounted there; of several on top of each other, the one that is seen.
    func top(at mountPoint: String) -> Entry? { entries.last { $0.mountPoint == mountPoint } }

    /// Where a device is mounted.
    func mount(of device: UInt64) -> Entry? {
        let name = MountTable.name(of: device)
        return entries.first { $0.device == name }
    }

    static func name(of device: UInt64) -> String { "\(linux_device_major(device)):\(linux_device_minor(device))" }

    /// The path as mountinfo spells it: no symbolic link, no slash at the end.
    static func resolve(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// `\040` is a blank.
    private static func unescape(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < bytes.count {
            let digits = bytes[(i + 1)...].prefix(3)
            if bytes[i] == 0x5C, digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
                let value = digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
                out.append(UInt8(truncatingIfNeeded: value))
                i += 4
            } else {
                out.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
