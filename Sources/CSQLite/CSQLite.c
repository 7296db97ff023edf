#define _GNU_SOURCE 1
#include "CSQLite.h"

#include <stdlib.h>

#if __has_include(<sys/random.h>)
#include <sys/random.h>
#endif
#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004
#endif

static int (*system_randomness)(sqlite3_vfs *, int, char *);

static int early_randomness(sqlite3_vfs *vfs, int length, char *buffer) {
    // Kernels before 5.6 know no GRND_INSECURE and answer EINVAL.
    ssize_t n = getrandom(buffer, (size_t)length, GRND_INSECURE);
    return n == length ? length : system_randomness(vfs, length, buffer);
}

void csqlite_never_wait_for_entropy(void) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(0);
    if (!vfs || vfs->xRandomness == early_randomness) return;
    system_randomness = vfs->xRandomness;
    vfs->xRandomness = early_randomness;
}
