#include "shape/cache.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Freed by who lets go last: the cache, or somebody who copies it. */
struct item {
    _Atomic unsigned refs;
    struct link by_use; /* in cache->oldest_first */
    int64_t made_ms, until_ms;
    size_t key_len, value_len;
    char bytes[]; /* key, value */
};

struct cache {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct map items; /* key → struct item */
    struct link oldest_first;
    struct cache_counts counts;
};

static struct str key_of(const struct item *item) {
    return (struct str){item->bytes, item->key_len};
}

static int64_t bytes_of(const struct item *item) {
    return (int64_t)(item->key_len + item->value_len + CACHE_ITEM_BYTES);
}

static void let_go(struct item *item) {
    if (atomic_fetch_sub_explicit(&item->refs, 1, memory_order_acq_rel) == 1) free(item);
}

/* Under the lock. */
static void take_out(struct cache *cache, struct item *item) {
    map_remove(&cache->items, key_of(item));
    list_leave(&item->by_use);
    cache->counts.bytes -= bytes_of(item);
    cache->counts.items--;
    let_go(item);
}

static struct item *oldest(const struct cache *cache) {
    if (list_empty(&cache->oldest_first)) return NULL;
    return holder_of(cache->oldest_first.next, struct item, by_use);
}

struct cache *cache_new(const struct clock *clock) {
    struct cache *cache = fault_now() ? NULL : calloc(1, sizeof *cache);
    if (cache == NULL) return NULL;
    cache->clock = clock;
    pthread_mutex_init(&cache->lock, NULL);
    map_init_heap(&cache->items);
    list_init(&cache->oldest_first);
    return cache;
}

void cache_free(struct cache *cache) {
    if (cache == NULL) return;
    for (struct item *item; (item = oldest(cache)) != NULL;) take_out(cache, item);
    map_deinit(&cache->items);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static int64_t now_ms(const struct cache *cache) {
    return clock_mono_ns(cache->clock) / 1000000;
}

/* With a reference for the caller. */
static struct item *find(struct cache *cache, struct str key, int64_t now) {
    pthread_mutex_lock(&cache->lock);
    struct item *item = map_get(&cache->items, key);
    if (item != NULL && item->until_ms <= now) {
        take_out(cache, item);
        item = NULL;
    }
    if (item != NULL) {
        list_leave(&item->by_use);
        list_add_last(&cache->oldest_first, &item->by_use);
        atomic_fetch_add_explicit(&item->refs, 1, memory_order_relaxed);
    }
    *(item != NULL ? &cache->counts.hits : &cache->counts.misses) += 1;
    pthread_mutex_unlock(&cache->lock);
    return item;
}

bool cache_get(struct cache *cache, struct str key, struct arena *arena, struct cache_value *out) {
    int64_t now = now_ms(cache);
    struct item *item = find(cache, key, now);
    if (item == NULL) return false;
    struct str value = {item->bytes + item->key_len, item->value_len};
    *out = (struct cache_value){.bytes = str_dup(arena, value), .age_ms = now - item->made_ms};
    let_go(item);
    return out->bytes.ptr != NULL;
}

static struct item *item_new(const struct cache_item *from, int64_t now) {
    size_t len = from->key.len + from->value.len;
    struct item *item = fault_now() ? NULL : malloc(sizeof *item + len);
    if (item == NULL) return NULL;
    *item = (struct item){.refs = 1,
                          .made_ms = now,
                          .until_ms = now + from->ttl_ms,
                          .key_len = from->key.len,
                          .value_len = from->value.len};
    memcpy(item->bytes, from->key.ptr, from->key.len);
    if (from->value.len > 0) memcpy(item->bytes + from->key.len, from->value.ptr, from->value.len);
    return item;
}

static void make_room(struct cache *cache, int64_t max_bytes) {
    for (struct item *item; cache->counts.bytes > max_bytes && (item = oldest(cache)) != NULL;) {
        take_out(cache, item);
        cache->counts.pushed_out++;
    }
}

void cache_put(struct cache *cache, const struct cache_item *from, int64_t max_bytes) {
    assert(from->key.len > 0);
    if (from->ttl_ms <= 0) return;
    struct item *item = item_new(from, now_ms(cache));
    if (item == NULL) return;
    if (bytes_of(item) > max_bytes) { /* it would only push out all others and then itself */
        let_go(item);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    struct item *before = map_get(&cache->items, from->key);
    if (before != NULL) take_out(cache, before);
    make_room(cache, max_bytes - bytes_of(item));
    if (map_put(&cache->items, key_of(item), item)) {
        list_add_last(&cache->oldest_first, &item->by_use);
        cache->counts.bytes += bytes_of(item);
        cache->counts.items++;
        cache->counts.puts++;
        item = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    if (item != NULL) let_go(item);
}

void cache_count(struct cache *cache, struct cache_counts *out) {
    pthread_mutex_lock(&cache->lock);
    *out = cache->counts;
    pthread_mutex_unlock(&cache->lock);
}
