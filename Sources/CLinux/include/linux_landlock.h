// Landlock: what a process takes away from itself for good. Documentation/userspace-api/landlock.rst in the kernel's sources.
#ifndef LINUX_LANDLOCK_H
#define LINUX_LANDLOCK_H

/// The version of Landlock's interface that the kernel has; 0 where it has none, or was started without it.
int linux_landlock_version(void);

/// From now on this thread and what it starts write, make, remove and rename only below `directory`, and neither listen on TCP nor connect
/// (from Linux 6.7 on). They read and execute as before, and what is open stays open. Needs NO_NEW_PRIVS.
///
/// Returns 0; ENOSYS below version 2 (Linux 5.19), which would refuse a rename from one directory to another; or another errno, with *step
/// naming what failed. Nothing is taken away then.
int linux_write_only_below(const char *directory, const char **step);

#endif
