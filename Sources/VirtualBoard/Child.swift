#if Lab
import Foundation

/// A child process that dies with this one, even when this one is killed.
final class Child: Sendable {
    let pid: pid_t
    /// The status of waitpid once it ended.
    private let status = Monitored<Int32?>(nil)

    /// Starts a program found in PATH; `descriptors` become 3, 4, 5 … in it, standard error goes to `log`.
    init(_ arguments: [String], descriptors: [Int32], log: URL) throws {
        // setpriv lays the death signal on itself and becomes the program.
        let words = ["setpriv", "--pdeathsig", "KILL", "--"] + arguments
        let started = Monitored<Result<pid_t, BoardError>?>(nil)
        let status = status
        // The kernel sends the signal when the *thread* that started the child ends, so that thread lives as long as the child.
        Thread.detachNewThread {
            let result = Self.spawn(words, descriptors: descriptors, log: log)
            started.update { $0 = result }
            guard case .success(let pid) = result else { return }
            var code: Int32 = 0
            while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
            status.update { [code] in $0 = code }
        }
        guard let result = started.wait(seconds: 30, { $0 }) else { throw BoardError("\(arguments[0]) does not start") }
        pid = try result.get()
    }

    private static func spawn(_ words: [String], descriptors: [Int32], log: URL) -> Result<pid_t, BoardError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // By way of high numbers: 3, 4, 5 may themselves be among those to be given.
        for (index, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(500 + index))
        }
        for index in descriptors.indices {
            posix_spawn_file_actions_adddup2(&actions, Int32(500 + index), Int32(3 + index))
            posix_spawn_file_actions_addclose(&actions, Int32(500 + index))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C at the terminal is for us, and we end the child in order.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        argv.append(nil)
        defer { for word in argv { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, words[0], &actions, &attributes, argv, environ)
        return code == 0 ? .success(pid) : .failure(BoardError("start \(words[0]): \(String(cString: strerror(code)))"))
    }

    var isRunning: Bool { status.update { $0 == nil } }

    /// Waits until it has ended; false after `seconds`.
    func waitForEnd(seconds: Double) -> Bool { status.wait(seconds: seconds) { $0 } != nil }

    /// SIGKILL, and wait until nothing of it is left.
    func kill() {
        // Under the lock: a pid that was reaped may be somebody else's already.
        status.update { [pid] status in
            if status == nil { _ = Glibc.kill(pid, SIGKILL) }
        }
        _ = waitForEnd(seconds: 10)
    }
}
#endif
