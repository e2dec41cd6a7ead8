/*
 * identity/locked.h - memory for secrets: not swapped, not dumped, not inherited by children
 *
 * Whole pages of their own, zeroed. Where locking is not allowed (RLIMIT_MEMLOCK) the memory is
 * given all the same, and the log says so: what we keep there lies in a file, the environment or
 * our peers' requests anyway.
 *
 * Memory:  ended by locked_free(), which wipes it first.
 * Errors:  NULL: no memory.
 * Threads: no shared state.
 */
#ifndef WEIR_IDENTITY_LOCKED_H
#define WEIR_IDENTITY_LOCKED_H

#include <stddef.h>

void *locked_new(size_t size);
void locked_free(void *memory, size_t size); /* takes NULL */

#endif
