#ifndef FIRSTLIGHT_CALLOCATOR_H
#define FIRSTLIGHT_CALLOCATOR_H

// SQLite's memory through a counter that can refuse. Host only.
//
// A constructor puts it under SQLite: sqlite3_config works before SQLite's first use only, and which of a process's parts is
// first to use it nobody knows. Lookaside is off, so that every allocation passes here. Nothing is refused, and nothing counted, on a thread that has not
// armed it.

/// Counts this thread's allocations from now on, and refuses the one after `good` of them; with `for_ever` all later ones as
/// well. A negative `good` refuses none.
void allocator_arm(long good, int for_ever);

/// Refuses and counts no more.
void allocator_disarm(void);

/// How many allocations were asked for since it was armed, those refused among them.
long allocator_count(void);

/// How many were refused since it was armed.
long allocator_refused(void);

/// Whether SQLite uses it.
int allocator_is_installed(void);

#endif
