#if Lab
import Foundation

/// A program of the filesystem's, run to its end.
struct Tool {
    /// For its output.
    let folder: String
    /// What it printed last.
    var output: String { (try? String(contentsOfFile: folder + "/tool.log", encoding: .utf8)) ?? "" }

    /// - Returns: its exit; 256 and more for anything else.
    func run(_ program: String, _ words: [String], seconds: Double = 60) throws -> Int {
        let process = try Process.start(
            program, words, output: folder + "/tool.log", environment: ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        let limit = Date().addingTimeInterval(seconds)
        while true {
            if let end = process.poll() { return end.hasPrefix("exit ") ? Int(end.dropFirst(5)) ?? 256 : 256 }
            if Date() > limit {
                process.killAll()
                return 257
            }
            usleep(1000)
        }
    }
}
#endif
