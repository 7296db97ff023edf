#define _GNU_SOURCE
#include "CTorture.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

int torture_private_mounts(void) {
    if (unshare(CLONE_NEWNS)) return errno;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ? errno : 0;
}

int torture_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) ? errno : 0; }
