#ifndef FIRSTLIGHT_CTRACER_H
#define FIRSTLIGHT_CTRACER_H

// ptrace(2) for Swift, which cannot call variadic functions. Host only.

#include <sys/ptrace.h>
#include <sys/types.h>

#endif
