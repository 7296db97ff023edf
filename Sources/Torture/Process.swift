#if Lab
import CLinux
import Glibc

/// A child of the bench, and all that it starts.
struct Process {
    let id: pid_t

    /// Starts a program by its path, with its output in a file. It dies with the thread that starts it.
    static func start(_ program: String, _ words: [String], output: String, environment: [String]) throws -> Process {
        // setpriv lays the death signal on itself and becomes the program.
        let (path, arguments) = ("/usr/bin/setpriv", ["--pdeathsig", "KILL", "--", program] + words)
        let file = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw TortureError.last(output) }
        defer { close(file) }
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for word in argv + envp { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, file, 1)
        posix_spawn_file_actions_adddup2(&actions, file, 2)
        var id: pid_t = 0
        let code = posix_spawn(&id, path, &actions, nil, &argv, &envp)
        guard code == 0 else { throw TortureError("\(program): \(String(cString: strerror(code)))") }
        return Process(id: id)
    }

    /// How it ended: `exit 3`, `signal 11`; nil while it runs.
    func poll() -> String? {
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return nil }
        return Process.text(status)
    }

    static func text(_ status: Int32) -> String {
        status & 0x7F == 0 ? "exit \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
    }

    /// SIGKILL, and what it leaves behind goes with it: its workers die with their parent, and become this process's to reap.
    /// - Returns: how many did not.
    @discardableResult
    func killAll() -> Int {
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
        return Process.reapOrphans()
    }

    /// Waits for every child there is; those that do not end by themselves in three seconds are killed, and counted.
    @discardableResult
    static func reapOrphans() -> Int {
        var killed = 0
        for turn in 0..<8000 {
            var status: Int32 = 0
            let id = waitpid(-1, &status, WNOHANG)
            if id < 0 { return killed }
            if id > 0 { continue }
            if turn == 3000 {
                for child in children() {
                    kill(child, SIGKILL)
                    killed += 1
                }
            }
            usleep(1000)
        }
        return killed
    }

    /// Of a process, this one's unless another is asked for.
    static func children(of id: pid_t = getpid()) -> [pid_t] {
        var ids: [pid_t] = []
        guard let file = fopen("/proc/\(id)/task/\(id)/children", "r") else { return [] }
        defer { fclose(file) }
        var id: pid_t = 0
        while withUnsafeMutablePointer(to: &id, { withVaList([$0]) { vfscanf(file, "%d", $0) } }) == 1 { ids.append(id) }
        return ids
    }
}
#endif
