/*
 * shape/cache.h - what was answered, kept for a while
 *
 * Bytes under names of bytes, each with a time after which it is gone. What was longest not asked
 * for makes room for what is new. It knows nothing of rights: whoever makes the key answers for who
 * may meet whom under it (road/recall.h).
 *
 * It has the form of the store's entries (store/store.h): a kind of it that replicas share asks
 * store_get() and store_put() in the same two places, and then it may block.
 *
 * Memory:  in all what the put's `max_bytes` allows, keys and upkeep included.
 * Errors:  none: what could not be kept is not there.
 * Threads: any; values are copied outside of the lock.
 */
#ifndef WEIR_SHAPE_CACHE_H
#define WEIR_SHAPE_CACHE_H

#include "base/arena.h"
#include "base/clock.h"

struct cache;

/* NULL: no memory. `clock` must outlive the cache. */
struct cache *cache_new(const struct clock *clock);
void cache_free(struct cache *cache); /* takes NULL */

struct cache_item {
    struct str key, value;
    int64_t ttl_ms; /* from now, by a clock that does not jump; 0 and less: not kept */
};

struct cache_value {
    struct str bytes;
    int64_t age_ms;
};

/* False: it is not there, or there was no memory for the copy. */
bool cache_get(struct cache *cache, struct str key, struct arena *arena, struct cache_value *out);
/* In the place of what was under the key. `max_bytes`: of all that is kept from now on. */
void cache_put(struct cache *cache, const struct cache_item *item, int64_t max_bytes);

struct cache_counts {
    uint64_t hits, misses, puts, pushed_out;
    uint64_t items;
    int64_t bytes;
};
void cache_count(struct cache *cache, struct cache_counts *out);

#endif
