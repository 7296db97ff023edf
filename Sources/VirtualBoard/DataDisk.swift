#if Lab
import Foundation

/// The board's data disk: a file on the host, looked into and tampered with while the board is off. Neither root nor a mount is
/// needed.
public final class DataDisk: Sendable {
    public let file: URL
    private let scratch: Scratch

    /// With the guest's flushes carried out: they take the time they take.
    public var drive: Drive {
        var drive = Drive(file)
        drive.cache = "writeback"
        return drive
    }

    /// A partition on the disk, in MiB.
    private struct Place {
        let start: Int
        let size: Int
    }

    /// As it comes from the factory: a partition table and zeros.
    public init(blank images: BoardImages, in scratch: Scratch) throws {
        self.scratch = scratch
        file = scratch.fresh("data.img")
        try HostTool.run(["cp", "--sparse=always", images.blankDisk.path, file.path])
    }

    /// As it comes from the factory, of another size: one partition from the first MiB to one before the end.
    /// - Parameter size: of the partition, in MiB.
    public init(blankPartition size: Int, in scratch: Scratch) throws {
        self.scratch = scratch
        file = scratch.fresh("data.img")
        try HostTool.run(["truncate", "-s", "\(size + 2)M", file.path])
        let table = scratch.fresh("table")
        try "label: gpt\nstart=1MiB, size=\(size)MiB, name=data, type=linux\n".write(to: table, atomically: false, encoding: .utf8)
        try HostTool.run(["sh", "-c", "sfdisk -q '\(file.path)' <'\(table.path)'"])
        try FileManager.default.removeItem(at: table)
    }

    /// The same bytes at the beginning of a larger card, as when an image is flashed.
    /// - Parameter size: in MiB.
    public func enlarge(to size: Int) throws { try HostTool.run(["truncate", "-s", "\(size)M", file.path]) }

    /// A card that scripts/flash has written an image to.
    /// - Parameter size: of the card, in MiB.
    public init(flashed image: URL, size: Int, in scratch: Scratch) throws {
        self.scratch = scratch
        file = scratch.fresh("card.img")
        try HostTool.run(["cp", "--sparse=always", image.path, file.path])
        try enlarge(to: size)
    }

    /// A device of two years ago: an ext4 filesystem of the time with `database` as /app/app.db, which belongs to user 1000.
    public convenience init(_ images: BoardImages, database: URL, in scratch: Scratch) throws {
        try self.init(blank: images, in: scratch)
        try format(with: database)
    }

    /// Makes the data partition that of a device of two years ago: an ext4 filesystem of the time with `database` as /app/app.db, which belongs
    /// to user 1000.
    public func format(with database: URL) throws {
        let root = scratch.fresh("root")
        let app = root.appendingPathComponent("app")
        try FileManager.default.createDirectory(at: app, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: database, to: app.appendingPathComponent("app.db"))
        let partition = scratch.fresh("partition.img")
        defer {
            try? FileManager.default.removeItem(at: root)
            try? FileManager.default.removeItem(at: partition)
        }
        let size = try place().size
        try HostTool.run(["truncate", "-s", "\(size)M", partition.path])
        // The explicit list of RULES.md F12, and the last MiB left free.
        let features =
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
            + "huge_file,dir_nlink,extra_isize,metadata_csum"
        try HostTool.run([
            "mkfs.ext4", "-q", "-F", "-O", features, "-b", "4096", "-g", "4096", "-d", root.path, partition.path,
            "\((size - 1) * 256)",
        ])
        for path in ["/", "/app", "/app/app.db"] {
            for field in ["uid", "gid"] {
                let owner = path == "/" ? "0" : "1000"
                try HostTool.run(["debugfs", "-w", "-R", "sif \(path) \(field) \(owner)", partition.path])
            }
        }
        try put(partition)
    }

    /// Where the partition of this name is now: it may have grown.
    private func place(of name: String = "data") throws -> Place {
        let table = try JSONSerialization.jsonObject(with: HostTool.run(["sfdisk", "--json", file.path])) as? [String: Any]
        let partitions = (table?["partitiontable"] as? [String: Any])?["partitions"] as? [[String: Any]] ?? []
        guard let found = partitions.first(where: { $0["name"] as? String == name }), let start = found["start"] as? Int,
            let size = found["size"] as? Int
        else { throw BoardError("\(file.path) has no partition \(name)") }
        return Place(start: start / 2048, size: size / 2048)
    }

    /// Overwrites bytes of a partition, as a write does that power is cut in.
    public func overwrite(partition name: String, at offset: Int, with bytes: Data) throws {
        let image = try FileHandle(forUpdating: file)
        defer { try? image.close() }
        try image.seek(toOffset: UInt64(place(of: name).start << 20 + offset))
        try image.write(contentsOf: bytes)
    }

    /// Bytes of a partition.
    public func read(partition name: String, at offset: Int, count: Int) throws -> Data {
        let image = try FileHandle(forReadingFrom: file)
        defer { try? image.close() }
        try image.seek(toOffset: UInt64(place(of: name).start << 20 + offset))
        return try image.read(upToCount: count) ?? Data()
    }

    /// A copy of the partition with its journal replayed, as the next mount would see it.
    private func takePartition() throws -> URL {
        let partition = scratch.fresh("partition.img")
        let place = try place()
        try HostTool.run([
            "dd", "if=\(file.path)", "of=\(partition.path)", "bs=1M", "skip=\(place.start)", "count=\(place.size)",
            "conv=sparse", "status=none",
        ])
        try HostTool.run(["truncate", "-s", "\(place.size)M", partition.path])
        try HostTool.run(["e2fsck", "-f", "-y", partition.path], accepting: [0, 1])
        return partition
    }

    private func put(_ partition: URL) throws {
        try HostTool.run([
            "dd", "if=\(partition.path)", "of=\(file.path)", "bs=1M", "seek=\(try place().start)", "conv=notrunc", "status=none",
        ])
    }

    private func withPartition<T>(_ body: (URL) throws -> T) throws -> T {
        let partition = try takePartition()
        defer { try? FileManager.default.removeItem(at: partition) }
        return try body(partition)
    }

    /// Copies a file off the disk.
    public func read(_ path: String) throws -> URL {
        try withPartition { partition in
            let copy = scratch.fresh(path.split(separator: "/").last.map(String.init) ?? "file")
            try HostTool.run(["debugfs", "-R", "dump \(path) \(copy.path)", partition.path])
            guard FileManager.default.fileExists(atPath: copy.path) else { throw BoardError("\(path) is not on the disk") }
            return copy
        }
    }

    /// The names in a directory; empty when there is none.
    public func list(_ path: String) throws -> [String] {
        try withPartition { try Self.list(path, in: $0) }
    }

    private static func list(_ path: String, in partition: URL) throws -> [String] {
        // /INODE/MODE/UID/GID/NAME/SIZE/
        try HostTool.text(["debugfs", "-R", "ls -p \(path)", partition.path]).split(separator: "\n").compactMap {
            let fields = $0.split(separator: "/", omittingEmptySubsequences: false)
            guard fields.count > 5, !["", ".", ".."].contains(fields[5]) else { return nil }
            return String(fields[5])
        }
    }

    /// Clears the journal's inode, as flash that goes bad would: no mount that writes goes any more, and a read-only one only when it is told not to
    /// look.
    public func clearJournalInode() throws {
        try withPartition { partition in
            try HostTool.run(["debugfs", "-w", "-R", "clri <8>", partition.path])
            try put(partition)
        }
    }

    /// Overwrites every block of these files with noise, as dying flash does; a path that ends in `/*` means all in a directory.
    public func overwrite(_ paths: [String]) throws {
        try withPartition { partition in
            let image = try FileHandle(forUpdating: partition)
            for path in paths {
                let files =
                    path.hasSuffix("/*")
                    ? try Self.list(String(path.dropLast(2)), in: partition).map { path.dropLast() + $0 } : [path]
                for file in files {
                    let blocks = try HostTool.text(["debugfs", "-R", "blocks \(file)", partition.path])
                        .split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { UInt64($0) }
                    if blocks.isEmpty { throw BoardError("\(file) has no blocks on the disk") }
                    for block in blocks {
                        try image.seek(toOffset: block * 4096)
                        try image.write(contentsOf: Data((0..<4096).map { _ in UInt8.random(in: 1...255) }))
                    }
                }
            }
            try image.close()
            try put(partition)
        }
    }
}
#endif
