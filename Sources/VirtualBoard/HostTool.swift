#if Lab
import Foundation

/// A program of the host, run to its end.
public enum HostTool {
    /// Runs a program found in PATH, or in the folders for administrators that are not in everybody's PATH.
    ///
    /// Returns what it wrote on standard output; its standard error is kept for the error alone.
    /// - Throws: `BoardError` with the program's own words when it exits with a code that is not in `accepting`.
    @discardableResult
    public static func run(_ arguments: [String], accepting: Set<Int32> = [0]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = "\(environment["PATH"] ?? "/usr/bin:/bin"):/usr/sbin:/sbin"
        environment["LC_ALL"] = "C"
        process.environment = environment
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let complaint = Monitored<Data?>(nil)
        // Both pipes at once: a program that fills the one while we wait on the other would never end.
        let handle = errors.fileHandleForReading
        Thread.detachNewThread { complaint.update { [data = handle.readDataToEndOfFile()] in $0 = data } }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationReason == .exit, accepting.contains(process.terminationStatus) else {
            let words = complaint.wait(seconds: 5) { $0 }.map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw BoardError("\(arguments.joined(separator: " ")): exit \(process.terminationStatus): \(words)")
        }
        return data
    }

    /// The same, as text.
    public static func text(_ arguments: [String], accepting: Set<Int32> = [0]) throws -> String {
        String(decoding: try run(arguments, accepting: accepting), as: UTF8.self)
    }
}
#endif
