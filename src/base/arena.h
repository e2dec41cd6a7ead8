/*
 * base/arena.h - memory with one life and one budget
 *
 * A call, a snapshot, a file being read: each owns an arena. Objects are never freed singly; the
 * whole is freed at once. What is not memory (a descriptor, a handle) is registered with
 * arena_defer() and released, newest first, before the memory goes.
 *
 * Memory:  all memory given out is zeroed, because zero means deny. The budget counts payload
 *          bytes; passing it gives NULL, as does the machine or the fault counter (base/fault.h).
 * Errors:  NULL. Callers answer it with fail_memory(); whoever owns the arena may ask is_spent at
 * the end, lest a text that found no room stand for an empty one. Threads: one owner at a time.
 */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena_deferred;

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_deferred *deferred;
    char *next;
    char *end;
    size_t used;
    size_t budget;
    bool is_spent; /* something was refused since init or reset: what was made may lack a part */
};

/* `budget` in bytes, at least 1. Allocates nothing yet. */
void arena_init(struct arena *arena, size_t budget);
/* Runs what was deferred, newest first, and frees all memory. The arena may be used again. */
void arena_deinit(struct arena *arena);
/* As deinit, but keeps one block, so that a loop that serves call after call does not malloc. */
void arena_reset(struct arena *arena);

/* `size` bytes, zeroed, aligned to `align` (a power of two up to 16). Size 0 gives a valid pointer.
 */
void *arena_alloc(struct arena *arena, size_t size, size_t align) __attribute__((malloc));
/* An array of n elements of `size` bytes; NULL when the product overflows. */
void *arena_array(struct arena *arena, size_t n, size_t size, size_t align) __attribute__((malloc));

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type), _Alignof(type)))
#define arena_new_array(arena, n, type)                                                            \
    ((type *)arena_array((arena), (n), sizeof(type), _Alignof(type)))

/* Appends one zeroed element to a growing array in the arena; *n and *cap are updated, *base may
 * move (old copies stay valid memory). Returns the new element or NULL. */
void *arena_push(struct arena *arena, void **base, size_t *n, size_t *cap, size_t size,
                 size_t align);
#define ARENA_PUSH(arena, base, n, cap)                                                            \
    arena_push((arena), (void **)&(base), &(n), &(cap), sizeof *(base),                            \
               _Alignof(__typeof__(*(base))))

/* run(with) is called when the arena ends. false: the budget is spent, nothing was registered. */
bool arena_defer(struct arena *arena, void (*run)(void *with), void *with)
    __attribute__((warn_unused_result));

#endif
