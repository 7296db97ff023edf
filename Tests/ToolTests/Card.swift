import Foundation

/// A card in a reader: a loop device over a file, in a folder that goes with it.
final class Card {
    static let reason = "scripts/flash is tried on loop devices: needs root, /dev/loop-control and /dev/fuse"
    static let isPossible = geteuid() == 0 && ["/dev/loop-control", "/dev/fuse"].allSatisfy { FileManager.default.fileExists(atPath: $0) }

    enum Kind {
        case ordinary, writeProtected
        /// Takes every write, and keeps none of it.
        case forgetful
        /// 1 MiB a second.
        case slow
        /// Has no room behind the first 4 MiB.
        case broken
        /// Sectors of 4096 bytes.
        case largeSectors
    }

    let folder: String
    let device: String
    private var server: Process?
    var name: String { String(device.dropFirst("/dev/".count)) }
    private var file: String { folder + "/card/file" }

    init(_ kind: Kind = .ordinary, size: Int64 = 32 << 20) throws {
        folder = FileManager.default.temporaryDirectory.path + "/firstlight-card-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/card", withIntermediateDirectories: true)
        let file = folder + "/card/file"
        if kind == .broken { try Self.shell("mount -t tmpfs -o size=4M tmpfs '\(folder)/card'") }
        try Self.shell("truncate -s \(size) '\(file)'")
        switch kind {
        case .forgetful:
            server = try Self.serve(file, ["--blockdev", "driver=null-co,node-name=n,size=\(size),read-zeroes=on"])
        case .slow:
            try Self.shell("truncate -s \(size) '\(folder)/behind'")
            server = try Self.serve(
                file,
                ["--object", "throttle-group,id=t,x-bps-write=1048576", "--blockdev",
                    "driver=throttle,node-name=n,throttle-group=t,file.driver=file,file.filename=\(folder)/behind"])
        case .ordinary, .writeProtected, .broken, .largeSectors: break
        }
        // Past the host's own cache of what the server has: a card's reader has none.
        let option = switch kind {
        case .writeProtected: "-r"
        case .forgetful: "--direct-io=on"
        case .largeSectors: "-b 4096"
        default: ""
        }
        device = try Self.shell("losetup -f -P --show \(option) '\(file)'")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit {
        _ = try? Self.shell("losetup -d \(device)")
        // It may have been born deaf to SIGTERM, as a child of a test run is.
        if let server { kill(server.processIdentifier, SIGKILL) }
        _ = try? Self.shell("for m in card/file card; do umount -l '\(folder)'/$m 2>/dev/null; done; rm -rf '\(folder)'")
    }

    /// QEMU's storage daemon in the place of the file.
    private static func serve(_ file: String, _ node: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["qemu-storage-daemon"] + node
            + ["--export", "type=fuse,id=e,node-name=n,mountpoint=\(file),writable=on"]
        try process.run()
        try shell("for _ in $(seq 100); do grep -q ' \(file) ' /proc/mounts && exit; sleep 0.1; done; exit 1")
        return process
    }

    /// Its bytes, as whoever takes the card out finds them.
    func bytes(from offset: Int = 0, count: Int) throws -> Data {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        return try handle.read(upToCount: count) ?? Data()
    }

    /// Two partitions, `old` and `data`, of another image of long ago.
    func partition() throws {
        try Self.shell(
            "printf 'label: gpt\\nstart=2048, size=16384, name=old\\nname=data\\n' | sfdisk -q \(device) && blockdev --rereadpt \(device); partx -u \(device)")
    }

    /// Runs a line of shell, with DEVICE for the card and FLASH for the script; its three results.
    func run(_ line: String) throws -> Tool.Result {
        try Tool.run("/bin/sh", ["-c", line], environment: ["DEVICE": device, "NAME": name, "FLASH": "scripts/flash", "FOLDER": folder])
    }

    @discardableResult
    static func shell(_ line: String) throws -> String {
        let result = try Tool.run("/bin/sh", ["-c", line])
        guard result.code == 0 else { throw CocoaError(.executableLoad, userInfo: ["line": line, "errors": result.errors]) }
        return result.output
    }
}
