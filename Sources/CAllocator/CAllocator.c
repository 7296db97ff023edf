#include "CAllocator.h"
#include <sqlite3.h>

static sqlite3_mem_methods original;
static int installed;

static _Thread_local int armed;
static _Thread_local int refuses_for_ever;
static _Thread_local long allowed;
static _Thread_local long count;
static _Thread_local long refused;

static int refuse(void) {
    if (!armed) return 0;
    long number = count++;
    if (allowed < 0 || number < allowed || (number > allowed && !refuses_for_ever)) return 0;
    refused++;
    return 1;
}

static void *counting_malloc(int size) { return refuse() ? 0 : original.xMalloc(size); }

static void *counting_realloc(void *memory, int size) { return refuse() ? 0 : original.xRealloc(memory, size); }

__attribute__((constructor)) static void install(void) {
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &original) != SQLITE_OK) return;
    sqlite3_mem_methods counting = original;
    counting.xMalloc = counting_malloc;
    counting.xRealloc = counting_realloc;
    installed = sqlite3_config(SQLITE_CONFIG_MALLOC, &counting) == SQLITE_OK
        && sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK;
}

void allocator_arm(long good, int for_ever) {
    allowed = good;
    refuses_for_ever = for_ever;
    count = refused = 0;
    armed = 1;
}

void allocator_disarm(void) { armed = 0; }

long allocator_count(void) { return count; }

long allocator_refused(void) { return refused; }

int allocator_is_installed(void) { return installed; }
