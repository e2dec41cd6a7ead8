#include "base/arena.h"

#include "base/fault.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>

enum {
    ALIGN_MAX = 16,
    BLOCK_FIRST = 4 << 10,
    BLOCK_LARGEST = 256 << 10, /* what is larger gets a block of its own */
    BLOCK_KEPT_MAX = 64 << 10, /* so that one large call does not fatten an idle loop */
};

/* Bytes that belong to nobody stand between objects when the sanitizer can watch them. */
#ifdef WEIR_SANITIZED
enum { GAP = 8 };
#else
enum { GAP = 0 };
#endif

struct arena_block {
    _Alignas(ALIGN_MAX) struct arena_block *next;
    size_t cap;
    _Alignas(ALIGN_MAX) char bytes[];
};

struct arena_deferred {
    struct arena_deferred *next;
    void (*run)(void *with);
    void *with;
};

void arena_init(struct arena *arena, size_t budget) {
    assert(budget > 0);
    *arena = (struct arena){.budget = budget};
}

static void run_deferred(struct arena *arena) {
    while (arena->deferred != NULL) {
        struct arena_deferred *newest = arena->deferred;
        arena->deferred = newest->next;
        newest->run(newest->with);
    }
}

static void free_block(struct arena_block *block) {
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->cap);
    free(block);
}

void arena_deinit(struct arena *arena) {
    run_deferred(arena);
    for (struct arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free_block(block);
    }
    arena_init(arena, arena->budget);
}

static void use_block(struct arena *arena, struct arena_block *block) {
    ASAN_POISON_MEMORY_REGION(block->bytes, block->cap);
    arena->next = block->bytes;
    arena->end = block->bytes + block->cap;
}

void arena_reset(struct arena *arena) {
    run_deferred(arena);
    struct arena_block *kept = NULL;
    for (struct arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (block->cap <= BLOCK_KEPT_MAX && (kept == NULL || block->cap > kept->cap)) {
            if (kept != NULL) free_block(kept);
            kept = block;
        } else {
            free_block(block);
        }
    }
    arena_init(arena, arena->budget);
    if (kept == NULL) return;
    kept->next = NULL;
    arena->blocks = kept;
    use_block(arena, kept);
}

/* Room for `size` bytes at the largest alignment, in a new block. A large object gets a block of
 * its own behind the present one, which stays in use. */
static char *alloc_in_new_block(struct arena *arena, size_t size) {
    size_t cap = BLOCK_FIRST;
    if (arena->blocks != NULL && arena->blocks->cap < BLOCK_LARGEST)
        cap = arena->blocks->cap * 2;
    else if (arena->blocks != NULL)
        cap = BLOCK_LARGEST;
    if (cap > BLOCK_LARGEST) cap = BLOCK_LARGEST;
    bool alone = size + GAP > cap / 2;
    if (alone) cap = size + GAP;
    struct arena_block *block = malloc(sizeof *block + cap);
    if (block == NULL) return NULL;
    block->cap = cap;
    if (alone && arena->blocks != NULL) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
        ASAN_POISON_MEMORY_REGION(block->bytes, block->cap);
        return block->bytes;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    use_block(arena, block);
    char *at = arena->next;
    arena->next += size + GAP;
    return at;
}

static void *refuse(struct arena *arena) {
    arena->is_spent = true;
    return NULL;
}

void *arena_alloc(struct arena *arena, size_t size, size_t align) {
    assert(align > 0 && align <= ALIGN_MAX && (align & (align - 1)) == 0);
    if (size > arena->budget - arena->used || size > PTRDIFF_MAX / 2) return refuse(arena);
    if (fault_now()) return refuse(arena);
    size_t pad = (size_t)(-(uintptr_t)arena->next & (uintptr_t)(align - 1));
    char *at;
    if (arena->next != NULL && pad + size + GAP <= (size_t)(arena->end - arena->next)) {
        at = arena->next + pad;
        arena->next = at + size + GAP;
    } else {
        at = alloc_in_new_block(arena, size);
        if (at == NULL) return refuse(arena);
    }
    arena->used += size;
    ASAN_UNPOISON_MEMORY_REGION(at, size);
    return memset(at, 0, size);
}

void *arena_array(struct arena *arena, size_t n, size_t size, size_t align) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) return refuse(arena);
    return arena_alloc(arena, bytes, align);
}

void *arena_push(struct arena *arena, void **base, size_t *n, size_t *cap, size_t size,
                 size_t align) {
    if (*n == *cap) {
        size_t more = *cap == 0 ? 4 : *cap * 2;
        if (more < *cap) return NULL;
        char *moved = arena_array(arena, more, size, align);
        if (moved == NULL) return NULL;
        if (*n > 0) memcpy(moved, *base, *n * size);
        *base = moved;
        *cap = more;
    }
    return (char *)*base + (*n)++ * size;
}

bool arena_defer(struct arena *arena, void (*run)(void *with), void *with) {
    struct arena_deferred *newest = arena_new(arena, struct arena_deferred);
    if (newest == NULL) return false;
    *newest = (struct arena_deferred){arena->deferred, run, with};
    arena->deferred = newest;
    return true;
}
