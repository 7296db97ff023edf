// The names of the system calls, from the kernel's own numbers for this architecture.
#include "tracer.h"

#include <string.h>
#include <sys/syscall.h>

struct call_name {
    const char *name;
    int number;
};

#define HERE(name) {#name, SYS_##name},
// Calls that newer architectures never had: there the C library makes the *at call of them.
#ifdef __x86_64__
#define OLD(name) {#name, SYS_##name},
#else
#define OLD(name) {#name, TRACER_NOT_HERE},
#endif

static const struct call_name names[] = {
    HERE(accept) HERE(accept4) HERE(acct) HERE(add_key) HERE(adjtimex) HERE(bind) HERE(bpf) HERE(brk) HERE(capget)
    HERE(capset) HERE(chdir) HERE(chroot) HERE(clock_adjtime) HERE(clock_getres) HERE(clock_gettime)
    HERE(clock_nanosleep) HERE(clock_settime) HERE(clone) HERE(clone3) HERE(close) HERE(close_range) HERE(connect)
    HERE(copy_file_range) HERE(delete_module) HERE(dup) HERE(dup3) HERE(epoll_create1) HERE(epoll_ctl)
    HERE(epoll_pwait) HERE(epoll_pwait2) HERE(eventfd2) HERE(execve) HERE(execveat) HERE(exit) HERE(exit_group)
    HERE(faccessat) HERE(faccessat2) HERE(fadvise64) HERE(fallocate) HERE(fanotify_init) HERE(fanotify_mark)
    HERE(fchdir) HERE(fchmod) HERE(fchmodat) HERE(fchown) HERE(fchownat) HERE(fcntl) HERE(fdatasync) HERE(fgetxattr)
    HERE(finit_module) HERE(flistxattr) HERE(flock) HERE(fremovexattr) HERE(fsconfig) HERE(fsetxattr) HERE(fsmount)
    HERE(fsopen) HERE(fspick) HERE(fstat) HERE(fstatfs) HERE(fsync) HERE(ftruncate) HERE(futex) HERE(futex_waitv)
    HERE(get_mempolicy) HERE(get_robust_list) HERE(getcpu) HERE(getcwd) HERE(getdents64) HERE(getegid) HERE(geteuid)
    HERE(getgid) HERE(getgroups) HERE(getitimer) HERE(getpeername) HERE(getpgid) HERE(getpid) HERE(getppid)
    HERE(getpriority) HERE(getrandom) HERE(getresgid) HERE(getresuid) HERE(getrlimit) HERE(getrusage) HERE(getsid)
    HERE(getsockname) HERE(getsockopt) HERE(gettid) HERE(gettimeofday) HERE(getuid) HERE(getxattr) HERE(init_module)
    HERE(inotify_add_watch) HERE(inotify_init1) HERE(inotify_rm_watch) HERE(io_cancel) HERE(io_destroy)
    HERE(io_getevents) HERE(io_pgetevents) HERE(io_setup) HERE(io_submit) HERE(io_uring_enter)
    HERE(io_uring_register) HERE(io_uring_setup) HERE(ioctl) HERE(ioprio_get) HERE(ioprio_set) HERE(kcmp)
    HERE(kexec_file_load) HERE(kexec_load) HERE(keyctl) HERE(kill) HERE(landlock_add_rule)
    HERE(landlock_create_ruleset) HERE(landlock_restrict_self) HERE(lgetxattr) HERE(linkat) HERE(listen)
    HERE(listxattr) HERE(llistxattr) HERE(lremovexattr) HERE(lseek) HERE(lsetxattr) HERE(madvise) HERE(mbind)
    HERE(membarrier) HERE(memfd_create) HERE(memfd_secret) HERE(migrate_pages) HERE(mincore) HERE(mkdirat)
    HERE(mknodat) HERE(mlock) HERE(mlock2) HERE(mlockall) HERE(mmap) HERE(mount) HERE(mount_setattr)
    HERE(move_mount) HERE(move_pages) HERE(mprotect) HERE(mq_getsetattr) HERE(mq_notify) HERE(mq_open)
    HERE(mq_timedreceive) HERE(mq_timedsend) HERE(mq_unlink) HERE(mremap) HERE(msgctl) HERE(msgget) HERE(msgrcv)
    HERE(msgsnd) HERE(msync) HERE(munlock) HERE(munlockall) HERE(munmap) HERE(name_to_handle_at) HERE(nanosleep)
    HERE(newfstatat) HERE(open_by_handle_at) HERE(open_tree) HERE(openat) HERE(openat2) HERE(perf_event_open)
    HERE(personality) HERE(pidfd_getfd) HERE(pidfd_open) HERE(pidfd_send_signal) HERE(pipe2) HERE(pivot_root)
    HERE(pkey_alloc) HERE(pkey_free) HERE(pkey_mprotect) HERE(ppoll) HERE(prctl) HERE(pread64) HERE(preadv)
    HERE(preadv2) HERE(prlimit64) HERE(process_madvise) HERE(process_mrelease) HERE(process_vm_readv)
    HERE(process_vm_writev) HERE(pselect6) HERE(ptrace) HERE(pwrite64) HERE(pwritev) HERE(pwritev2) HERE(quotactl)
    HERE(read) HERE(readahead) HERE(readlinkat) HERE(readv) HERE(reboot) HERE(recvfrom) HERE(recvmmsg) HERE(recvmsg)
    HERE(remap_file_pages) HERE(removexattr) HERE(renameat) HERE(renameat2) HERE(request_key) HERE(rseq)
    HERE(rt_sigaction) HERE(rt_sigpending) HERE(rt_sigprocmask) HERE(rt_sigqueueinfo) HERE(rt_sigreturn)
    HERE(rt_sigsuspend) HERE(rt_sigtimedwait) HERE(rt_tgsigqueueinfo) HERE(sched_get_priority_max)
    HERE(sched_get_priority_min) HERE(sched_getaffinity) HERE(sched_getattr) HERE(sched_getparam)
    HERE(sched_getscheduler) HERE(sched_rr_get_interval) HERE(sched_setaffinity) HERE(sched_setattr)
    HERE(sched_setparam) HERE(sched_setscheduler) HERE(sched_yield) HERE(seccomp) HERE(semctl) HERE(semget)
    HERE(semop) HERE(semtimedop) HERE(sendfile) HERE(sendmmsg) HERE(sendmsg) HERE(sendto) HERE(set_mempolicy)
    HERE(set_robust_list) HERE(set_tid_address) HERE(setdomainname) HERE(setfsgid) HERE(setfsuid) HERE(setgid)
    HERE(setgroups) HERE(sethostname) HERE(setitimer) HERE(setns) HERE(setpgid) HERE(setpriority) HERE(setregid)
    HERE(setresgid) HERE(setresuid) HERE(setreuid) HERE(setrlimit) HERE(setsid) HERE(setsockopt) HERE(settimeofday)
    HERE(setuid) HERE(setxattr) HERE(shmat) HERE(shmctl) HERE(shmdt) HERE(shmget) HERE(shutdown) HERE(sigaltstack)
    HERE(signalfd4) HERE(socket) HERE(socketpair) HERE(splice) HERE(statfs) HERE(statx) HERE(swapoff) HERE(swapon)
    HERE(symlinkat) HERE(sync) HERE(sync_file_range) HERE(syncfs) HERE(sysinfo) HERE(syslog) HERE(tee) HERE(tgkill)
    HERE(timer_create) HERE(timer_delete) HERE(timer_getoverrun) HERE(timer_gettime) HERE(timer_settime)
    HERE(timerfd_create) HERE(timerfd_gettime) HERE(timerfd_settime) HERE(times) HERE(tkill) HERE(truncate)
    HERE(umask) HERE(umount2) HERE(uname) HERE(unlinkat) HERE(unshare) HERE(userfaultfd) HERE(utimensat)
    HERE(vhangup) HERE(vmsplice) HERE(wait4) HERE(waitid) HERE(write) HERE(writev)
    OLD(access) OLD(alarm) OLD(arch_prctl) OLD(chmod) OLD(chown) OLD(creat) OLD(dup2) OLD(epoll_create)
    OLD(epoll_wait) OLD(eventfd) OLD(fork) OLD(futimesat) OLD(get_thread_area) OLD(getdents) OLD(getpgrp)
    OLD(inotify_init) OLD(ioperm) OLD(iopl) OLD(lchown) OLD(link) OLD(lstat) OLD(mkdir) OLD(mknod) OLD(modify_ldt)
    OLD(open) OLD(pause) OLD(pipe) OLD(poll) OLD(readlink) OLD(rename) OLD(rmdir) OLD(select) OLD(set_thread_area)
    OLD(signalfd) OLD(stat) OLD(symlink) OLD(time) OLD(unlink) OLD(utime) OLD(utimes) OLD(vfork)
};

static const int count = sizeof names / sizeof names[0];

const char *tracer_call_name(int number) {
    if (number < 0) return NULL;
    for (int i = 0; i < count; i++)
        if (names[i].number == number) return names[i].name;
    return NULL;
}

int tracer_call_number(const char *name) {
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i].name, name)) return names[i].number;
    return TRACER_UNKNOWN;
}
