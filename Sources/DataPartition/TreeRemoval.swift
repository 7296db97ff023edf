internal import CLinux
import Linux

/// Removes files as root, where a user may have planted anything (RULES.md B7).
///
/// Nothing is followed: every directory is opened from the one above it, by a name that must be neither a symbolic link nor a mount point, and what is in
/// it is removed through that descriptor. Of a hard link, a FIFO or a device node the name goes and nothing is opened. A directory that somebody swaps
/// meanwhile is the one that was opened, or an error. Names are bytes: one that is not UTF-8 goes like every other. Nothing is synced.
struct TreeRemoval: ~Copyable {
    /// Names that went.
    private(set) var removed: Int64 = 0
    /// What could not be removed; the rest was, all the same.
    private(set) var failure: LinuxError?

    private let top: FileDescriptor
    private let device: UInt64
    private let progress: (Int64) -> Void
    private var moved: Int64 = 0

    private typealias Name = [CChar]

    /// Deeper ones are first moved up: descriptors are few, and a user may have nested thousands.
    private static let deepest = 24

    /// - Parameters:
    ///   - top: the directory below which something is removed.
    ///   - progress: called now and then with how many names have gone.
    init(below top: consuming FileDescriptor, progress: @escaping (Int64) -> Void = { _ in }) throws(LinuxError) {
        device = try top.status().device
        self.top = top
        self.progress = progress
    }

    /// Removes everything in the directory but what lies at one of these paths, and the directories that lead there.
    mutating func removeAll(keeping paths: [[String]]) {
        repeat {
            // What was too deep lies here then.
            moved = 0
            do throws(LinuxError) {
                try empty(top.duplicate(), paths.map { $0.map { TreeRemoval.name($0) } }, 0)
            } catch {
                failure = failure ?? error
            }
        } while moved > 0 && failure == nil
    }

    /// Removes what has this name in a directory, and everything in it; nothing of that name is no error.
    /// - Returns: how many names went.
    static func remove(_ name: String, from directory: borrowing FileDescriptor, progress: @escaping (Int64) -> Void = { _ in }) throws(LinuxError) -> Int64 {
        if unlinkat(directory.raw, name, 0) == 0 { return 1 }
        if linux_errno() == ENOENT { return 0 }
        if ![EISDIR, EPERM].contains(linux_errno()) { throw .last("unlink", "\(directory.name)/\(name)") }
        let raw = linux_open_inside(directory.raw, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if raw < 0 { throw .last("open", "\(directory.name)/\(name)") }
        var removal = try TreeRemoval(below: FileDescriptor(owning: raw, name: "\(directory.name)/\(name)"), progress: progress)
        removal.removeAll(keeping: [])
        if let failure = removal.failure { throw failure }
        if unlinkat(directory.raw, name, AT_REMOVEDIR) != 0 { throw .last("rmdir", "\(directory.name)/\(name)") }
        return removal.removed + 1
    }

    private static func name(_ text: String) -> Name { text.utf8.map { CChar(bitPattern: $0) } + [0] }

    private static func text(_ name: Name) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private mutating func empty(_ directory: borrowing FileDescriptor, _ kept: [[Name]], _ depth: Int) throws(LinuxError) {
        for name in try TreeRemoval.names(in: directory) {
            let below = kept.filter { $0.first == name }
            // All of it.
            if below.contains(where: { $0.count == 1 }) { continue }
            do throws(LinuxError) {
                try remove(name, from: directory, below.map { Array($0.dropFirst()) }, depth)
            } catch {
                failure = failure ?? error
            }
        }
    }

    private mutating func remove(_ name: Name, from directory: borrowing FileDescriptor, _ kept: [[Name]], _ depth: Int) throws(LinuxError) {
        if unlinkat(directory.raw, name, 0) == 0 { return gone() }
        // EPERM is POSIX's word for a directory.
        if ![EISDIR, EPERM].contains(linux_errno()) { throw .last("unlink", "\(directory.name)/\(TreeRemoval.text(name))") }
        if depth >= TreeRemoval.deepest && kept.isEmpty {
            return try moveUp(name, from: directory)
        }
        let raw = linux_open_inside(directory.raw, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if raw < 0 { throw .last("open", "\(directory.name)/\(TreeRemoval.text(name))") }
        let inside = FileDescriptor(owning: raw, name: "\(directory.name)/\(TreeRemoval.text(name))")
        guard try inside.status().device == device else { throw LinuxError("enter", inside.name, code: EXDEV) }
        try empty(inside, kept, depth + 1)
        if !kept.isEmpty { return }
        if unlinkat(directory.raw, name, AT_REMOVEDIR) != 0 { throw .last("rmdir", inside.name) }
        gone()
    }

    private mutating func moveUp(_ name: Name, from directory: borrowing FileDescriptor) throws(LinuxError) {
        // Somebody may have made names like ours.
        for _ in 0..<10_000 {
            moved += 1
            if linux_rename_new(directory.raw, name, top.raw, ".firstlight-removed-\(moved)") == 0 { return }
            if linux_errno() != EEXIST { break }
        }
        throw .last("rename", "\(directory.name)/\(TreeRemoval.text(name))")
    }

    private mutating func gone() {
        removed += 1
        if removed % 256 == 0 { progress(removed) }
    }

    /// Without `.` and `..`.
    private static func names(in directory: borrowing FileDescriptor) throws(LinuxError) -> [Name] {
        // Of its own: closedir closes it, and a duplicate would share its position.
        let raw = linux_openat(directory.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard raw >= 0, let stream = fdopendir(raw) else { throw .last("opendir", directory.name) }
        defer { _ = closedir(stream) }
        var names: [Name] = []
        while true {
            linux_set_errno(0)
            guard let entry = readdir(stream) else {
                if linux_errno() != 0 { throw .last("readdir", directory.name) }
                return names
            }
            guard let start = linux_entry_name(entry) else { continue }
            let name = Array(UnsafeBufferPointer(start: start, count: strlen(start) + 1))
            if name != [0x2E, 0] && name != [0x2E, 0x2E, 0] { names.append(name) }
        }
    }
}
