/*
 * backend/duckdb_fence.h - what a worker can no longer do
 *
 * Three walls around an engine that runs hostile statements. Files (landlock): only what was named
 * may be read, and a loader may write one directory; set before threads exist, for it holds for the
 * caller and what it starts. Limits: no core, no files grown, bounded address space. Calls
 * (seccomp): nothing is opened, connected, executed or forked any more; set on all threads once the
 * database is open. Programs under a sanitizer, which maps terabytes and opens /proc, have the file
 * wall alone.
 *
 * Errors:  FAIL_IO with the wall's name; what was done stays done.
 * Threads: one, at the start of a process.
 */
#ifndef WEIR_BACKEND_DUCKDB_FENCE_H
#define WEIR_BACKEND_DUCKDB_FENCE_H

#include "backend/duckdb_setup.h"

/* Reading of the library, the system's libraries and setup->inputs; writing of setup->output. */
MUST_USE result fence_files(const struct duckdb_setup *setup, struct report *report);
MUST_USE result fence_limits(const struct duckdb_setup *setup, struct report *report);

/* -- of duckdb_fence_calls.c, or of duckdb_fence_calls_off.c in a sanitized program -- */
MUST_USE result fence_address_space(uint64_t bytes, struct report *report);
MUST_USE result fence_calls(struct report *report);
extern const bool fence_calls_is_built; /* false: the two above do nothing */

#endif
