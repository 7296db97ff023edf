#if Lab
import CTorture
import Glibc
import Linux

/// The call before which a tracee is stopped, and what it touches.
struct TracerCall {
    let pid: pid_t
    let name: String
    let arguments: [UInt64]

    /// Nil when the tracee has been killed meanwhile.
    init?(_ pid: pid_t) {
        var call = tracer_call()
        if tracer_get_call(pid, &call) != 0 { return nil }
        self.pid = pid
        name = Syscall.name(call.number)
        let (a, b, c, d, e, f) = call.arguments
        arguments = [a, b, c, d, e, f]
    }

    /// The files it names, in the order of its arguments; those that cannot be told are left out.
    var paths: [String] {
        Syscall.places(name).compactMap { place in
            switch place {
            case .descriptor(let index): file(arguments[index])
            case .path(let index): path(arguments[index], from: UInt64(bitPattern: Int64(AT_FDCWD)))
            case .relative(let directory, let index): path(arguments[index], from: arguments[directory])
            }
        }
    }

    /// Whether it is a rename that puts a file there.
    func puts(_ path: String?) -> Bool { path != nil && TracerFinish.renames.contains(name) && paths.last == path }

    private func file(_ descriptor: UInt64) -> String? {
        let number = Int32(truncatingIfNeeded: descriptor)
        let name = number == AT_FDCWD ? "cwd" : "fd/\(number)"
        guard let path = TracerCall.link("/proc/\(pid)/\(name)") else { return nil }
        let mark = " (deleted)"
        return path.hasSuffix(mark) ? String(path.dropLast(mark.count)) : path
    }

    private func path(_ address: UInt64, from directory: UInt64) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = address == 0 ? 0 : tracer_read_string(pid, address, &buffer, PATH_MAX)
        if length < 0 { return nil }
        let path = String(decoding: buffer[..<Int(length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if path.hasPrefix("/") { return TracerCall.normalized(path) }
        // AT_EMPTY_PATH, or a missing path, is the descriptor's own file.
        guard let base = file(directory) else { return nil }
        return path.isEmpty ? base : TracerCall.normalized("\(base)/\(path)")
    }

    /// Without `.`, `..` and doubled slashes; symbolic links are left as they are.
    static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return length < 0 ? nil : String(decoding: buffer[..<length], as: UTF8.self)
    }
}
#endif
