// libgpiod 1.6: a handle per line, consumer and flags in one request.
#include "gpio_common.h"

#if FIRSTLIGHT_GPIOD == 1

#include <linux/gpio.h>
#include <unistd.h>

struct cgpio_line {
    struct gpiod_chip *chip;
    struct gpiod_line *line;
    char text[120];
};

struct search {
    const char *name;
    struct gpiod_chip *chip;
    struct gpiod_line *line;
};

static int find_by_name(const char *path, void *context) {
    struct search *search = context;
    struct gpiod_chip *chip = gpiod_chip_open(path);
    if (!chip) return 0;
    search->line = gpiod_chip_find_line(chip, search->name);
    if (search->line) {
        search->chip = chip;
        return 1;
    }
    gpiod_chip_close(chip);
    return 0;
}

static int open_line(const char *name, struct cgpio_line **out, char *message, size_t size) {
    char path[300];
    unsigned offset;
    int by_name = 0;
    struct search found = {name, NULL, NULL};
    if (split(name, path, sizeof path, &offset)) {
        found.chip = gpiod_chip_open(path);
        if (!found.chip) return fail(errno, message, size, "open the chip of", name, "");
        found.line = gpiod_chip_get_line(found.chip, offset);
        if (!found.line) {
            int code = errno;
            gpiod_chip_close(found.chip);
            return fail(code, message, size, "find line", name, "the chip has no such offset");
        }
    } else {
        int chips;
        if (!each_chip(find_by_name, &found, &chips)) return no_such_name(name, chips, message, size);
        by_name = 1;
    }
    struct cgpio_line *line = malloc(sizeof *line);
    if (!line) {
        gpiod_chip_close(found.chip);
        return fail(ENOMEM, message, size, "open line", name, "");
    }
    line->chip = found.chip;
    line->line = found.line;
    describe(line->text, sizeof line->text, name, by_name, gpiod_chip_name(found.chip), gpiod_line_offset(found.line));
    *out = line;
    return 0;
}

static int request_failed(struct cgpio_line *line, char *message, size_t size) {
    int code = errno;
    char holder[80] = "";
    const char *consumer = gpiod_line_consumer(line->line);
    if (code == EBUSY) snprintf(holder, sizeof holder, "held by \"%s\"", consumer ? consumer : "the kernel");
    fail(code, message, size, "request line", line->text, holder);
    gpiod_chip_close(line->chip);
    free(line);
    return code;
}

int cgpio_open_output(const char *name, int active_low, int open_drain, int lit, struct cgpio_line **out,
                      char *message, size_t size) {
    struct cgpio_line *line;
    int code = open_line(name, &line, message, size);
    if (code) return code;
    int flags = (active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0) |
                (open_drain ? GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN : 0);
    if (gpiod_line_request_output_flags(line->line, CONSUMER, flags, lit)) {
        return request_failed(line, message, size);
    }
    *out = line;
    return 0;
}

int cgpio_open_input(const char *name, int active_low, enum cgpio_bias bias, struct cgpio_line **out, char *message,
                     size_t size) {
    struct cgpio_line *line;
    int code = open_line(name, &line, message, size);
    if (code) return code;
    int flags = active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
    switch (bias) {
        case CGPIO_BIAS_DISABLED: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE; break;
        case CGPIO_BIAS_PULL_UP: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP; break;
        case CGPIO_BIAS_PULL_DOWN: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN; break;
        case CGPIO_BIAS_AS_IS: break;
    }
    if (gpiod_line_request_both_edges_events_flags(line->line, CONSUMER, flags)) {
        return request_failed(line, message, size);
    }
    *out = line;
    return 0;
}

int cgpio_set(struct cgpio_line *line, int lit) { return gpiod_line_set_value(line->line, lit) ? errno : 0; }

int cgpio_get(struct cgpio_line *line) { return gpiod_line_get_value(line->line); }

int cgpio_fd(struct cgpio_line *line) { return gpiod_line_event_get_fd(line->line); }

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

int cgpio_read_edge(struct cgpio_line *line, int *active, int64_t *monotonic_ns) {
    struct pollfd waiting = {.fd = cgpio_fd(line), .events = POLLIN};
    if (poll(&waiting, 1, 0) <= 0) return 0;
    // The kernel's own event, and not libgpiod's: that has a timespec in it, which on 32 bits is as long as the library was built for.
    struct gpioevent_data event;
    ssize_t n = read(waiting.fd, &event, sizeof event);
    if (n != (ssize_t)sizeof event) return n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
    *active = event.id == GPIOEVENT_EVENT_RISING_EDGE;
    *monotonic_ns = (int64_t)event.timestamp;
    // Before Linux 5.7 events carried the wall clock.
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (*monotonic_ns > nanoseconds(now)) *monotonic_ns = nanoseconds(now);
    return 1;
}

void cgpio_close(struct cgpio_line *line) {
    gpiod_chip_close(line->chip);
    free(line);
}

#endif
