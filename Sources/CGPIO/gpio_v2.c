// libgpiod 2.x: chip → line settings → line config → request; chips by full path only, names per chip.
#include "gpio_common.h"

#if FIRSTLIGHT_GPIOD == 2

struct cgpio_line {
    struct gpiod_line_request *request;
    struct gpiod_edge_event_buffer *events;
    unsigned offset;
};

struct search {
    const char *name;
    struct gpiod_chip *chip;
    unsigned offset;
    char text[120];
};

static int find_by_name(const char *path, void *context) {
    struct search *search = context;
    struct gpiod_chip *chip = gpiod_chip_open(path);
    if (!chip) return 0;
    int offset = gpiod_chip_get_line_offset_from_name(chip, search->name);
    if (offset >= 0) {
        describe(search->text, sizeof search->text, search->name, 1, strrchr(path, '/') + 1, (unsigned)offset);
        search->chip = chip;
        search->offset = (unsigned)offset;
        return 1;
    }
    gpiod_chip_close(chip);
    return 0;
}

static int find(const char *name, struct search *found, char *message, size_t size) {
    char path[300];
    if (split(name, path, sizeof path, &found->offset)) {
        found->chip = gpiod_chip_open(path);
        if (!found->chip) return fail(errno, message, size, "open the chip of", name, "");
        struct gpiod_line_info *info = gpiod_chip_get_line_info(found->chip, found->offset);
        if (!info) {
            int code = errno;
            gpiod_chip_close(found->chip);
            return fail(code, message, size, "find line", name, "the chip has no such offset");
        }
        gpiod_line_info_free(info);
        describe(found->text, sizeof found->text, name, 0, "", 0);
        return 0;
    }
    int chips;
    if (each_chip(find_by_name, found, &chips)) return 0;
    return no_such_name(name, chips, message, size);
}

/// Consumes `found->chip`; the settings stay the caller's, and lose their debounce period where the line cannot have one.
static int request(struct search *found, struct gpiod_line_settings *settings, struct cgpio_line **out, char *message,
                   size_t size) {
    struct cgpio_line *line = calloc(1, sizeof *line);
    struct gpiod_line_config *config = gpiod_line_config_new();
    struct gpiod_request_config *options = gpiod_request_config_new();
    int code = ENOMEM;
    char holder[80] = "";
    if (line && config && options && settings) {
        gpiod_request_config_set_consumer(options, CONSUMER);
        line->offset = found->offset;
        for (int tries = 0; tries < 2; tries++) {
            // Adding settings for the same line again replaces them.
            if (gpiod_line_config_add_line_settings(config, &found->offset, 1, settings) == 0)
                line->request = gpiod_chip_request_lines(found->chip, options, config);
            code = line->request ? 0 : errno;
            if (!code || code == EBUSY || gpiod_line_settings_get_debounce_period_us(settings) == 0) break;
            gpiod_line_settings_set_debounce_period_us(settings, 0);
        }
        if (code == EBUSY) {
            struct gpiod_line_info *info = gpiod_chip_get_line_info(found->chip, found->offset);
            const char *consumer = info ? gpiod_line_info_get_consumer(info) : NULL;
            snprintf(holder, sizeof holder, "held by \"%s\"", consumer ? consumer : "the kernel");
            if (info) gpiod_line_info_free(info);
        }
    }
    if (config) gpiod_line_config_free(config);
    if (options) gpiod_request_config_free(options);
    gpiod_chip_close(found->chip);
    if (code) {
        free(line);
        return fail(code, message, size, "request line", found->text, holder);
    }
    *out = line;
    return 0;
}

int cgpio_open_output(const char *name, int active_low, int open_drain, int lit, struct cgpio_line **out,
                      char *message, size_t size) {
    struct search found = {.name = name};
    int code = find(name, &found, message, size);
    if (code) return code;
    struct gpiod_line_settings *settings = gpiod_line_settings_new();
    if (settings) {
        gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_OUTPUT);
        gpiod_line_settings_set_active_low(settings, active_low);
        if (open_drain) gpiod_line_settings_set_drive(settings, GPIOD_LINE_DRIVE_OPEN_DRAIN);
        gpiod_line_settings_set_output_value(settings, lit ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE);
    }
    code = request(&found, settings, out, message, size);
    if (settings) gpiod_line_settings_free(settings);
    return code;
}

int cgpio_open_input(const char *name, int active_low, enum cgpio_bias bias, struct cgpio_line **out, char *message,
                     size_t size) {
    struct search found = {.name = name};
    int code = find(name, &found, message, size);
    if (code) return code;
    struct gpiod_line_settings *settings = gpiod_line_settings_new();
    if (settings) {
        gpiod_line_settings_set_direction(settings, GPIOD_LINE_DIRECTION_INPUT);
        gpiod_line_settings_set_active_low(settings, active_low);
        gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
        gpiod_line_settings_set_event_clock(settings, GPIOD_LINE_CLOCK_MONOTONIC);
        // The kernel takes the chatter off us: a floating line would wake the daemon thousands of times in a second and overflow its queue
        // of events. Only the chatter, not the whole 20 ms: what remains is debounced in Debounce.swift, where a release is dated by its
        // first edge and noise is counted. An edge that went through here is dated by the end of its chatter, 5 ms late at the least, a
        // press and its release alike.
        gpiod_line_settings_set_debounce_period_us(settings, 5000);
        switch (bias) {
            case CGPIO_BIAS_DISABLED: gpiod_line_settings_set_bias(settings, GPIOD_LINE_BIAS_DISABLED); break;
            case CGPIO_BIAS_PULL_UP: gpiod_line_settings_set_bias(settings, GPIOD_LINE_BIAS_PULL_UP); break;
            case CGPIO_BIAS_PULL_DOWN: gpiod_line_settings_set_bias(settings, GPIOD_LINE_BIAS_PULL_DOWN); break;
            case CGPIO_BIAS_AS_IS: break;
        }
    }
    code = request(&found, settings, out, message, size);
    if (settings) gpiod_line_settings_free(settings);
    if (code) return code;
    (*out)->events = gpiod_edge_event_buffer_new(1);
    if ((*out)->events) return 0;
    cgpio_close(*out);
    return fail(ENOMEM, message, size, "watch line", name, "");
}

int cgpio_set(struct cgpio_line *line, int lit) {
    enum gpiod_line_value value = lit ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
    return gpiod_line_request_set_value(line->request, line->offset, value) ? errno : 0;
}

int cgpio_get(struct cgpio_line *line) {
    switch (gpiod_line_request_get_value(line->request, line->offset)) {
        case GPIOD_LINE_VALUE_ACTIVE: return 1;
        case GPIOD_LINE_VALUE_INACTIVE: return 0;
        default: return -1;
    }
}

int cgpio_fd(struct cgpio_line *line) { return gpiod_line_request_get_fd(line->request); }

int cgpio_read_edge(struct cgpio_line *line, int *active, int64_t *monotonic_ns) {
    if (gpiod_line_request_wait_edge_events(line->request, 0) <= 0) return 0;
    if (gpiod_line_request_read_edge_events(line->request, line->events, 1) != 1) return errno == EINTR ? 0 : -1;
    struct gpiod_edge_event *event = gpiod_edge_event_buffer_get_event(line->events, 0);
    *active = gpiod_edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE;
    *monotonic_ns = (int64_t)gpiod_edge_event_get_timestamp_ns(event);
    return 1;
}

void cgpio_close(struct cgpio_line *line) {
    if (line->events) gpiod_edge_event_buffer_free(line->events);
    gpiod_line_request_release(line->request);
    free(line);
}

#endif
