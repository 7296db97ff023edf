internal import CLinux

/// A process this one started.
public struct ChildProcess: Sendable {
    /// Its process id.
    public let id: Int32

    /// How a process ended.
    public enum End: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)

        /// A signal that a program brings upon itself.
        public var isCrash: Bool {
            guard case .killed(let signal) = self else { return false }
            return [SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGFPE, SIGTRAP].contains(signal)
        }

        /// `exit 4`, `signal 9`
        public var text: String {
            switch self {
            case .exited(let code): "exit \(code)"
            case .killed(let signal): "signal \(signal)"
            }
        }
    }

    /// Starts `path` (absolute, PATH is not searched: a BusyBox applet of the same name must not be taken, RULES.md F16) with an
    /// empty signal mask and default dispositions.
    /// - Parameters:
    ///   - descriptor3: becomes the child's descriptor 3.
    ///   - output: becomes the child's standard output and error.
    ///   - bound: it gets SIGKILL when this process dies, and a mkfs does not go on beside the next boot's e2fsck. Not with the other two.
    ///   - group: makes the child the leader of its own process group, so that `killGroup` takes its children too.
    public static func start(
        _ path: String, _ arguments: [String], descriptor3: Int32 = -1, output: Int32 = -1, bound: Bool = false,
        group: Bool = false, environment: [String]? = nil
    ) throws(LinuxError) -> ChildProcess {
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        argv.append(nil)
        var envp: [UnsafeMutablePointer<CChar>?] = (environment ?? []).map { strdup($0) }
        envp.append(nil)
        defer {
            for pointer in argv { free(pointer) }
            for pointer in envp { free(pointer) }
        }
        var pid: pid_t = 0
        let code = argv.withUnsafeBufferPointer { argv in
            envp.withUnsafeBufferPointer { envp in
                path.withCString { path in
                    var request = linux_spawn_request(
                        path: path, argv: argv.baseAddress, envp: environment == nil ? nil : envp.baseAddress,
                        descriptor_3: descriptor3, output: output, bound: bound ? 1 : 0, new_group: group ? 1 : 0)
                    return linux_spawn(&request, &pid)
                }
            }
        }
        if code != 0 { throw LinuxError("spawn", path, code: code) }
        return ChildProcess(id: pid)
    }

    /// Waits for it to end.
    public func wait() throws(LinuxError) -> End {
        while true {
            if let end = try reap(options: 0) { return end }
        }
    }

    /// How it ended, or nil while it has not.
    public func poll() throws(LinuxError) -> End? { try reap(options: WNOHANG) }

    private func reap(options: Int32) throws(LinuxError) -> End? {
        var status: Int32 = 0
        let result = waitpid(id, &status, options)
        if result == id {
            return linux_exited(status) != 0
                ? .exited(linux_exit_code(status)) : .killed(signal: linux_term_signal(status))
        }
        if result < 0 && linux_errno() != EINTR { throw .last("waitpid", "\(id)") }
        return nil
    }

    /// SIGKILL.
    public func kill() { _ = CLinux.kill(id, SIGKILL) }

    /// SIGKILL to its whole process group.
    public func killGroup() { _ = CLinux.kill(-id, SIGKILL) }

    /// A pidfd, readable once it has ended.
    public func descriptor() throws(LinuxError) -> FileDescriptor {
        let raw = linux_pidfd_open(id)
        if raw < 0 { throw .last("pidfd_open", "\(id)") }
        return FileDescriptor(owning: raw, name: "pidfd \(id)")
    }
}

/// The effective user of this process.
public func userID() -> UInt32 { geteuid() }
