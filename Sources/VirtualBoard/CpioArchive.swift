#if Lab
import Foundation

/// A cpio archive in the `newc` format (Documentation/driver-api/early-userspace/buffer-format.rst), which is what the kernel unpacks
/// into its first root filesystem.
struct CpioArchive {
    struct Entry {
        var name: String
        var mode: UInt32
        var user: UInt32 = 0
        var group: UInt32 = 0
        var data = Data()
    }

    var entries: [Entry] = []

    init() {}

    /// Reads an uncompressed archive.
    init(_ bytes: Data) throws {
        let bytes = [UInt8](bytes)
        var place = 0
        func field(_ index: Int) throws -> Int {
            let start = place + 6 + index * 8
            guard start + 8 <= bytes.count, let value = Int(String(decoding: bytes[start..<(start + 8)], as: UTF8.self), radix: 16)
            else { throw BoardError("the initramfs is not a cpio archive of the newc format") }
            return value
        }
        while true {
            let (mode, user, group, size, nameSize) = try (field(1), field(2), field(3), field(6), field(11))
            let dataStart = (place + 110 + nameSize + 3) & ~3
            guard dataStart + size <= bytes.count else { throw BoardError("the initramfs ends in the middle of a file") }
            let name = String(decoding: bytes[(place + 110)..<(place + 110 + nameSize - 1)], as: UTF8.self)
            if name == "TRAILER!!!" { return }
            entries.append(
                Entry(
                    name: name, mode: UInt32(mode), user: UInt32(user), group: UInt32(group),
                    data: Data(bytes[dataStart..<(dataStart + size)])))
            place = (dataStart + size + 3) & ~3
        }
    }

    var bytes: Data {
        var out = Data()
        func pad() { out.append(Data(count: (4 - out.count % 4) % 4)) }
        func append(_ entry: Entry, inode: Int) {
            let fields: [Int] = [
                inode, Int(entry.mode), Int(entry.user), Int(entry.group), 1, 0, entry.data.count, 0, 0, 0, 0,
                entry.name.utf8.count + 1, 0,
            ]
            out.append(Data("070701".utf8))
            for field in fields {
                let digits = String(field, radix: 16)
                out.append(Data((String(repeating: "0", count: 8 - digits.count) + digits).utf8))
            }
            out.append(Data(entry.name.utf8) + [0])
            pad()
            out.append(entry.data)
            pad()
        }
        for (index, entry) in entries.enumerated() { append(entry, inode: index + 1) }
        append(Entry(name: "TRAILER!!!", mode: 0), inode: 0)
        return out
    }
}
#endif
