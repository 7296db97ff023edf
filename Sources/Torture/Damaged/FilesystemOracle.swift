#if Lab
import CLinux
import Foundation
import Linux

/// What of a damaged filesystem can still be reached with e2fsck and mount, by whoever has its image and nothing else: each way is tried
/// on a copy of its own. It knows nothing of the ladder that it is held against.
struct FilesystemOracle {
    /// One way, and what it reaches.
    struct Reach {
        let way: String
        /// What was committed to the filesystem's journal only is not there.
        var isWithoutJournal = false
        /// Files with the contents that were put there, in place or in lost+found.
        var files = 0
        /// The database with the most of its readings, in place or in lost+found.
        var database: Readings?
        /// The best of the snapshots whose bytes are what they were.
        var snapshot: Readings?
        /// The database is all there.
        var isWhole = false

        var isNothing: Bool { files == 0 && database == nil && snapshot == nil }

        var text: String {
            let database = database.map { "\($0.rows.count) rows\($0.isSound ? "" : " of a damaged file")" } ?? "no database"
            return "\(way): \(files) files, \(database), snapshot of \(snapshot?.rows.count ?? 0)"
        }
    }

    let template: FilesystemTemplate
    private let disk: FuseDisk
    private let loop: LoopDevice
    private let folder: String
    private let tool: Tool
    private var root: String { folder + "/look" }

    init(_ template: FilesystemTemplate, folder: String) throws {
        self.template = template
        self.folder = folder
        try FileSystem.makeDirectories(folder + "/look")
        disk = try FuseDisk(path: folder + "/disk", size: template.disk.count)
        loop = try LoopDevice(disk.path)
        tool = Tool(folder: folder)
    }

    func remove() {
        loop.close()
        disk.remove()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Tries one way after the other, up to one that reaches everything.
    func look(at image: [UInt8]) throws -> [Reach] {
        var reaches: [Reach] = []
        let size = template.layout.blockSize
        let check = "/usr/sbin/e2fsck"
        var ways: [(name: String, checks: [[String]], options: String)] = [
            ("e2fsck -p", [["-p"]], ""), ("e2fsck -y", [["-f", "-y"]], ""), ("e2fsck -p, -y", [["-p"], ["-f", "-y"]], ""),
            ("e2fsck -y twice", [["-f", "-y"], ["-f", "-y"]], ""),
        ]
        let backups = template.layout.backups.prefix(3)
        ways += backups.map { ("e2fsck -y -b \($0)", [["-f", "-y", "-b", "\($0)", "-B", "\(size)"]], "") }
        ways += [("mount -o ro", [], ""), ("mount -o ro,noload", [], ",noload")]
        ways += backups.map { ("mount -o ro,noload,sb=\($0)", [], ",noload,sb=\($0 * size / 1024)") }
        for way in ways {
            image.withUnsafeBytes { disk.bytes.copyMemory(from: $0) }
            loop.forget()
            var end = 0
            for words in way.checks { end = try tool.run(check, words + [loop.path]) }
            // Something is left, or it could not work: then the mount is another way's.
            if way.checks.count == 1, way.checks[0] == ["-p"], end >= 4 { continue }
            if end >= 8 { continue }
            let reach = try self.reach(way.name, way.options)
            reaches.append(reach)
            if reach.isWhole && reach.files == template.files.count { break }
        }
        return reaches
    }

    // ---- Looking ----

    private func reach(_ way: String, _ options: String) throws -> Reach {
        var reach = Reach(way: way, isWithoutJournal: options.contains("noload"))
        let flags = UInt(MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOATIME)
        // errors=continue: what a superblock says of panic is not to be believed.
        guard linux_mount(loop.path, root, "ext4", flags, "errors=continue" + options) == 0 else { return reach }
        defer {
            while linux_umount(root, 0) != 0 && errno == EBUSY { usleep(1000) }
            loop.forget()
        }
        var found = Found()
        walk(root, 0, &found)
        reach.files = found.files.count
        for path in found.databases {
            var readings = [Readings(copyOf: path, in: folder + "/copy")]
            // What a repair found without a name may be its sidecar.
            for sidecar in found.sidecars.prefix(3) where !FileSystem.exists(path + sidecar.suffix) {
                readings.append(Readings(copyOf: path, in: folder + "/copy", sidecar: sidecar))
            }
            for one in readings.compactMap({ $0 }) where one.count(of: template.readings) > reach.database?.count(of: template.readings) ?? -1 {
                reach.database = one
            }
        }
        for path in found.snapshots {
            let one = Readings(copyOf: path, in: folder + "/copy")
            if let one, one.rows.count > reach.snapshot?.rows.count ?? -1 { reach.snapshot = one }
        }
        reach.isWhole = reach.database.map { $0.isSound && $0.rows == template.readings.rows } ?? false
        return reach
    }

    private struct Found {
        var files: Set<UInt64> = []
        var databases: [String] = []
        var snapshots: [String] = []
        var sidecars: [(suffix: String, path: String)] = []
        /// Of a directory that is its own child there is no end.
        var left = 20_000
    }

    private func walk(_ directory: String, _ depth: Int, _ found: inout Found) {
        guard depth < 16, let names = try? FileSystem.list(directory) else { return }
        for name in names where found.left > 0 {
            found.left -= 1
            let path = "\(directory)/\(name)"
            guard let status = try? FileSystem.status(path) else { continue }
            switch status.kind {
            case .directory: walk(path, depth + 1, &found)
            case .file where status.size > 0 && status.size < 64 << 20: look(at: path, directory, &found)
            default: break
            }
        }
    }

    private func look(at path: String, _ directory: String, _ found: inout Found) {
        guard let file = try? FileDescriptor.open(path, .read), let head = try? file.bytes(at: 0, count: 16) else { return }
        let bytes = try? FileSystem.read(path, limit: 64 << 20)
        let sum = bytes.map { XXH64.digest(of: $0) }
        if let sum, template.files.contains(sum) { found.files.insert(sum) }
        if directory.hasSuffix("/lost+found") {
            if head.starts(with: [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]) { found.sidecars.append(("-journal", path)) }
            if head.starts(with: [0x37, 0x7F, 0x06]) { found.sidecars.append(("-wal", path)) }
        }
        guard head.starts(with: Array("SQLite format 3\0".utf8)) else { return }
        // One whose name is lost has lost its seal; it is a database like any other.
        if let sum, template.snapshots.contains(sum), path.hasSuffix(".db"), path.contains("/snapshots/") { found.snapshots.append(path) }
        // With everything new in the WAL the database is one of its snapshots, byte for byte.
        if !path.contains("/snapshots/") { found.databases.append(path) }
    }
}
#endif
