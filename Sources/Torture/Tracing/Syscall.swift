#if Lab
import CTorture
import Glibc

/// What is known of the kernel's system calls by their names: where their files are, and how they fail.
public enum Syscall {
    /// Where a call's arguments name a file.
    enum Place: Hashable {
        case descriptor(Int)
        case path(Int)
        /// A path that begins at a directory's descriptor.
        case relative(directory: Int, path: Int)
    }

    static func name(_ number: Int32) -> String {
        tracer_call_name(number).map { String(cString: $0) } ?? "syscall \(number)"
    }

    /// Nil for a call that this architecture does not have.
    static func number(_ name: String) throws(TracerError) -> Int32? {
        switch tracer_call_number(name) {
        case TRACER_NOT_HERE: return nil
        case TRACER_UNKNOWN: throw TracerError("\(name) is no system call")
        case let number: return number
        }
    }

    /// Those that name a file by descriptor or path.
    static var onFiles: Set<String> { Set(places.keys) }

    static func places(_ name: String) -> [Place] { places[name] ?? [] }

    /// What a failing disk, a full or read-only filesystem, and a lack of memory, descriptors or processes make this
    /// call return; EINTR apart. Empty for a call that none of these can fail. From section 2 of the manual pages,
    /// EROFS and ENOSPC also from what ext4 and f2fs say once their journal is aborted or their last block is gone.
    public static func errors(_ name: String) -> [Int32] { errors[name] ?? [] }

    /// Whether a signal that arrives while it waits makes it return EINTR (signal(7), and each call's manual page).
    public static func isInterruptible(_ name: String) -> Bool { interruptible.contains(name) }

    /// Whether an error says nothing about its having been done: the kernel frees a descriptor whatever close(2)
    /// returns.
    static func isExecutedThoughItFails(_ name: String) -> Bool { name == "close" }

    /// Whether it leaves everything outside its own process as it was: before the next call nothing has changed.
    static func onlyLooks(_ name: String) -> Bool { looking.contains(name) }

    // ---- Tables ----

    static var known: Set<String> { interruptible.union(onFiles).union(errors.keys) }

    private static func table<Value>(_ lines: [(names: String, value: Value)]) -> [String: Value] {
        var table: [String: Value] = [:]
        for line in lines { for name in line.names.split(separator: " ") { table[String(name)] = line.value } }
        return table
    }

    private static let places: [String: [Place]] = table([
        ("read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2", [.descriptor(0)]),
        ("fsync fdatasync syncfs sync_file_range readahead fadvise64", [.descriptor(0)]),
        ("ftruncate fallocate fstat fstatfs fcntl flock ioctl", [.descriptor(0)]),
        ("getdents getdents64 lseek close fchmod fchown fchdir dup dup2 dup3", [.descriptor(0)]),
        ("fgetxattr fsetxattr flistxattr fremovexattr", [.descriptor(0)]),
        ("mmap", [.descriptor(4)]),
        ("sendfile", [.descriptor(0), .descriptor(1)]),
        ("copy_file_range splice", [.descriptor(0), .descriptor(2)]),
        ("open creat stat lstat access readlink truncate statfs unlink mkdir rmdir mknod", [.path(0)]),
        ("chmod chown lchown utime utimes execve chdir chroot umount2 swapon swapoff", [.path(0)]),
        ("getxattr lgetxattr setxattr lsetxattr listxattr llistxattr removexattr lremovexattr", [.path(0)]),
        ("rename link mount pivot_root", [.path(0), .path(1)]),
        ("symlink inotify_add_watch", [.path(1)]),
        ("openat openat2 newfstatat statx faccessat faccessat2 readlinkat", [.relative(directory: 0, path: 1)]),
        ("unlinkat mkdirat mknodat fchmodat fchownat utimensat futimesat", [.relative(directory: 0, path: 1)]),
        ("name_to_handle_at execveat open_tree", [.relative(directory: 0, path: 1)]),
        ("symlinkat", [.relative(directory: 1, path: 2)]),
        ("renameat renameat2 linkat move_mount", [.relative(directory: 0, path: 1), .relative(directory: 2, path: 3)]),
    ])

    private static let errors: [String: [Int32]] = table([
        ("read pread64 readv preadv preadv2", [EIO]),
        ("write pwrite64 writev pwritev pwritev2", [EIO, ENOSPC, EROFS]),
        ("sendfile copy_file_range splice", [EIO, ENOSPC, EROFS, ENOMEM]),
        ("fsync fdatasync syncfs sync_file_range", [EIO, ENOSPC, EROFS]),
        ("open openat openat2 creat", [EIO, ENOSPC, EROFS, EMFILE, ENOMEM]),
        ("truncate ftruncate fallocate", [EIO, ENOSPC, EROFS]),
        ("rename renameat renameat2 link linkat symlink symlinkat", [EIO, ENOSPC, EROFS, ENOMEM]),
        ("mkdir mkdirat mknod mknodat", [EIO, ENOSPC, EROFS, ENOMEM]),
        // An unlink needs an orphan's place on f2fs.
        ("unlink unlinkat rmdir", [EIO, ENOSPC, EROFS, ENOMEM]),
        ("fstat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat", [EIO, ENOMEM]),
        ("statfs fstatfs chdir fchdir", [EIO, ENOMEM]),
        ("getdents getdents64", [EIO]),
        ("close", [EIO, ENOSPC]),
        ("chmod fchmod fchmodat chown lchown fchown fchownat utimensat utime utimes futimesat", [EIO, EROFS, ENOMEM]),
        ("setxattr lsetxattr fsetxattr", [EIO, ENOSPC, EROFS, ENOMEM]),
        ("getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr", [EIO, ENOMEM]),
        ("fcntl", [EIO, ENOLCK, EMFILE]),
        ("flock", [ENOLCK]),
        ("ioctl", [EIO, ENOMEM]),
        ("mount", [EIO, EROFS, EBUSY, ENOMEM]),
        ("umount2", [EBUSY, ENOMEM]),
        ("mmap mremap brk mprotect", [ENOMEM]),
        ("fork vfork clone clone3", [EAGAIN, ENOMEM]),
        ("execve execveat", [EIO, ENOMEM]),
        ("dup dup2 dup3", [EMFILE]),
        ("pipe pipe2 socket socketpair eventfd2 timerfd_create signalfd4 pidfd_open", [EMFILE, ENOMEM]),
        ("memfd_create epoll_create1 inotify_init1", [EMFILE, ENOMEM]),
        ("poll ppoll select pselect6 sendto sendmsg", [ENOMEM]),
    ])

    private static let looking = Set(
        """
        read pread64 readv preadv lseek stat fstat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat statfs fstatfs \
        getdents getdents64 mmap munmap mprotect mremap brk madvise rt_sigaction rt_sigprocmask getpid getppid gettid getuid geteuid getgid \
        getegid clock_gettime gettimeofday getrandom uname prlimit64 getrlimit sysinfo arch_prctl set_tid_address set_robust_list rseq
        """.split(separator: " ").map { String($0) })

    private static let interruptible = Set(
        """
        read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 open openat openat2 creat close \
        fsync fdatasync truncate ftruncate fallocate fcntl flock statfs fstatfs dup2 dup3 wait4 waitid poll ppoll \
        select pselect6 epoll_wait epoll_pwait connect accept4 sendto sendmsg recvfrom recvmsg getrandom nanosleep \
        clock_nanosleep
        """.split(separator: " ").map { String($0) })
}
#endif
