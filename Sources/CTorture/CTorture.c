#define _GNU_SOURCE
#include "CTorture.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

int torture_private_mounts(void) {
    if (unshare(CLONE_NEWNS)) return errno;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ? errno : 0;
}

int torture_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) ? errno : 0; }

int torture_stand_alone(int descriptor) {
    // Descriptors first, and at once: while they are copies, a file that another thread closes stays open.
    if (unshare(CLONE_FILES) != 0 || dup2(descriptor, 0) < 0 || close_range(1, ~0U, 0) != 0) return errno;
    if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return errno;
    // Private first: what is detached here stays where it is for everybody else.
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
    return umount2("/", MNT_DETACH) != 0 ? errno : 0;
}
