// Keys of input devices: Documentation/input/event-codes.rst in the kernel's sources.
#define _GNU_SOURCE 1
#include "linux_keys.h"

#include <errno.h>
#include <linux/input.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int has_bit(const unsigned char *bits, int code) { return bits[code / 8] >> code % 8 & 1; }

int linux_watch_key(int device, int code) {
    unsigned char keys[KEY_CNT / 8 + 1] = {0};
    if (ioctl(device, EVIOCGBIT(EV_KEY, sizeof keys), keys) < 0 || !has_bit(keys, code)) return 0;
    // The default is the wall clock, which no board has right at boot (RULES.md F11).
    int clock = CLOCK_MONOTONIC;
    return ioctl(device, EVIOCSCLOCKID, &clock) == 0;
}

int linux_key_is_down(int device, int code) {
    unsigned char keys[KEY_CNT / 8 + 1] = {0};
    if (ioctl(device, EVIOCGKEY(sizeof keys), keys) < 0) return -1;
    return has_bit(keys, code);
}

int linux_read_key(int device, int code, int *pressed, int64_t *monotonic_ns) {
    struct pollfd waiting = {.fd = device, .events = POLLIN};
    while (poll(&waiting, 1, 0) > 0) {
        struct input_event event;
        if (read(device, &event, sizeof event) != sizeof event) return errno == EINTR ? 0 : -1;
        *monotonic_ns = (int64_t)event.input_event_sec * 1000000000 + (int64_t)event.input_event_usec * 1000;
        // Events were lost: what the key is now stands for them.
        if (event.type == EV_SYN && event.code == SYN_DROPPED) {
            int down = linux_key_is_down(device, code);
            *pressed = down == 1;
            return down < 0 ? -1 : 1;
        }
        // 2 is a repetition.
        if (event.type != EV_KEY || event.code != code || event.value == 2) continue;
        *pressed = event.value;
        return 1;
    }
    return 0;
}
