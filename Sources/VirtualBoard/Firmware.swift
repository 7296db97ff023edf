#if Lab
import Foundation

/// A root filesystem for the board: the built one, or a variation of it.
public struct Firmware: Sendable {
    private let archive: Monitored<CpioArchive>

    /// The one that scripts/build-image made.
    public init(_ images: BoardImages) throws {
        archive = Monitored(try CpioArchive(HostTool.run(["gzip", "-dc", images.initramfs.path])))
    }

    private init(_ archive: CpioArchive) { self.archive = Monitored(archive) }

    /// Without a file, or a directory and all that is in it.
    public func removing(_ path: String) -> Firmware {
        let name = String(path.drop { $0 == "/" })
        var changed = archive.update { $0 }
        changed.entries.removeAll {
            let entry = $0.name.hasPrefix("./") ? String($0.name.dropFirst(2)) : $0.name
            return entry == name || entry.hasPrefix(name + "/")
        }
        return Firmware(changed)
    }

    /// With a file; the directories above it must be there or be made by `replacing`.
    public func adding(_ path: String, _ contents: String, mode: UInt32 = 0o644) -> Firmware {
        var changed = removing(path).archive.update { $0 }
        changed.entries.append(
            .init(name: String(path.drop { $0 == "/" }), mode: 0o100000 | mode, data: Data(contents.utf8)))
        return Firmware(changed)
    }

    /// With these files, and no others, in a directory.
    public func replacing(directory: String, with files: [String: String]) -> Firmware {
        var changed = removing(directory).archive.update { $0 }
        changed.entries.append(.init(name: String(directory.drop { $0 == "/" }), mode: 0o040755))
        var firmware = Firmware(changed)
        for (name, contents) in files.sorted(by: { $0.key < $1.key }) {
            firmware = firmware.adding("\(directory)/\(name)", contents)
        }
        return firmware
    }

    func write(to file: URL) throws { try archive.update { try $0.bytes.write(to: file) } }
}
#endif
