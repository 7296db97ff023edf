// Keys of input devices (/dev/input/eventN). The ioctls are macros that Swift cannot spell.
#ifndef LINUX_KEYS_H
#define LINUX_KEYS_H

#include <stdint.h>

/// 1 when the open input device has the key, and its events carry CLOCK_MONOTONIC from now on; else 0.
int linux_watch_key(int device, int code);
/// 1 down, 0 up, -1 an error.
int linux_key_is_down(int device, int code);
/// Takes waiting events up to an edge of the key: 1, or 0 when there is none, or -1 when the device is gone.
int linux_read_key(int device, int code, int *pressed, int64_t *monotonic_ns);

#endif
