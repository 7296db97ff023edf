// Numbers and structures are spelt out: older boards' headers have none of them, and newer kernels run below older headers.
#define _GNU_SOURCE 1
#include "linux_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };

/// struct landlock_ruleset_attr up to version 4; before, it ended behind the first.
struct ruleset { uint64_t files, network; };

/// struct landlock_path_beneath_attr.
struct path_beneath {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

enum {
    WRITE_FILE = 1 << 1,
    // REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, _DIR, _REG, _SOCK, _FIFO, _BLOCK, _SYM: whatever somebody left in the database's place is renamed
    // into quarantine, which is to make it there.
    REMOVE_AND_MAKE = 0x1ff << 4,
    REFER = 1 << 13,
    TRUNCATE = 1 << 14,
    BIND_AND_CONNECT = 3,
};

int linux_landlock_version(void) {
    long version = syscall(CREATE_RULESET, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
    return version < 0 ? 0 : (int)version;
}

int linux_write_only_below(const char *directory, const char **step) {
    *step = "landlock_create_ruleset";
    int version = linux_landlock_version();
    if (version < 2) return ENOSYS;
    // What is not listed here is free: reading and executing.
    struct ruleset rules = {WRITE_FILE | REMOVE_AND_MAKE | REFER | (version >= 3 ? TRUNCATE : 0), BIND_AND_CONNECT};
    int ruleset = (int)syscall(CREATE_RULESET, &rules, version >= 4 ? sizeof rules : sizeof rules.files, 0);
    if (ruleset < 0) return errno;
    int code = 0;
    *step = "open";
    struct path_beneath rule = {rules.files, open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (rule.directory < 0) code = errno;
    if (!code) {
        *step = "landlock_add_rule";
        if (syscall(ADD_RULE, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0)) code = errno;
        close(rule.directory);
    }
    if (!code) {
        *step = "landlock_restrict_self";
        if (syscall(RESTRICT_SELF, ruleset, 0)) code = errno;
    }
    close(ruleset);
    return code;
}
