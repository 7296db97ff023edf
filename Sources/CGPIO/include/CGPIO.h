// One GPIO line as the front panel needs it, over libgpiod 1.6, libgpiod 2.x or nothing at all: which one, the header
// that the sysroot has decides. Debian 12, Buildroot's `libgpiod` and Yocto kirkstone have 1.6; `libgpiod2`, scarthgap
// and newer 2.x (RULES.md B3).
#ifndef CGPIO_H
#define CGPIO_H

#include <stddef.h>
#include <stdint.h>

enum cgpio_bias { CGPIO_BIAS_AS_IS, CGPIO_BIAS_DISABLED, CGPIO_BIAS_PULL_UP, CGPIO_BIAS_PULL_DOWN };

/// A requested line. Values are logical: active-low is the kernel's to turn round.
struct cgpio_line;

/// Requests an output. `line` is "gpiochip0:5", "/dev/gpiochip0:5" or a line's name.
/// A name that several lines have means the one on the chip of the lowest number.
/// Returns 0, or an errno with `message` saying what was done to which line and, for EBUSY, who holds it (RULES.md B2).
int cgpio_open_output(const char *line, int active_low, int open_drain, int lit, struct cgpio_line **out,
                      char *message, size_t size);

/// Requests an input with events on both edges. Returns as cgpio_open_output.
int cgpio_open_input(const char *line, int active_low, enum cgpio_bias bias, struct cgpio_line **out, char *message,
                     size_t size);

/// 0, or an errno.
int cgpio_set(struct cgpio_line *line, int lit);
/// 1 active, 0 not, -1 an error.
int cgpio_get(struct cgpio_line *line);
/// The descriptor that is readable when an edge waits.
int cgpio_fd(struct cgpio_line *line);
/// Takes one waiting edge: 1, or 0 when none is waiting, or -1 when the line is gone. The time is CLOCK_MONOTONIC in
/// nanoseconds.
int cgpio_read_edge(struct cgpio_line *line, int *active, int64_t *monotonic_ns);
void cgpio_close(struct cgpio_line *line);

#endif
