// Which generation of libgpiod this is built against, and what both share.
#ifndef GPIO_COMMON_H
#define GPIO_COMMON_H

#define _GNU_SOURCE 1
#include "CGPIO.h"

#if defined(FIRSTLIGHT_GPIO) && defined(__has_include)
#if __has_include(<gpiod.h>)
#include <gpiod.h>
#ifdef GPIOD_LINE_BULK_MAX_LINES
#define FIRSTLIGHT_GPIOD 1
#else
#define FIRSTLIGHT_GPIOD 2
#endif
#endif
#endif
#ifndef FIRSTLIGHT_GPIOD
#define FIRSTLIGHT_GPIOD 0
#endif

#if FIRSTLIGHT_GPIOD
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONSUMER "firstlight"

static inline int fail(int code, char *message, size_t size, const char *operation, const char *line,
                       const char *detail) {
    snprintf(message, size, "%s %s: %s%s%s", operation, line, strerror(code), *detail ? ", " : "", detail);
    return code;
}

/// Splits "gpiochip0:5" into the chip's path and the offset; 0 when the text is a line's name instead.
static inline int split(const char *line, char *chip, size_t size, unsigned *offset) {
    const char *colon = strrchr(line, ':');
    if (!colon || colon == line || !colon[1]) return 0;
    unsigned value = 0;
    for (const char *digit = colon + 1; *digit; digit++) {
        // strtoul would take "-1", " 5", and 4294967301 for 5: a wrong line is worse than none.
        if (*digit < '0' || *digit > '9' || value > 99999) return 0;
        value = value * 10 + (unsigned)(*digit - '0');
    }
    *offset = value;
    snprintf(chip, size, "%s%.*s", line[0] == '/' ? "" : "/dev/", (int)(colon - line), line);
    return 1;
}

/// What messages call a line: "STATUS_LED (gpiochip0:5)", or just "gpiochip0:5" when that is how it was asked for.
static inline void describe(char *text, size_t size, const char *line, int by_name, const char *chip, unsigned offset) {
    if (by_name) {
        snprintf(text, size, "%s (%s:%u)", line, chip, offset);
    } else {
        snprintf(text, size, "%s", line);
    }
}

static inline int is_chip(const struct dirent *entry) { return strncmp(entry->d_name, "gpiochip", 8) == 0; }

/// Calls `visit` with the path of every GPIO chip, in the order of their numbers, until it returns non-zero.
/// Returns whether it did; `count` is how many chips there are.
static inline int each_chip(int (*visit)(const char *path, void *context), void *context, int *count) {
    struct dirent **entries = NULL;
    *count = scandir("/dev", &entries, is_chip, versionsort);
    int found = 0;
    for (int i = 0; i < *count; i++) {
        char path[300];
        snprintf(path, sizeof path, "/dev/%s", entries[i]->d_name);
        if (!found) found = visit(path, context);
        free(entries[i]);
    }
    free(entries);
    return found;
}

static inline int no_such_name(const char *line, int chips, char *message, size_t size) {
    return fail(ENOENT, message, size, "find line", line,
                chips > 0 ? "no chip has a line of that name" : "there is no GPIO chip in /dev");
}

#endif

#endif
