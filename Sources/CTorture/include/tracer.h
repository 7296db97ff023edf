// ptrace(2) for Swift, which cannot call variadic functions: one program under a tracer that stops it at chosen system
// calls. Host only; x86_64 and aarch64, kernel 5.3 or newer.
#ifndef FIRSTLIGHT_CTRACER_H
#define FIRSTLIGHT_CTRACER_H

#include <stdint.h>
#include <sys/types.h>

// ---- names ----

/// The number of a call that this architecture does not have.
#define TRACER_NOT_HERE (-1)
/// The number of a call nobody has.
#define TRACER_UNKNOWN (-2)
/// "fsync" for its number here; NULL for one without a name.
const char *tracer_call_name(int number);
/// A call's number, TRACER_NOT_HERE or TRACER_UNKNOWN.
int tracer_call_number(const char *name);

// ---- a program and all that comes of it ----

struct tracer_program {
    const char *path;           ///< absolute; PATH is not searched
    char *const *argv;
    char *const *envp;
    int output;                 ///< becomes descriptors 1 and 2; 0 comes from /dev/null
    const int *calls;           ///< the numbers of the calls that stop
    int call_count;             ///< negative: every call stops
};
/// Starts the program as a tracee of the calling thread, which is the only one that may call what follows. Its children
/// are traced from their first instruction, and all of them are killed when the thread ends. A program that could not
/// be executed exits with the errno. Returns 0 and the process id, or an errno.
int tracer_start(const struct tracer_program *program, pid_t *pid);

enum tracer_stop_kind {
    TRACER_TICK,            ///< nothing happened for as long as a tick
    TRACER_NONE_LEFT,       ///< no tracee is left, and no child of this thread
    TRACER_EXITED,          ///< with `value`
    TRACER_KILLED,          ///< by signal `value`
    TRACER_CALL,            ///< before one of the chosen calls
    TRACER_RETURNED,        ///< behind a call that was resumed with tracer_resume_to_return
    TRACER_EXECUTED,        ///< has become another program; `value` is the thread that did it
    TRACER_FORKED,          ///< has a new child or thread, `value`
    TRACER_BORN,            ///< is new
    TRACER_GROUP_STOP,      ///< was stopped by SIGSTOP and its like: tracer_listen
    TRACER_SIGNAL,          ///< is about to get signal `value`: resume with it
};
struct tracer_stop {
    pid_t pid;
    enum tracer_stop_kind kind;
    int value;
};
/// Waits for the next stop of any tracee of this thread, or for a tick.
struct tracer_stop tracer_wait(void);

// These return 0, or an errno: ESRCH when the tracee has been killed meanwhile, which its next stop will tell.
int tracer_resume(pid_t pid, int signal);
int tracer_resume_to_return(pid_t pid);
int tracer_listen(pid_t pid);

struct tracer_call {
    int number;
    uint64_t arguments[6];
};
/// The call before which the tracee is stopped. Returns 0 or an errno.
int tracer_get_call(pid_t pid, struct tracer_call *call);
/// Before a call: it is not executed and returns `result` (a negative errno for an error). Returns 0 or an errno.
int tracer_skip(pid_t pid, int64_t result);
/// Behind a call: what it returned, a negative errno for an error. Returns 0 or an errno.
int tracer_get_result(pid_t pid, int64_t *result);
/// Behind a call: it seems to have returned `result`. Returns 0 or an errno.
int tracer_set_result(pid_t pid, int64_t result);
/// Reads a string of the tracee's, at most `size` - 1 bytes. Returns its length, or -1.
int tracer_read_string(pid_t pid, uint64_t address, char *text, int size);

// ---- ticks ----

/// From now on tracer_wait comes back at least every so many milliseconds. Returns 0 or an errno.
int tracer_ticks_begin(int milliseconds);
/// Holds the ticks back while code runs that is not to be interrupted; they use the last but one real-time signal.
void tracer_ticks_hold(int hold);
void tracer_ticks_end(void);

#endif
