// What a filesystem is asked through its ioctls, and files in memory.
#ifndef FIRSTLIGHT_LINUX_EXT4_H
#define FIRSTLIGHT_LINUX_EXT4_H

#include <stdint.h>

/// memfd_create(2), close-on-exec; -1 with errno.
int linux_memory_file(const char *name);
/// syncfs(2): everything written to the descriptor's filesystem is on the device. 0 or an errno.
int linux_syncfs(int descriptor);
/// Sets when a file was last written, in seconds since 1970. 0 or an errno.
int linux_set_modified(int descriptor, int64_t seconds);
/// Whether a file or directory has data between two offsets of its device, in bytes: 1 or 0; -1 where the filesystem does not say.
int linux_file_touches(int descriptor, uint64_t from, uint64_t to);
/// Grows the mounted ext4 that the descriptor is on to so many blocks. 0 or an errno.
int linux_ext4_grow(int descriptor, uint64_t blocks);
/// FITRIM of a range, in bytes: what is free in it is told to the device. 0 or an errno; EOPNOTSUPP where there is nobody to tell.
int linux_trim(int descriptor, uint64_t start, uint64_t length);

#endif
