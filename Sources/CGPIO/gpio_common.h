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
    char *end;
    unsigned long value = strtoul(colon + 1, &end, 10);
    if (*end) return 0;
    *offset = (unsigned)value;
    snprintf(chip, size, "%s%.*s", line[0] == '/' ? "" : "/dev/", (int)(colon - line), line);
    return 1;
}

/// Calls `visit` with the path of every GPIO chip until it returns non-zero.
static inline int each_chip(int (*visit)(const char *path, void *context), void *context) {
    DIR *dev = opendir("/dev");
    if (!dev) return 0;
    int found = 0;
    for (struct dirent *entry; !found && (entry = readdir(dev));) {
        if (strncmp(entry->d_name, "gpiochip", 8)) continue;
        char path[300];
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        found = visit(path, context);
    }
    closedir(dev);
    return found;
}
#endif

#endif
