internal import CLinux
import Linux

/// Puts the files of a bundle (`SalvageBundle`) into a filesystem, or compares them with what is there.
///
/// Read from the device that the bundle lies on: what is copied back is what a power cut would have left of it.
struct SalvageExtraction<Source: ByteReading & ~Copyable>: ~Copyable {
    private let device: Source
    private var position: Int64
    private let end: Int64
    private let root: String

    private static var chunk: Int { 1 << 18 }
    /// Longer than any line or path is.
    private static var longest: Int { 8192 }

    private struct Entry {
        let kind: String
        let permissions: UInt32
        let user: UInt32
        let group: UInt32
        let modified: Int64
        let size: Int64
        let path: String
    }

    init(_ bundle: TailRecord.Bundle, on device: consuming Source, root: String) {
        self.device = device
        position = bundle.offset
        end = bundle.offset + bundle.size
        self.root = root
    }

    /// Of a bundle that lies by itself.
    init(_ source: consuming Source, root: String) {
        device = source
        position = 0
        end = .max
        self.root = root
    }

    /// Makes every entry below the root, over what is there by its name. On the device only after a syncfs.
    mutating func extract(progress: (String) -> Void) throws(LinuxError) {
        // A directory's time changes as it is filled.
        var directories: [Entry] = []
        while let entry = try next() {
            progress(entry.path)
            let path = "\(root)/\(entry.path)"
            if entry.kind == "d" {
                try FileSystem.makeDirectory(path, permissions: 0o700)
                directories.append(entry)
            } else {
                try make(entry, at: path)
            }
        }
        for entry in directories.reversed() { try finish(FileDescriptor.open("\(root)/\(entry.path)", .directory), entry) }
    }

    /// Makes what is not there by its name, whatever is; nothing through what is no directory where one was. On the device only after a syncfs.
    ///
    /// - Parameter others: paths that are left out.
    /// - Returns: how many files were made.
    mutating func extractMissing(but others: [String], progress: (String) -> Void) throws(LinuxError) -> Int64 {
        var made: Int64 = 0
        var directories: [Entry] = []
        // Below it nothing is made.
        var closed: String?
        while let entry = try next() {
            let path = "\(root)/\(entry.path)"
            let size = entry.kind == "d" ? 0 : entry.size
            if entry.path.isEmpty || closed.map({ Text.hasPrefix(entry.path, $0) }) ?? false || others.contains(entry.path) {
                position += size
                continue
            }
            if let there = try FileSystem.status(path) {
                if entry.kind == "d" { closed = there.kind == .directory ? nil : entry.path + "/" }
                position += size
                continue
            }
            progress(entry.path)
            if entry.kind == "d" {
                closed = nil
                try FileSystem.makeDirectory(path, permissions: 0o700)
                directories.append(entry)
            } else {
                try make(entry, at: path)
                made += 1
            }
        }
        for entry in directories.reversed() { try finish(FileDescriptor.open("\(root)/\(entry.path)", .directory), entry) }
        return made
    }

    /// A file or a link.
    private mutating func make(_ entry: Entry, at path: String) throws(LinuxError) {
        if entry.kind == "l" {
            try FileSystem.remove(path)
            let target = String(decoding: try take(entry.size), as: UTF8.self)
            if symlink(target, path) != 0 { throw .last("symlink", path) }
            if lchown(path, entry.user, entry.group) != 0 { throw .last("lchown", path) }
            return
        }
        let file = try FileDescriptor.open(path, .create, permissions: 0o600)
        var left = entry.size
        while left > 0 {
            let bytes = try take(min(left, Int64(Self.chunk)))
            try bytes.withUnsafeBufferPointer { (bytes) throws(LinuxError) in try file.write(UnsafeRawBufferPointer(bytes)) }
            left -= Int64(bytes.count)
        }
        try finish(file, entry)
    }

    private func finish(_ file: borrowing FileDescriptor, _ entry: Entry) throws(LinuxError) {
        try file.changeOwner(user: entry.user, group: entry.group)
        try file.changePermissions(entry.permissions)
        let code = linux_set_modified(file.raw, entry.modified)
        if code != 0 { throw LinuxError("futimens", file.name, code: code) }
    }

    /// Reads every file from the device and compares it.
    /// - Throws: EIO where one is not what the bundle says.
    mutating func verify(progress: (String) -> Void) throws(LinuxError) {
        while let entry = try next() {
            progress(entry.path)
            if entry.kind != "f" {
                if entry.kind == "l" { position += entry.size }
                continue
            }
            let file = try FileDescriptor.open("\(root)/\(entry.path)", .read)
            file.dropCache()
            var offset: Int64 = 0
            while offset < entry.size {
                let wanted = try take(min(entry.size - offset, Int64(Self.chunk)))
                if try file.bytes(at: offset, count: wanted.count) != wanted { throw LinuxError("compare", file.name, code: EIO) }
                offset += Int64(wanted.count)
            }
        }
    }

    // ---- Reading the bundle ----

    private mutating func take(_ count: Int64) throws(LinuxError) -> [UInt8] {
        guard count >= 0, count <= end - position else { throw LinuxError("read what was salvaged from", device.path, code: EBADMSG) }
        let bytes = try device.bytes(at: position, count: Int(count))
        position += count
        return bytes
    }

    /// Nil at the end.
    private mutating func next() throws(LinuxError) -> Entry? {
        let head = try device.bytes(at: position, count: Int(min(256, end - position)))
        guard let newline = head.firstIndex(of: 0x0A) else { throw LinuxError("read what was salvaged from", device.path, code: EBADMSG) }
        position += Int64(newline) + 1
        let fields = Text.words(String(decoding: head[..<newline], as: UTF8.self))
        if fields == ["end"] { return nil }
        let numbers = fields.dropFirst().compactMap { Text.number($0) }
        guard fields.count == 7, numbers.count == 6, numbers[5] <= Int64(Self.longest) else {
            throw LinuxError("read what was salvaged from", device.path, code: EBADMSG)
        }
        let path = String(decoding: try take(numbers[5]), as: UTF8.self)
        return Entry(
            kind: fields[0], permissions: UInt32(truncatingIfNeeded: numbers[0]), user: UInt32(truncatingIfNeeded: numbers[1]),
            group: UInt32(truncatingIfNeeded: numbers[2]), modified: numbers[3], size: numbers[4], path: path)
    }
}
