#define _GNU_SOURCE 1
#include "CLinux.h"

#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <stddef.h>
#include <grp.h>

// ---- Embedded Swift's runtime ----

#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004
#endif

// Dictionary and Set seed their hashing from here. glibc's own blocks until the kernel's random pool is ready, which on
// a board without entropy is never (B1). No security rests on these bytes.
void arc4random_buf(void *buffer, size_t length) {
    unsigned char *p = buffer;
    size_t done = 0;
    while (done < length) {
        ssize_t n = getrandom(p + done, length - done, GRND_INSECURE);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
    // Kernels before 5.6 know no GRND_INSECURE.
    for (uint64_t x = (uint64_t)linux_monotonic_ns() | 1; done < length; done++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        p[done] = (unsigned char)x;
    }
}

// Embedded Swift's print and its trap messages come through here; stdio's buffer would hold them back in a crash.
int putchar(int character) {
    char c = (char)character;
    return write(STDERR_FILENO, &c, 1) == 1 ? character : EOF;
}

#ifdef FIRSTLIGHT_BYTEWISE_STRINGS
// String's == and hashing normalise text that is not ASCII, with 30 KB of Unicode's tables behind these four. Paths, versions, JSON keys
// and SQL are the same only when their bytes are: every scalar is its own normal form here, and the tables stay out of the flash.
const uint8_t *const _swift_stdlib_nfd_decompositions = 0;
uint16_t _swift_stdlib_getNormData(uint32_t scalar) { return (void)scalar, 0; }
uint32_t _swift_stdlib_getDecompositionEntry(uint32_t scalar) { return (void)scalar, 0; }
uint32_t _swift_stdlib_getComposition(uint32_t a, uint32_t b) { return (void)a, (void)b, UINT32_MAX; }
#endif

// ---- errno ----

const char *linux_errno_name(int code) {
    switch (code) {
#define NAME(e) case e: return #e
        NAME(EPERM); NAME(ENOENT); NAME(ESRCH); NAME(EINTR); NAME(EIO); NAME(ENXIO); NAME(E2BIG); NAME(ENOEXEC);
        NAME(EBADF); NAME(ECHILD); NAME(EAGAIN); NAME(ENOMEM); NAME(EACCES); NAME(EFAULT); NAME(EBUSY); NAME(EEXIST);
        NAME(EXDEV); NAME(ENODEV); NAME(ENOTDIR); NAME(EISDIR); NAME(EINVAL); NAME(ENFILE); NAME(EMFILE);
        NAME(ENOTTY); NAME(ETXTBSY); NAME(EFBIG); NAME(ENOSPC); NAME(ESPIPE); NAME(EROFS); NAME(EMLINK); NAME(EPIPE);
        NAME(ENAMETOOLONG); NAME(ENOLCK); NAME(ENOSYS); NAME(ENOTEMPTY); NAME(ELOOP); NAME(EOVERFLOW); NAME(EUCLEAN);
        NAME(EOPNOTSUPP); NAME(ETIMEDOUT); NAME(ECONNREFUSED); NAME(ECONNRESET); NAME(EDQUOT); NAME(ESTALE);
        NAME(ENOMEDIUM); NAME(EMEDIUMTYPE); NAME(EADDRINUSE); NAME(ENOTCONN); NAME(EBADMSG); NAME(ENODATA);
#undef NAME
    }
    return NULL;
}

int linux_ioctl(int descriptor, unsigned long request, void *argument) {
    return ioctl(descriptor, request, argument);
}

// ---- files ----

struct open_how_v0 { uint64_t flags, mode, resolve; };
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int linux_open_inside(int directory, const char *name, int flags) {
    // RESOLVE_NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH.
    struct open_how_v0 how = {(uint64_t)(unsigned)flags, 0, 0x01 | 0x02 | 0x04 | 0x08};
    int descriptor = (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
    if (descriptor >= 0 || (errno != ENOSYS && errno != E2BIG)) return descriptor;
    return openat(directory, name, flags | O_NOFOLLOW, 0);
}

int linux_rename_new(int from, const char *name, int to, const char *other) {
    // Since Linux 3.15; a filesystem that does not have it says EINVAL.
    return (int)syscall(SYS_renameat2, from, name, to, other, 1 /* RENAME_NOREPLACE */);
}

int linux_open_no_symlinks(int directory, const char *path, int flags, mode_t mode) {
    const uint64_t no_symlinks = 0x04;
    // openat2 refuses a mode without O_CREAT.
    struct open_how_v0 how = {(uint64_t)(unsigned)flags, (flags & O_CREAT) ? mode : 0, no_symlinks};
    int descriptor = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (descriptor >= 0 || (errno != ENOSYS && errno != E2BIG)) return descriptor;
    return openat(directory, path, flags | O_NOFOLLOW, mode);
}

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
void linux_close_all_on_exec(unsigned first) { syscall(SYS_close_range, first, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */); }

int linux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

// ---- processes ----

// For a child that must not go on without this process, which posix_spawn cannot say. The parent has one thread, so that what
// fork leaves behind is whole.
static int spawn_bound(const struct linux_spawn_request *request, pid_t *pid) {
    int report[2];
    if (pipe2(report, O_CLOEXEC)) return errno;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
        int code = 0;
        int null = open("/dev/null", O_RDONLY);
        if (linux_die_with_parent() || sigprocmask(SIG_SETMASK, &none, NULL) || null < 0 || dup2(null, 0) < 0) code = errno;
        if (!code && request->output >= 0 && (dup2(request->output, 1) < 0 || dup2(request->output, 2) < 0)) code = errno;
        // It may have gone before the death signal was asked for.
        if (!code && getppid() == parent) {
            extern char **environ;
            execve(request->path, request->argv, request->envp ? request->envp : environ);
            code = errno;
        }
        if (write(report[1], &code, sizeof code) < 0) _exit(126);
        _exit(127);
    }
    int code = child < 0 ? errno : 0;
    close(report[1]);
    // Nothing comes when the program runs: the pipe closes as it is executed.
    if (!code && read(report[0], &code, sizeof code) > 0) waitpid(child, NULL, 0);
    close(report[0]);
    *pid = child;
    return code;
}

int linux_spawn(const struct linux_spawn_request *request, pid_t *pid) {
    if (request->bound) return spawn_bound(request, pid);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    // posix_spawn hands on blocked signals and ignored ones (B10): the supervisor blocks what it reads from its signalfd.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (request->new_group) {
        posix_spawnattr_setpgroup(&attributes, 0);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    posix_spawnattr_setflags(&attributes, flags);
    code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!code && request->output >= 0) {
        code = posix_spawn_file_actions_adddup2(&actions, request->output, 1);
        if (!code) code = posix_spawn_file_actions_adddup2(&actions, request->output, 2);
    }
    // dup2 clears close-on-exec, also when both numbers are 3.
    if (!code && request->descriptor_3 >= 0)
        code = posix_spawn_file_actions_adddup2(&actions, request->descriptor_3, 3);
    extern char **environ;
    if (!code)
        code = posix_spawn(pid, request->path, &actions, &attributes, request->argv,
                           request->envp ? request->envp : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
int linux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int linux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

int linux_become(uid_t uid, gid_t gid, const char **step) {
    *step = "oom_score_adj";
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        // The supervisor may run protected; a worker that eats memory must be the one to go. Best effort: a container's
        // /proc may be read-only.
        if (write(score, "0", 1) < 0) { /* stays as it was */ }
        close(score);
    }
    if (uid != 0 || gid != 0) {
        *step = "setgroups";
        if (setgroups(1, &gid)) return errno;
        *step = "setresgid";
        if (setresgid(gid, gid, gid)) return errno;
        *step = "setresuid";
        if (setresuid(uid, uid, uid)) return errno;
    }
    *step = "NO_NEW_PRIVS";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return errno;
    *step = "PDEATHSIG";
    if (linux_die_with_parent()) return errno;
    return 0;
}

void linux_limit_resources(uint64_t data, uint64_t files) {
    setrlimit(RLIMIT_DATA, &(struct rlimit){data, data});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){files, files});
}

// ---- event sources ----

int linux_signalfd(const int *signals) {
    sigset_t set;
    sigemptyset(&set);
    for (; *signals; signals++) sigaddset(&set, *signals);
    if (sigprocmask(SIG_BLOCK, &set, NULL)) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int linux_read_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int linux_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }

int linux_timerfd_set(int descriptor, int64_t monotonic_ns) {
    struct itimerspec time = {{0, 0}, {monotonic_ns / 1000000000, monotonic_ns % 1000000000}};
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &time, NULL);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
int64_t linux_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t linux_boottime_ns(void) { return clock_ns(CLOCK_BOOTTIME); }

// ---- mounting ----

int linux_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return mount(source, target, type, flags, data);
}
int linux_umount(const char *target, int flags) { return umount2(target, flags); }

int linux_is_open_elsewhere(int descriptor) {
    if (fcntl(descriptor, F_SETLEASE, F_WRLCK) == 0) {
        fcntl(descriptor, F_SETLEASE, F_UNLCK);
        return 0;
    }
    return errno == EAGAIN ? 1 : -1;
}
