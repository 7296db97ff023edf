#define _GNU_SOURCE
#include "tracer.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the tracer knows the registers of x86_64 and aarch64"
#endif

// ---- start ----

// A stop costs two switches between processes, and most calls of a boot are of no interest: a seccomp filter stops only
// at those that are chosen. A boot under PTRACE_SYSCALL took three times as long.
static struct sock_filter *filter_for(const struct tracer_program *program, unsigned short *length) {
    int count = program->call_count;
    struct sock_filter *filter = malloc(sizeof *filter * (size_t)(2 * (count < 0 ? 0 : count) + 5));
    if (!filter) return NULL;
    const struct sock_filter trace = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    unsigned short n = 0;
    // Numbers of a 32-bit program would mean other calls.
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    filter[n++] = allow;
    if (count < 0) {
        filter[n++] = trace;
    } else {
        filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (int i = 0; i < count; i++) {
            filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)program->calls[i], 0, 1);
            filter[n++] = trace;
        }
        filter[n++] = allow;
    }
    *length = n;
    return filter;
}

// Between fork and exec of a process with threads: async-signal-safe calls only.
static void become(const struct tracer_program *program, const struct sock_fprog *filter, int gate) {
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction initial = {.sa_handler = SIG_DFL};
        sigaction(signal, &initial, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char byte;
    // Nothing is executed unseen: without its tracer a filtered call would give ENOSYS.
    if (read(gate, &byte, 1) != 1) _exit(ECANCELED);
    // Ctrl-C at the terminal is for the bench, which ends this in order.
    setpgid(0, 0);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, 0) < 0 || dup2(program->output, 1) < 0 || dup2(program->output, 2) < 0) _exit(errno);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter)) {
        // Who is not root gets a filter only for giving up what set-user-ID programs would grant.
        if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) _exit(errno);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter)) _exit(errno);
    }
    execve(program->path, program->argv, program->envp);
    _exit(errno);
}

int tracer_start(const struct tracer_program *program, pid_t *pid) {
    struct sock_fprog filter;
    filter.filter = filter_for(program, &filter.len);
    if (!filter.filter) return ENOMEM;
    int gate[2];
    if (pipe2(gate, O_CLOEXEC)) {
        free(filter.filter);
        return errno;
    }
    pid_t child = fork();
    int code = child < 0 ? errno : 0;
    if (child == 0) become(program, &filter, gate[0]);
    free(filter.filter);
    close(gate[0]);
    if (!code) {
        long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE
            | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
        // SEIZE and not TRACEME: only so does a stopped process stay stopped (PTRACE_LISTEN).
        if (ptrace(PTRACE_SEIZE, child, 0, options) || write(gate[1], "", 1) != 1) {
            code = errno;
            kill(child, SIGKILL);
            waitpid(child, NULL, __WALL);
        }
    }
    close(gate[1]);
    *pid = child;
    return code;
}

// ---- stops ----

static int event_message(pid_t pid) {
    unsigned long message = 0;
    return ptrace(PTRACE_GETEVENTMSG, pid, 0, &message) ? 0 : (int)message;
}

struct tracer_stop tracer_wait(void) {
    int status = 0;
    // Only this thread's tracees and children: another lane's are another thread's.
    pid_t pid = waitpid(-1, &status, __WALL | __WNOTHREAD);
    struct tracer_stop stop = {pid, TRACER_SIGNAL, 0};
    if (pid < 0) {
        stop.kind = errno == ECHILD ? TRACER_NONE_LEFT : TRACER_TICK;
    } else if (WIFEXITED(status)) {
        stop.kind = TRACER_EXITED;
        stop.value = WEXITSTATUS(status);
    } else if (WIFSIGNALED(status)) {
        stop.kind = TRACER_KILLED;
        stop.value = WTERMSIG(status);
    } else {
        int signal = WSTOPSIG(status);
        switch (status >> 16) {
        case PTRACE_EVENT_SECCOMP: stop.kind = TRACER_CALL; break;
        case PTRACE_EVENT_EXEC:
            stop.kind = TRACER_EXECUTED;
            stop.value = event_message(pid);
            break;
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
        case PTRACE_EVENT_CLONE:
            stop.kind = TRACER_FORKED;
            stop.value = event_message(pid);
            break;
        case PTRACE_EVENT_STOP:
            stop.kind = signal == SIGTRAP ? TRACER_BORN : TRACER_GROUP_STOP;
            break;
        default:
            if (signal == (SIGTRAP | 0x80)) stop.kind = TRACER_RETURNED;
            else stop.value = signal;
        }
    }
    return stop;
}

static int resume(enum __ptrace_request how, pid_t pid, long signal) {
    return ptrace(how, pid, 0, signal) ? errno : 0;
}
int tracer_resume(pid_t pid, int signal) { return resume(PTRACE_CONT, pid, signal); }
// The filter's stop comes behind that for the call's entry (seccomp(2), Linux 4.8), so the next one is its return.
int tracer_resume_to_return(pid_t pid) { return resume(PTRACE_SYSCALL, pid, 0); }
int tracer_listen(pid_t pid) { return resume(PTRACE_LISTEN, pid, 0); }

// ---- calls ----

int tracer_get_call(pid_t pid, struct tracer_call *call) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) return errno;
    if (info.op != PTRACE_SYSCALL_INFO_SECCOMP) return EINVAL;
    call->number = (int)info.seccomp.nr;
    memcpy(call->arguments, info.seccomp.args, sizeof call->arguments);
    return 0;
}

int tracer_get_result(pid_t pid, int64_t *result) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) return errno;
    if (info.op != PTRACE_SYSCALL_INFO_EXIT) return EINVAL;
    *result = info.exit.rval;
    return 0;
}

#ifdef __x86_64__
int tracer_set_result(pid_t pid, int64_t result) {
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result) ? errno : 0;
}

// A call numbered -1 is none (seccomp(2), SECCOMP_RET_TRACE).
int tracer_skip(pid_t pid, int64_t result) {
    if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L)) return errno;
    return tracer_set_result(pid, result);
}
#else
int tracer_set_result(pid_t pid, int64_t result) {
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all)) return errno;
    registers.regs[0] = (unsigned long long)result;
    return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all) ? errno : 0;
}

int tracer_skip(pid_t pid, int64_t result) {
    int none = -1;
    struct iovec number = {&none, sizeof none};
    if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &number)) return errno;
    return tracer_set_result(pid, result);
}
#endif

int tracer_read_string(pid_t pid, uint64_t address, char *text, int size) {
    int length = 0;
    // Page by page: the one behind the string may not be there.
    while (length < size - 1) {
        size_t chunk = 4096 - (address + (uint64_t)length) % 4096;
        if (chunk > (size_t)(size - 1 - length)) chunk = (size_t)(size - 1 - length);
        struct iovec here = {text + length, chunk};
        struct iovec there = {(void *)(uintptr_t)(address + (uint64_t)length), chunk};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)chunk) return -1;
        const char *end = memchr(text + length, 0, chunk);
        if (end) return (int)(end - text);
        length += (int)chunk;
    }
    text[length] = 0;
    return length;
}

// ---- ticks ----

static _Thread_local timer_t ticks;

static void nothing(int signal) { (void)signal; }

int tracer_ticks_begin(int milliseconds) {
    // Without SA_RESTART: the tick's whole purpose is that waitpid comes back.
    struct sigaction action = {.sa_handler = nothing};
    if (sigaction(SIGRTMAX - 1, &action, NULL)) return errno;
    tracer_ticks_hold(0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMAX - 1};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &ticks)) return errno;
    // Again and again: one that comes just before waitpid is lost, the next is not.
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    struct itimerspec period = {time, time};
    return timer_settime(ticks, 0, &period, NULL) ? errno : 0;
}

void tracer_ticks_hold(int hold) {
    sigset_t tick;
    sigemptyset(&tick);
    sigaddset(&tick, SIGRTMAX - 1);
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &tick, NULL);
}

void tracer_ticks_end(void) { timer_delete(ticks); }
