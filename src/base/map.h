/*
 * base/map.h - names to things
 *
 * Open addressing over SipHash-1-3 with a random key (Aumasson, Bernstein 2012), so that a peer who
 * chooses the names cannot choose the collisions. Keys are borrowed views: what they point into
 * must outlive the map. Order of map_each() is the order of first insertion.
 *
 * Memory:  in the arena given at init; a map that grows leaves its old table there. For maps that
 *          live and change long (sessions), use map_init_heap() and map_deinit().
 * Errors:  map_put() gives false when memory is spent; nothing has changed then.
 * Threads: any number of readers, or one writer.
 */
#ifndef WEIR_BASE_MAP_H
#define WEIR_BASE_MAP_H

#include "base/str.h"

struct map_entry {
    struct str key;
    void *value; /* NULL: the entry was removed */
    uint64_t hash;
};

struct map {
    struct arena *arena; /* NULL: heap */
    struct map_entry *entries;
    uint32_t *slots; /* index + 1 into entries; 0 is free */
    size_t n_entries;
    size_t cap_entries;
    size_t n_slots; /* a power of two, or 0 */
    size_t n_live;
    bool fold_case; /* keys equal and hash without regard to ASCII case */
};

void map_init(struct map *map, struct arena *arena);
void map_init_heap(struct map *map);
void map_deinit(struct map *map); /* heap maps only; frees no values */

/* value must not be NULL. Replaces an earlier value of the same key, and the view of the key, so
 * that the earlier value may hold its own key and be freed. A removed key's view is not kept. */
bool map_put(struct map *map, struct str key, void *value) __attribute__((warn_unused_result));
void *map_get(const struct map *map, struct str key); /* NULL: absent */
void *map_remove(struct map *map, struct str key);    /* returns what was there, or NULL */

/* Walks live entries: for (size_t i = 0; map_each(map, &i, &key, &value);)
 * `key` and `value` may be NULL. Entries may be removed on the way, none may be put. */
bool map_each(const struct map *map, size_t *i, struct str *key, void **value);

uint64_t siphash13(const uint64_t key[2], struct str bytes);
/* The same under the process's key, which is drawn at random once: for tables of one's own. */
uint64_t map_hash(struct str key);

#endif
