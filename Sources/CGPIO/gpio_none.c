// No libgpiod: without the trait GPIO, or without its header. Boards then use led:NAME.
#include "gpio_common.h"

#if FIRSTLIGHT_GPIOD == 0
#include <errno.h>
#include <stdio.h>

static int missing(const char *line, char *message, size_t size) {
    snprintf(message, size, "request line %s: this build has no libgpiod", line);
    return ENOSYS;
}

int cgpio_open_output(const char *line, int active_low, int open_drain, int lit, struct cgpio_line **out,
                      char *message, size_t size) {
    (void)active_low, (void)open_drain, (void)lit, (void)out;
    return missing(line, message, size);
}

int cgpio_open_input(const char *line, int active_low, enum cgpio_bias bias, struct cgpio_line **out, char *message,
                     size_t size) {
    (void)active_low, (void)bias, (void)out;
    return missing(line, message, size);
}

int cgpio_set(struct cgpio_line *line, int lit) { return (void)line, (void)lit, ENOSYS; }
int cgpio_get(struct cgpio_line *line) { return (void)line, -1; }
int cgpio_fd(struct cgpio_line *line) { return (void)line, -1; }
int cgpio_read_edge(struct cgpio_line *line, int *active, int64_t *monotonic_ns) {
    return (void)line, (void)active, (void)monotonic_ns, -1;
}
void cgpio_close(struct cgpio_line *line) { (void)line; }

#endif
