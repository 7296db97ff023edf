// Block devices: libblkid without udev, sizes, discard, the numbers behind device nodes, and what the kernel is told of partitions.
#ifndef LINUX_BLKID_H
#define LINUX_BLKID_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Every block device whose `tag` (PARTLABEL, PARTUUID, LABEL, UUID) is `value`, as paths each ended by a newline, in
/// libblkid's order. Returns how many there are (more may have matched than fitted into `paths`), or a negative errno.
/// Asks the devices themselves: no udev, and a private cache that nobody else has written.
int linux_blkid_find(const char *tag, const char *value, char *paths, size_t size);

/// What lies on an open device by its signatures: 1 with the filesystem's (or partition table's) name in `type`;
/// 0 when there is none; 2 when signatures contradict each other; a negative errno when it could not be read.
int linux_blkid_type(int descriptor, char *type, size_t size);

/// The number of the whole disk that a partition belongs to; 0 when there is none (a tmpfs, an overlay).
uint64_t linux_whole_disk(uint64_t device);

unsigned linux_device_major(uint64_t device);
unsigned linux_device_minor(uint64_t device);
uint64_t linux_device_number(unsigned major, unsigned minor);

/// Size of an open block device in bytes; -1 with errno.
int64_t linux_device_size(int descriptor);

/// BLKDISCARD; -1 with errno (EOPNOTSUPP: the device cannot).
int linux_discard(int descriptor, uint64_t offset, uint64_t length);

/// BLKZEROOUT: zeros, by the device itself where it knows how; -1 with errno.
int linux_zero_out(int descriptor, uint64_t offset, uint64_t length);

/// The logical sector of an open block device in bytes, which partition tables count in; -1 with errno.
int linux_sector_size(int descriptor);

/// BLKPG_RESIZE_PARTITION on an open whole disk, in bytes: what the kernel takes a partition's size to be, also while it or others are
/// mounted. Writes nothing. 0 or an errno.
int linux_resize_partition(int descriptor, int number, int64_t start, int64_t length);

#endif
