// The C face of the kernel and the C library: the headers Swift imports as they are, and what Swift cannot spell
// (errno, variadic calls, function-like macros, structures with flexible or nested unions).
#ifndef CLINUX_H
#define CLINUX_H

// No _GNU_SOURCE here: it would give these headers other definitions than the modules Swift's own Glibc was built from.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux_blkid.h"
#include "linux_ext4.h"
#include "linux_keys.h"
#include "linux_landlock.h"
#include "linux_sockets.h"

// ---- errno ----

static inline int linux_errno(void) { return errno; }
static inline void linux_set_errno(int code) { errno = code; }
/// "EIO" for 5; NULL for a number without a name here.
const char *linux_errno_name(int code);

// ---- variadic calls ----

static inline int linux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}
/// 1 when some other open file description has the file open, 0 when none has, -1 when the kernel does not say (F_SETLEASE, fcntl(2)).
int linux_is_open_elsewhere(int descriptor);

static inline int linux_fcntl(int descriptor, int command, long argument) {
    return fcntl(descriptor, command, argument);
}
/// ioctl with a pointer argument.
int linux_ioctl(int descriptor, unsigned long request, void *argument);

// ---- macros ----

static inline int linux_is_directory(mode_t mode) { return S_ISDIR(mode); }
static inline int linux_is_regular(mode_t mode) { return S_ISREG(mode); }
static inline int linux_is_block_device(mode_t mode) { return S_ISBLK(mode); }
static inline int linux_is_symlink(mode_t mode) { return S_ISLNK(mode); }
static inline int linux_exited(int status) { return WIFEXITED(status); }
static inline int linux_exit_code(int status) { return WEXITSTATUS(status); }
static inline int linux_term_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

// ---- files ----

/// openat2 with RESOLVE_NO_SYMLINKS: no component of `path` may be a symbolic link. Falls back to O_NOFOLLOW on the last
/// component where the kernel is older than 5.6.
int linux_open_no_symlinks(int directory, const char *path, int flags, mode_t mode);
/// openat2 of one name, which may be neither a symbolic link nor a mount point. Before 5.6 only the first is refused.
int linux_open_inside(int directory, const char *name, int flags);
/// renameat2 with RENAME_NOREPLACE: EEXIST where the new name is taken. 0, or -1 with errno.
int linux_rename_new(int from, const char *name, int to, const char *other);
/// The name of a directory entry (d_name is an array Swift sees as a tuple).
static inline const char *linux_entry_name(const struct dirent *entry) { return entry->d_name; }

/// statvfs(2) under a name that its structure does not hide.
static inline int linux_statvfs(const char *path, struct statvfs *status) { return statvfs(path, status); }

/// Sets both times of a file to now.
static inline int linux_touch(const char *path) { return utimensat(AT_FDCWD, path, NULL, 0); }

static inline int linux_set_nonblocking(int descriptor) {
    return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}
static inline int linux_set_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

/// Every descriptor from `first` up is closed in programs that are started, whoever left it open (Linux 5.11; before, they stay).
void linux_close_all_on_exec(unsigned first);

/// A close-on-exec pipe; pipe2(2) is hidden without _GNU_SOURCE.
int linux_pipe(int ends[2]);

// ---- processes ----

struct linux_spawn_request {
    const char *path;       ///< absolute; PATH is not searched
    char *const *argv;
    char *const *envp;      ///< NULL: this process's own
    int descriptor_3;       ///< becomes descriptor 3 of the child, or -1
    int output;             ///< becomes descriptors 1 and 2, or -1 to inherit
    int bound;              ///< gets SIGKILL when this process dies; without descriptor_3 and new_group
    int new_group;          ///< own process group, so that it and its children can be killed together
};
/// posix_spawn with an empty signal mask, default dispositions, descriptor 0 from /dev/null and everything from 4 up
/// close-on-exec by its opener. Returns 0 and the process id, or an errno.
int linux_spawn(const struct linux_spawn_request *request, pid_t *pid);

/// pidfd_open(2), or -1 with errno.
int linux_pidfd_open(pid_t pid);

/// What a worker does to itself first, in this order: oom_score_adj 0, supplementary groups, gid, uid, NO_NEW_PRIVS,
/// PDEATHSIG (setresuid clears it, so it comes last). Returns 0, or an errno with *step naming what failed.
int linux_become(uid_t uid, gid_t gid, const char **step);

/// Soft and hard: RLIMIT_DATA, what malloc and anonymous mmap may take, in bytes; RLIMIT_CORE 0; RLIMIT_NOFILE. One that cannot be set stays as
/// it was.
void linux_limit_resources(uint64_t data, uint64_t files);

/// PDEATHSIG SIGKILL; the parent may be gone already, so compare getppid() afterwards.
int linux_die_with_parent(void);

// ---- event sources ----

/// Blocks `signals` (0-terminated) and returns a signalfd for them, close-on-exec and non-blocking; -1 with errno.
int linux_signalfd(const int *signals);
/// The number of the next signal waiting in a signalfd, 0 when none.
int linux_read_signal(int descriptor);
int linux_timerfd(void);
/// Arms the timer for an absolute CLOCK_MONOTONIC time in nanoseconds; 0 disarms it.
int linux_timerfd_set(int descriptor, int64_t monotonic_ns);
/// CLOCK_MONOTONIC in nanoseconds.
int64_t linux_monotonic_ns(void);
/// CLOCK_BOOTTIME in nanoseconds: time since power-on, suspended time included.
int64_t linux_boottime_ns(void);

// ---- mounting ----

int linux_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int linux_umount(const char *target, int flags);

#endif
