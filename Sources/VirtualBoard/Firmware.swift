#if Lab
import Foundation

/// A root filesystem for the board: the built one, or a variation of it.
public struct Firmware: Sendable {
    private let archive: Monitored<CpioArchive>
    private let images: BoardImages

    /// The one that scripts/build-image made.
    public init(_ images: BoardImages) throws {
        self.init(try CpioArchive(HostTool.run(["gzip", "-dc", images.initramfs.path])), images)
    }

    private init(_ archive: CpioArchive, _ images: BoardImages) {
        self.archive = Monitored(archive)
        self.images = images
    }

    /// Without a file, or a directory and all that is in it.
    public func removing(_ path: String) -> Firmware {
        let name = String(path.drop { $0 == "/" })
        var changed = archive.update { $0 }
        changed.entries.removeAll {
            let entry = $0.name.hasPrefix("./") ? String($0.name.dropFirst(2)) : $0.name
            return entry == name || entry.hasPrefix(name + "/")
        }
        return Firmware(changed, images)
    }

    /// With a file; the directories above it must be there or be made by `replacing`.
    public func adding(_ path: String, _ contents: String, mode: UInt32 = 0o644) -> Firmware {
        adding(path, Data(contents.utf8), mode: mode)
    }

    /// The same with a file that is no text.
    public func adding(_ path: String, _ contents: Data, mode: UInt32 = 0o644) -> Firmware {
        var changed = removing(path).archive.update { $0 }
        changed.entries.append(.init(name: String(path.drop { $0 == "/" }), mode: 0o100000 | mode, data: contents))
        return Firmware(changed, images)
    }

    /// With these files, and no others, in a directory.
    public func replacing(directory: String, with files: [String: String]) -> Firmware {
        var changed = removing(directory).archive.update { $0 }
        changed.entries.append(.init(name: String(directory.drop { $0 == "/" }), mode: 0o040755))
        var firmware = Firmware(changed, images)
        for (name, contents) in files.sorted(by: { $0.key < $1.key }) {
            firmware = firmware.adding("\(directory)/\(name)", contents)
        }
        return firmware
    }

    /// Kernel and device tree as built, and this root filesystem as a file in `scratch`.
    func files(in scratch: Scratch) throws -> BootFiles {
        let initramfs = scratch.file("initramfs.cpio")
        try archive.update { try $0.bytes.write(to: initramfs) }
        var files = BootFiles(kernel: images.kernel, initramfs: initramfs, deviceTree: images.deviceTree)
        files.machine = images.machine
        return files
    }
}
#endif
