#if Lab
import Foundation
import Linux

/// Everything in a folder and below it, by path: read, compared and put back whole.
struct HostileTree: Equatable {
    enum Entry: Equatable {
        case file(Data)
        case directory
        case link(String)
        /// A FIFO; nothing else that is no file is ever made.
        case fifo
    }

    var entries: [String: Entry] = [:]

    init() {}

    /// Reads a folder.
    init(_ root: String) throws {
        try add(root, "")
    }

    private mutating func add(_ root: String, _ below: String) throws {
        for name in try FileSystem.list("\(root)/\(below)") {
            let path = below.isEmpty ? name : "\(below)/\(name)"
            switch try FileSystem.status("\(root)/\(path)")?.kind {
            case .file: entries[path] = .file(try Self.read("\(root)/\(path)"))
            case .directory:
                entries[path] = .directory
                try add(root, path)
            case .symbolicLink:
                entries[path] = .link(try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(path)"))
            case nil: break
            default: entries[path] = .fifo
            }
        }
    }

    /// Makes `root` anew with these entries and no others.
    func write(to root: String) throws {
        try FileSystem.removeTree(root)
        try FileSystem.makeDirectory(root)
        // A directory's path comes before those of what is in it.
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            switch entry {
            case .file(let data): try Self.write(data, to: "\(root)/\(path)")
            case .directory: try FileSystem.makeDirectory("\(root)/\(path)", permissions: 0o700)
            case .link(let target): try FileManager.default.createSymbolicLink(atPath: "\(root)/\(path)", withDestinationPath: target)
            case .fifo: guard mkfifo("\(root)/\(path)", 0o600) == 0 else { throw HostileError("mkfifo \(path)") }
            }
        }
    }

    subscript(path: String) -> Entry? {
        get { entries[path] }
        set { entries[path] = newValue }
    }

    /// A file's bytes; nil for anything else.
    func data(_ path: String) -> Data? {
        if case .file(let data) = entries[path] { data } else { nil }
    }

    /// The first path at which two trees differ, those for which `ignoring` is true left out.
    func difference(from other: HostileTree, ignoring: (String) -> Bool) -> String? {
        for path in Set(entries.keys).union(other.entries.keys).sorted() where !ignoring(path) {
            switch (other[path], self[path]) {
            case (nil, nil): continue
            case (nil, _): return "\(path) was made"
            case (_, nil): return "\(path) is gone"
            case (let before, let after): if before != after { return "\(path) was changed" }
            }
        }
        return nil
    }

    static func read(_ path: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: path) else { throw HostileError("\(path) cannot be read: \((try? FileSystem.status(path)).map { "\($0?.size ?? -1) bytes" } ?? "gone")") }
        return data
    }

    private static func write(_ data: Data, to path: String) throws {
        let file = try FileDescriptor.open(path, .create, permissions: 0o600)
        try data.withUnsafeBytes { try file.write($0) }
    }
}
#endif
