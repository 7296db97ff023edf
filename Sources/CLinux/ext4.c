// What a filesystem is asked through its ioctls. Apart from the rest: linux/fs.h and sys/mount.h name the same things.
#define _GNU_SOURCE
#include "include/linux_ext4.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int linux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int linux_syncfs(int descriptor) { return syncfs(descriptor) ? errno : 0; }

int linux_set_modified(int descriptor, int64_t seconds) {
    struct timespec times[2] = {{0, UTIME_OMIT}, {(time_t)seconds, 0}};
    return futimens(descriptor, times) ? errno : 0;
}

int linux_file_touches(int descriptor, uint64_t from, uint64_t to) {
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + 64 * sizeof(struct fiemap_extent)];
    } request;
    uint64_t at = 0;
    for (;;) {
        memset(&request, 0, sizeof request);
        request.map.fm_start = at;
        request.map.fm_length = FIEMAP_MAX_OFFSET - at;
        request.map.fm_extent_count = 64;
        if (ioctl(descriptor, FS_IOC_FIEMAP, &request.map)) return -1;
        if (!request.map.fm_mapped_extents) return 0;
        for (unsigned i = 0; i < request.map.fm_mapped_extents; i++) {
            const struct fiemap_extent *extent = &request.map.fm_extents[i];
            if (extent->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC)) return -1;
            if (extent->fe_physical < to && extent->fe_physical + extent->fe_length > from) return 1;
            if (extent->fe_flags & FIEMAP_EXTENT_LAST) return 0;
            at = extent->fe_logical + extent->fe_length;
        }
    }
}

// EXT4_IOC_RESIZE_FS, which no header of the kernel's interface has (fs/ext4/ext4.h).
int linux_ext4_grow(int descriptor, uint64_t blocks) { return ioctl(descriptor, _IOW('f', 16, uint64_t), &blocks) ? errno : 0; }

int linux_trim(int descriptor, uint64_t start, uint64_t length) {
    struct fstrim_range range = {.start = start, .len = length};
    return ioctl(descriptor, FITRIM, &range) ? errno : 0;
}
