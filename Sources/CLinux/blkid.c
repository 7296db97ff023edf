#include "CLinux.h"

#include <blkid/blkid.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

int linux_blkid_find(const char *tag, const char *value, char *paths, size_t size) {
    blkid_cache cache = NULL;
    if (blkid_get_cache(&cache, "/dev/null")) return -ENOMEM;
    int count = 0;
    size_t used = 0;
    paths[0] = 0;
    // blkid_evaluate_tag would silently take one of two partitions of the same name (B9), so all are counted.
    if (blkid_probe_all(cache) == 0) {
        blkid_dev_iterate all = blkid_dev_iterate_begin(cache);
        blkid_dev device;
        blkid_dev_set_search(all, tag, value);
        while (all && blkid_dev_next(all, &device) == 0) {
            device = blkid_verify(cache, device);
            if (!device) continue;
            const char *name = blkid_dev_devname(device);
            size_t length = strlen(name);
            if (used + length + 2 <= size) {
                memcpy(paths + used, name, length);
                used += length;
                paths[used++] = '\n';
                paths[used] = 0;
            }
            count++;
        }
        blkid_dev_iterate_end(all);
    }
    blkid_put_cache(cache);
    return count;
}

int linux_blkid_type(int descriptor, char *type, size_t size) {
    blkid_probe probe = blkid_new_probe();
    if (!probe) return -ENOMEM;
    int result;
    errno = 0;
    if (blkid_probe_set_device(probe, descriptor, 0, 0)) {
        result = errno ? -errno : -EIO;
    } else {
        blkid_probe_enable_superblocks(probe, 1);
        blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
        blkid_probe_enable_partitions(probe, 1);
        errno = 0;
        switch (blkid_do_safeprobe(probe)) {
        case 0: {
            const char *name = NULL;
            if (blkid_probe_lookup_value(probe, "TYPE", &name, NULL))
                blkid_probe_lookup_value(probe, "PTTYPE", &name, NULL);
            snprintf(type, size, "%s", name ? name : "unknown");
            result = 1;
            break;
        }
        case 1: result = 0; break;
        case -2: result = 2; break;
        default: result = errno ? -errno : -EIO;
        }
    }
    blkid_free_probe(probe);
    return result;
}

uint64_t linux_whole_disk(uint64_t device) {
    dev_t disk = 0;
    if (major(device) == 0 || blkid_devno_to_wholedisk((dev_t)device, NULL, 0, &disk)) return 0;
    return disk;
}

unsigned linux_device_major(uint64_t device) { return major(device); }
unsigned linux_device_minor(uint64_t device) { return minor(device); }
uint64_t linux_device_number(unsigned major_number, unsigned minor_number) { return makedev(major_number, minor_number); }

int64_t linux_device_size(int descriptor) {
    uint64_t size = 0;
    return ioctl(descriptor, BLKGETSIZE64, &size) ? -1 : (int64_t)size;
}

int linux_discard(int descriptor, uint64_t offset, uint64_t length) {
    uint64_t range[2] = {offset, length};
    return ioctl(descriptor, BLKDISCARD, range);
}

int linux_zero_out(int descriptor, uint64_t offset, uint64_t length) {
    uint64_t range[2] = {offset, length};
    return ioctl(descriptor, BLKZEROOUT, range);
}

int linux_sector_size(int descriptor) {
    int size = 0;
    return ioctl(descriptor, BLKSSZGET, &size) ? -1 : size;
}

int linux_resize_partition(int descriptor, int number, int64_t start, int64_t length) {
    struct blkpg_partition partition = {.start = start, .length = length, .pno = number};
    struct blkpg_ioctl_arg request = {.op = BLKPG_RESIZE_PARTITION, .datalen = sizeof partition, .data = &partition};
    return ioctl(descriptor, BLKPG, &request) ? errno : 0;
}
