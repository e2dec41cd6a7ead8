/* How often: logs of admitted calls, and places for running queries, in this process. */
#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/spin.h"
#include "policy/inner.h"

#include <assert.h>
#include <stdlib.h>

/* The times of the calls that one limit admitted, oldest first, in a ring. */
struct rate_log {
    struct link turn; /* in limiter.logs: when it is looked at for being idle */
    int64_t *times;
    size_t first, n, cap;
    int64_t window_ms;
    size_t key_len;
    char key[]; /* the map's key points here */
};

struct places {
    int64_t n;
    size_t key_len;
    char key[];
};

/* What is counted is spread over shards by its key, each with a lock of its own. Who needs several
 * takes them in order, so that two calls can wait for each other only one way round; and two that
 * share no limit seldom meet at all. */
struct shard {
    _Alignas(64) struct spin lock; /* guards all below; a line of the cache for each */
    struct map by_key;             /* → rate_log */
    struct link logs;
    int64_t now_ms;     /* never goes back */
    struct map queries; /* user_id → places */
};

enum { SHARDS = 64 }; /* as many as a set of them has bits */

struct policy_limiter {
    _Atomic size_t n_keys, n_times; /* over all shards: logs, and the sum of their cap */
    struct shard shards[SHARDS];
};

/* FNV-1a: who chooses names that meet in one shard gains a lock that is taken more often; in the
 * shard's map, whose hash is keyed, they do not meet. */
static unsigned shard_at(struct str key) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(1099511628211);
    return (unsigned)((hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}
_Static_assert(SHARDS == 1 << (64 - 58), "the highest bits say which");

static void lock_all(struct policy_limiter *limiter, uint64_t set) {
    for (unsigned i = 0; i < SHARDS; i++)
        if (set >> i & 1) spin_lock(&limiter->shards[i].lock);
}

static void unlock_all(struct policy_limiter *limiter, uint64_t set) {
    for (unsigned i = 0; i < SHARDS; i++)
        if (set >> i & 1) spin_unlock(&limiter->shards[i].lock);
}

/* -- life ------------------------------------------------------------------------------------- */

struct policy_limiter *policy_limiter_new(void) {
    void *memory = fault_now() ? NULL : aligned_alloc(64, sizeof(struct policy_limiter));
    if (memory == NULL) return NULL;
    struct policy_limiter *limiter = memset(memory, 0, sizeof *limiter);
    for (struct shard *s = limiter->shards; s < limiter->shards + SHARDS; s++) {
        map_init_heap(&s->by_key);
        map_init_heap(&s->queries);
        list_init(&s->logs);
    }
    return limiter;
}

static void drop_log(struct policy_limiter *limiter, struct shard *shard, struct rate_log *log) {
    map_remove(&shard->by_key, (struct str){log->key, log->key_len});
    list_leave(&log->turn);
    atomic_fetch_sub(&limiter->n_times, log->cap);
    atomic_fetch_sub(&limiter->n_keys, 1);
    free(log->times);
    free(log);
}

void policy_limiter_free(struct policy_limiter *limiter) {
    if (limiter == NULL) return;
    for (struct shard *s = limiter->shards; s < limiter->shards + SHARDS; s++) {
        while (!list_empty(&s->logs))
            drop_log(limiter, s, holder_of(s->logs.next, struct rate_log, turn));
        void *places;
        for (size_t i = 0; map_each(&s->queries, &i, NULL, &places);) free(places);
        map_deinit(&s->by_key);
        map_deinit(&s->queries);
    }
    free(limiter);
}

/* -- logs ------------------------------------------------------------------------------------- */

static int64_t time_at(const struct rate_log *log, size_t i) {
    return log->times[(log->first + i) % log->cap];
}

/* A call counts for W seconds, and no longer at the end of them. */
static void forget_old(struct rate_log *log, int64_t now_ms) {
    while (log->n > 0 && time_at(log, 0) + log->window_ms <= now_ms) {
        log->first = (log->first + 1) % log->cap;
        log->n--;
    }
}

/* Two looked at for one that may be made: so the idle ones go faster than new ones come. */
enum { SWEEP_STEPS = 2, SWEEP_ALL_STEPS = 32 };

/* Frees logs in which nothing counts any more. Looks at a few at a time; one that is still counting
 * goes to the end, so that every log gets its turn. Only before a call looks up its own logs. */
static void sweep(struct policy_limiter *limiter, struct shard *shard, int64_t now_ms, int steps) {
    if (now_ms > shard->now_ms) shard->now_ms = now_ms;
    for (int i = 0; i < steps && !list_empty(&shard->logs); i++) {
        struct rate_log *log = holder_of(shard->logs.next, struct rate_log, turn);
        forget_old(log, shard->now_ms);
        list_leave(&log->turn);
        list_add_last(&shard->logs, &log->turn);
        if (log->n == 0) drop_log(limiter, shard, log);
    }
}

/* When there is no room: idle logs may stand in shards that nobody asks any more. */
static void sweep_all(struct policy_limiter *limiter, int64_t now_ms) {
    for (struct shard *s = limiter->shards; s < limiter->shards + SHARDS; s++) {
        spin_lock(&s->lock);
        sweep(limiter, s, now_ms, SWEEP_ALL_STEPS);
        spin_unlock(&s->lock);
    }
}

/* Adds to what all shards have together, unless that passes its maximum. */
static bool take_room(_Atomic size_t *sum, size_t n, size_t max) {
    if (atomic_fetch_add(sum, n) + n <= max) return true;
    atomic_fetch_sub(sum, n);
    return false;
}

/* Room for one more time. Grows with use, so that a limit of 100000 a day costs nothing at first.
 */
static bool reserve(struct policy_limiter *limiter, struct rate_log *log) {
    if (log->n < log->cap) return true;
    size_t cap = log->cap == 0 ? 8 : log->cap * 2;
    if (!take_room(&limiter->n_times, cap - log->cap, RATE_TIMES_MAX)) return false;
    int64_t *times = fault_now() ? NULL : calloc(cap, sizeof *times);
    if (times == NULL) {
        atomic_fetch_sub(&limiter->n_times, cap - log->cap);
        return false;
    }
    for (size_t i = 0; i < log->n; i++) times[i] = time_at(log, i);
    free(log->times);
    log->times = times;
    log->first = 0;
    log->cap = cap;
    return true;
}

static struct rate_log *new_log(struct policy_limiter *limiter, struct shard *shard, struct str key,
                                bool *wants_room) {
    if (!take_room(&limiter->n_keys, 1, RATE_KEYS_MAX)) {
        *wants_room = true;
        return NULL;
    }
    struct rate_log *log = fault_now() ? NULL : calloc(1, sizeof *log + key.len);
    if (log != NULL) {
        memcpy(log->key, key.ptr, key.len);
        log->key_len = key.len;
        if (map_put(&shard->by_key, (struct str){log->key, key.len}, log)) {
            list_add_last(&shard->logs, &log->turn);
            return log;
        }
        free(log);
    }
    atomic_fetch_sub(&limiter->n_keys, 1);
    return NULL;
}

/* -- one call --------------------------------------------------------------------------------- */

struct admitting {
    struct policy_limiter *limiter;
    const struct policy_charges *charges;
    struct shard *shards[POLICY_CHARGES_MAX]; /* of each charge */
    struct rate_log *logs[POLICY_CHARGES_MAX];
    uint64_t set; /* of shards */
    bool wants_room;
    struct store_admission *out;
};

/* What a limit says of one more call: 0 for yes, or the milliseconds until it may be asked again.
 * Room for the time is kept ready, so that counting cannot fail. */
static int64_t wait_of(struct admitting *a, size_t i, int64_t *left) {
    enum { NO_ROOM_MS = 1000 }; /* nothing known: a second, so that idle logs can go */
    const struct store_window *window = &a->charges->windows[i];
    struct shard *shard = a->shards[i];
    struct rate_log *log = map_get(&shard->by_key, window->key);
    *left = 0;
    if (log == NULL) log = new_log(a->limiter, shard, window->key, &a->wants_room);
    if (log == NULL) return NO_ROOM_MS;
    a->logs[i] = log;
    log->window_ms = window->window_ms;
    forget_old(log, shard->now_ms);
    if (window->max <= 0) return STORE_FOREVER;
    if (log->n >= (size_t)window->max)
        return time_at(log, log->n - (size_t)window->max) + log->window_ms - shard->now_ms;
    *left = window->max - (int64_t)log->n - 1;
    return reserve(a->limiter, log) ? 0 : NO_ROOM_MS;
}

static void count(struct rate_log *log, int64_t now_ms) {
    assert(log != NULL && log->n < log->cap);
    log->times[(log->first + log->n) % log->cap] = now_ms;
    log->n++;
}

/* Asks all limits, then charges all of them, or none. */
static void admit(struct admitting *a) {
    struct store_admission *out = a->out;
    for (size_t i = 0; i < a->charges->n; i++) {
        int64_t left, wait = wait_of(a, i, &left);
        bool is_tightest = wait > out->retry_after_ms;
        if (out->retry_after_ms == 0 && wait == 0) is_tightest = left < out->left;
        if (!is_tightest) continue;
        out->retry_after_ms = wait;
        out->left = left;
        out->tightest = i;
    }
    out->is_admitted = out->retry_after_ms == 0;
    for (size_t i = 0; out->is_admitted && i < a->charges->n; i++)
        count(a->logs[i], a->shards[i]->now_ms);
}

static void admit_locked(struct admitting *a, int64_t now_ms) {
    *a->out = (struct store_admission){.left = INT64_MAX};
    a->wants_room = false;
    lock_all(a->limiter, a->set);
    for (size_t i = 0; i < a->charges->n; i++) sweep(a->limiter, a->shards[i], now_ms, SWEEP_STEPS);
    admit(a);
    unlock_all(a->limiter, a->set);
}

void policy_limiter_admit(struct policy_limiter *limiter, const struct policy_charges *charges,
                          int64_t now_ms, struct store_admission *out) {
    struct admitting a = {.limiter = limiter, .charges = charges, .out = out};
    assert(charges->n <= POLICY_CHARGES_MAX);
    for (size_t i = 0; i < charges->n; i++) {
        unsigned at = shard_at(charges->windows[i].key);
        a.shards[i] = &limiter->shards[at];
        a.set |= UINT64_C(1) << at;
    }
    admit_locked(&a, now_ms);
    if (!a.wants_room) return;
    sweep_all(limiter, now_ms);
    admit_locked(&a, now_ms);
}

/* -- running queries -------------------------------------------------------------------------- */

static struct places *places_of(struct shard *shard, struct str user_id) {
    struct places *places = map_get(&shard->queries, user_id);
    if (places != NULL || fault_now()) return places;
    places = calloc(1, sizeof *places + user_id.len);
    if (places == NULL) return NULL;
    if (user_id.len > 0) memcpy(places->key, user_id.ptr, user_id.len);
    places->key_len = user_id.len;
    if (map_put(&shard->queries, (struct str){places->key, user_id.len}, places)) return places;
    free(places);
    return NULL;
}

bool policy_limiter_enter_query(struct policy_limiter *limiter, struct str user_id, int64_t max) {
    if (max <= 0) return false;
    struct shard *shard = &limiter->shards[shard_at(user_id)];
    spin_lock(&shard->lock);
    struct places *places = places_of(shard, user_id);
    bool is_free = places != NULL && places->n < max;
    if (is_free) places->n++;
    spin_unlock(&shard->lock);
    return is_free;
}

/* A user without running queries is forgotten, so that the map is as large as what runs. */
void policy_limiter_leave_query(struct policy_limiter *limiter, struct str user_id) {
    struct shard *shard = &limiter->shards[shard_at(user_id)];
    spin_lock(&shard->lock);
    struct places *places = map_get(&shard->queries, user_id);
    assert(places != NULL && places->n > 0);
    if (--places->n == 0) {
        map_remove(&shard->queries, user_id);
        free(places);
    }
    spin_unlock(&shard->lock);
}
