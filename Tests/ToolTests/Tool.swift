import Foundation

/// The firmware as built for this machine, run as a person or an init script runs it.
struct Tool {
    /// build/x86_64, or wherever FIRSTLIGHT_BUILD says; nil where nobody has built it.
    static let directory: String? = {
        let build = ProcessInfo.processInfo.environment["FIRSTLIGHT_BUILD"] ?? "build"
        let path = "\(build)/x86_64"
        return FileManager.default.isExecutableFile(atPath: "\(path)/firstlightd") ? path : nil
    }()

    /// A static one has no loader, and loads no extensions.
    static let isStatic: Bool = {
        guard let directory, let program = FileHandle(forReadingAtPath: "\(directory)/firstlightd") else { return false }
        // The loader's name is the first thing behind the program headers.
        return (try? program.read(upToCount: 4096))?.range(of: Data("/ld-".utf8)) == nil
    }()

    struct Result {
        let code: Int32
        let output: String
        let errors: String
    }

    static func ctl(_ arguments: String...) throws -> Result { try run("\(directory!)/firstlightctl", arguments) }

    static func run(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("firstlight-tool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (output, errors) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("err"))
        for file in [output, errors] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Result(
            code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }
}

/// A folder with a configuration, a data directory that is its own mount, and the example appliance's migrations.
final class Appliance {
    let root: String
    static let migrations = "rootfs-overlay/usr/share/firstlight/migrations/app"

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/firstlight-appliance-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root + "/data/app", withIntermediateDirectories: true)
        try """
            [data]
            device = none
            mount = \(root)/data
            [database app]
            path = \(database)
            migrations = \(FileManager.default.currentDirectoryPath)/\(Self.migrations)
            [status]
            directory = \(root)/run
            """.write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var database: String { root + "/data/app/app.db" }
    var configuration: String { root + "/firstlight.conf" }
    var status: String { root + "/run/status.json" }

    func add(_ text: String) throws {
        let old = try String(contentsOfFile: configuration, encoding: .utf8)
        try (old + "\n" + text).write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    /// One boot of the daemon, ended when it is ready; what it logged.
    /// - Parameter tracing: runs it under strace with these arguments, whose last word is the output's file.
    func boot(tracing: [String] = []) throws -> String {
        let process = Process()
        let log = root + "/log"
        try Data().write(to: URL(fileURLWithPath: log))
        let daemon = ["\(Tool.directory!)/firstlightd", "--config", configuration]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = tracing + daemon
        process.environment = ProcessInfo.processInfo.environment.merging(["FIRSTLIGHT_LOG_STDERR": "1"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        // A power-on empties /run.
        try? FileManager.default.removeItem(atPath: root + "/run")
        try process.run()
        _ = try Tool.ctl("wait", "--config", configuration, "--timeout", "30s")
        process.terminate()
        process.waitUntilExit()
        return try String(contentsOfFile: log, encoding: .utf8)
    }

    func statusFields() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: status))) as? [String: Any] ?? [:]
    }
}
