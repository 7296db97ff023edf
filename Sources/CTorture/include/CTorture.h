// The C face of the bench: ptrace(2), which is variadic, and what hides behind _GNU_SOURCE. Host only.
#ifndef FIRSTLIGHT_CTORTURE_H
#define FIRSTLIGHT_CTORTURE_H

#include <stdint.h>

#include <sys/types.h>

#include "tracer.h"

/// Mounts of this process's own, which nobody else sees and which are gone with it. Returns 0 or an errno.
int torture_private_mounts(void);

/// Gives the calling thread a table of descriptors of its own with nothing in it but `descriptor`, which is 0 there, and a mount
/// namespace of its own in which nothing is mounted. Returns 0 or an errno.
int torture_stand_alone(int descriptor);

/// Orphans of this process's children become its own. Returns 0 or an errno.
int torture_adopt_orphans(void);

#endif
