#include "identity/jwks.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/fetch.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { JWKS_SLOTS = 4, NO_SLOT = -1 };

struct jwks_slot {
    _Atomic uint32_t readers;
    uint64_t version;
    struct arena arena;
    struct jwk_set set;
};

/* The keys behind one URL. What readers look at is atomic; the rest is the mutex's. */
struct jwks_entry {
    struct arena arena; /* of url */
    struct str url;
    struct jwt_algs algs;
    _Atomic int current;        /* of slots, or NO_SLOT */
    _Atomic int64_t fetched_ms; /* when the current set came */
    _Atomic int64_t tried_ms;   /* when the last attempt ended; JWKS_NEVER: there was none */
    _Atomic bool is_in_flight;
    _Atomic uint32_t n_waiting; /* for the one that is in flight */
    pthread_mutex_t fetching;
    uint64_t version;
    struct jwks_slot slots[JWKS_SLOTS];
};
#define JWKS_NEVER INT64_MIN

struct jwks_cache {
    const struct clock *clock;
    struct jwks_getter getter;
    pthread_mutex_t adding;
    _Atomic(struct jwks_entry *) entries[JWKS_SOURCES_MAX]; /* none is removed */
};

static int64_t now_ms(const struct jwks_cache *cache) {
    return clock_mono_ns(cache->clock) / 1000000;
}

/* -- by libcurl ------------------------------------------------------------------------------- */

static result get_by_fetch(const struct jwks_getter *getter, const struct jwks_source *source,
                           struct arena *arena, struct str *out, struct report *report) {
    struct fetch_request request = {.url = source->url,
                                    .timeout_ms = JWKS_TIMEOUT_MS,
                                    .max_bytes = JWKS_BYTES_MAX,
                                    .settings = source->fetch};
    struct fetch_reply reply;
    TRY(fetch(getter->fetcher, &request, arena, &reply, report));
    *out = reply.body;
    if (reply.status == 200) return OK;
    return fail(report, FAIL_BACKEND, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                "the issuer answers %d to the question for its keys", reply.status);
}

struct jwks_getter jwks_by_fetch(struct fetcher *fetcher) {
    return (struct jwks_getter){.get = get_by_fetch, .fetcher = fetcher};
}

/* -- entries ---------------------------------------------------------------------------------- */

static bool is_of(const struct jwks_entry *entry, const struct jwks_source *source) {
    bool is_same = str_eq(entry->url, source->url) && entry->algs.n == source->algs.n;
    for (size_t i = 0; is_same && i < entry->algs.n; i++)
        is_same = entry->algs.items[i] == source->algs.items[i];
    return is_same;
}

static struct jwks_entry *entry_new(const struct jwks_source *source) {
    struct jwks_entry *entry = fault_now() ? NULL : calloc(1, sizeof *entry);
    if (entry == NULL) return NULL;
    arena_init(&entry->arena, source->url.len + 1);
    entry->url = str_dup(&entry->arena, source->url);
    entry->algs = source->algs;
    atomic_init(&entry->current, NO_SLOT);
    atomic_init(&entry->tried_ms, JWKS_NEVER);
    pthread_mutex_init(&entry->fetching, NULL);
    for (size_t i = 0; i < JWKS_SLOTS; i++) arena_init(&entry->slots[i].arena, JWKS_ARENA_BYTES);
    return entry;
}

static void entry_free(struct jwks_entry *entry) {
    if (entry == NULL) return;
    for (size_t i = 0; i < JWKS_SLOTS; i++) {
        assert(atomic_load(&entry->slots[i].readers) == 0);
        arena_deinit(&entry->slots[i].arena);
    }
    pthread_mutex_destroy(&entry->fetching);
    arena_deinit(&entry->arena);
    free(entry);
}

/* The entry, or the first free place; NULL for both when there is no place. */
static struct jwks_entry *look(struct jwks_cache *cache, const struct jwks_source *source,
                               _Atomic(struct jwks_entry *) **place) {
    *place = NULL;
    for (size_t i = 0; i < JWKS_SOURCES_MAX; i++) {
        struct jwks_entry *entry = atomic_load(&cache->entries[i]);
        if (entry != NULL && is_of(entry, source)) return entry;
        if (entry != NULL) continue;
        *place = &cache->entries[i];
        return NULL;
    }
    return NULL;
}

static struct jwks_entry *entry_of(struct jwks_cache *cache, const struct jwks_source *source) {
    _Atomic(struct jwks_entry *) *place;
    struct jwks_entry *entry = look(cache, source, &place);
    if (entry != NULL) return entry;
    pthread_mutex_lock(&cache->adding);
    entry = look(cache, source, &place);
    if (entry == NULL && place != NULL) {
        entry = entry_new(source);
        if (entry != NULL && entry->url.ptr == NULL) entry_free(entry), entry = NULL;
        atomic_store(place, entry);
    }
    pthread_mutex_unlock(&cache->adding);
    return entry;
}

result jwks_cache_new(const struct clock *clock, struct jwks_getter getter, struct jwks_cache **out,
                      struct report *report) {
    struct jwks_cache *cache = fault_now() ? NULL : calloc(1, sizeof *cache);
    *out = cache;
    if (cache == NULL) return fail_memory(report);
    cache->clock = clock;
    cache->getter = getter;
    pthread_mutex_init(&cache->adding, NULL);
    return OK;
}

void jwks_cache_free(struct jwks_cache *cache) {
    if (cache == NULL) return;
    for (size_t i = 0; i < JWKS_SOURCES_MAX; i++) entry_free(atomic_load(&cache->entries[i]));
    pthread_mutex_destroy(&cache->adding);
    free(cache);
}

/* -- borrowing -------------------------------------------------------------------------------- */

static bool borrow(struct jwks_entry *entry, struct jwks_loan *out) {
    for (;;) {
        int at = atomic_load(&entry->current);
        if (at == NO_SLOT) return false;
        struct jwks_slot *slot = &entry->slots[at];
        atomic_fetch_add(&slot->readers, 1);
        if (atomic_load(&entry->current) == at) {
            *out = (struct jwks_loan){&slot->set, slot->version, slot};
            return true;
        }
        atomic_fetch_sub(&slot->readers, 1);
    }
}

void jwks_return(struct jwks_loan *loan) {
    if (loan->slot != NULL) atomic_fetch_sub(&loan->slot->readers, 1);
    *loan = (struct jwks_loan){0};
}

/* -- fetching --------------------------------------------------------------------------------- */

/* One that no reader looks at and none will; NULL: all are still being read. */
static struct jwks_slot *free_slot(struct jwks_entry *entry, int *at) {
    for (*at = 0; *at < JWKS_SLOTS; (*at)++)
        if (*at != atomic_load(&entry->current) && atomic_load(&entry->slots[*at].readers) == 0)
            return &entry->slots[*at];
    return NULL;
}

static result fill(struct jwks_cache *cache, struct jwks_entry *entry,
                   const struct jwks_source *source, struct report *report) {
    int at;
    struct jwks_slot *slot = free_slot(entry, &at);
    struct str text = STR_NONE;
    if (slot == NULL) return fail(report, FAIL_BUSY, "BUSY", REPORT_NO_OFFSET, "keys are in use");
    arena_deinit(&slot->arena);
    slot->set = (struct jwk_set){0};
    TRY(cache->getter.get(&cache->getter, source, &slot->arena, &text, report));
    TRY(jwk_set_read(text, &source->algs, &slot->arena, &slot->set, report));
    slot->version = ++entry->version;
    atomic_store(&entry->fetched_ms, now_ms(cache));
    atomic_store(&entry->current, at);
    if (slot->set.n_left_out > 0 || slot->set.n == 0)
        log_line(LOG_INFO, "keys_left_out", STR_NONE, "%zu keys of an issuer are used, %zu are not",
                 slot->set.n, slot->set.n_left_out);
    return OK;
}

/* The caller holds `fetching`. */
static void fetch_keys(struct jwks_cache *cache, struct jwks_entry *entry,
                       const struct jwks_source *source) {
    struct report report = {0};
    atomic_store(&entry->is_in_flight, true);
    result r = fill(cache, entry, source, &report);
    atomic_store(&entry->tried_ms, now_ms(cache));
    atomic_store(&entry->is_in_flight, false);
    if (r.why != FAIL_NONE)
        log_line(LOG_WARN, "keys_unavailable", STR_NONE, "the keys of an issuer: %s",
                 report.sentence);
}

/* -- what is due ------------------------------------------------------------------------------ */

static bool is_usable(const struct jwks_entry *entry, const struct jwks_source *source,
                      int64_t now) {
    return atomic_load(&entry->current) != NO_SLOT &&
           now - atomic_load(&entry->fetched_ms) < source->ttl_ms + source->stale_ms;
}

static bool is_due(const struct jwks_entry *entry, const struct jwks_source *source, int64_t now,
                   uint64_t newer_than) {
    int64_t tried = atomic_load(&entry->tried_ms);
    if (tried == JWKS_NEVER) return true;
    if (!is_usable(entry, source, now)) return now - tried >= JWKS_RETRY_MS;
    bool is_old = now - atomic_load(&entry->fetched_ms) >= source->ttl_ms;
    return (is_old || newer_than > 0) && now - tried >= source->pause_ms;
}

/* Is there a set that will do? */
static bool take(struct jwks_entry *entry, const struct jwks_source *source, int64_t now,
                 uint64_t newer_than, struct jwks_loan *out) {
    if (!is_usable(entry, source, now) || !borrow(entry, out)) return false;
    if (out->version > newer_than) return true;
    jwks_return(out);
    return false;
}

/* Behind whoever fetches now; then by ourselves, if that has not made it needless. */
static enum jwks_answer wait_and_take(struct jwks_cache *cache, struct jwks_entry *entry,
                                      const struct jwks_source *source, uint64_t newer_than,
                                      struct jwks_loan *out) {
    if (atomic_fetch_add(&entry->n_waiting, 1) < JWKS_WAITING_MAX) {
        pthread_mutex_lock(&entry->fetching);
        if (is_due(entry, source, now_ms(cache), newer_than)) fetch_keys(cache, entry, source);
        pthread_mutex_unlock(&entry->fetching);
    }
    atomic_fetch_sub(&entry->n_waiting, 1);
    return take(entry, source, now_ms(cache), newer_than, out) ? JWKS_GIVEN : JWKS_ABSENT;
}

enum jwks_answer jwks_borrow(struct jwks_cache *cache, const struct jwks_source *source,
                             uint64_t newer_than, bool may_wait, struct jwks_loan *out) {
    *out = (struct jwks_loan){0};
    struct jwks_entry *entry = entry_of(cache, source);
    if (entry == NULL) return JWKS_ABSENT;
    int64_t now = now_ms(cache);
    bool is_in_flight = atomic_load(&entry->is_in_flight);
    bool is_wanted = !is_in_flight && is_due(entry, source, now, newer_than);
    if (!is_wanted && take(entry, source, now, newer_than, out)) return JWKS_GIVEN;
    if (!is_wanted && !is_in_flight) return JWKS_ABSENT;
    return may_wait ? wait_and_take(cache, entry, source, newer_than, out) : JWKS_WAIT;
}
