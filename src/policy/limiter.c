/* How often: logs of admitted calls, and places for running queries, in this process. */
#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "policy/inner.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>

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

struct policy_limiter {
    pthread_mutex_t lock; /* guards all below */
    struct map by_key;    /* → rate_log */
    struct link logs;
    size_t n_times;     /* sum of cap over all logs */
    int64_t now_ms;     /* never goes back */
    struct map queries; /* user_id → places */
};

/* -- life ------------------------------------------------------------------------------------- */

struct policy_limiter *policy_limiter_new(void) {
    struct policy_limiter *limiter = fault_now() ? NULL : calloc(1, sizeof *limiter);
    if (limiter == NULL) return NULL;
    if (pthread_mutex_init(&limiter->lock, NULL) != 0) {
        free(limiter);
        return NULL;
    }
    map_init_heap(&limiter->by_key);
    map_init_heap(&limiter->queries);
    list_init(&limiter->logs);
    return limiter;
}

static void drop_log(struct policy_limiter *limiter, struct rate_log *log) {
    map_remove(&limiter->by_key, (struct str){log->key, log->key_len});
    list_leave(&log->turn);
    limiter->n_times -= log->cap;
    free(log->times);
    free(log);
}

void policy_limiter_free(struct policy_limiter *limiter) {
    if (limiter == NULL) return;
    while (!list_empty(&limiter->logs))
        drop_log(limiter, holder_of(limiter->logs.next, struct rate_log, turn));
    void *places;
    for (size_t i = 0; map_each(&limiter->queries, &i, NULL, &places);) free(places);
    map_deinit(&limiter->by_key);
    map_deinit(&limiter->queries);
    pthread_mutex_destroy(&limiter->lock);
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

enum { SWEEP_STEPS = 8 };

/* Frees logs in which nothing counts any more. Looks at a few at a time; one that is still counting
 * goes to the end, so that every log gets its turn. Only before a call looks up its own logs. */
static void sweep(struct policy_limiter *limiter) {
    for (int i = 0; i < SWEEP_STEPS && !list_empty(&limiter->logs); i++) {
        struct rate_log *log = holder_of(limiter->logs.next, struct rate_log, turn);
        forget_old(log, limiter->now_ms);
        list_leave(&log->turn);
        list_add_last(&limiter->logs, &log->turn);
        if (log->n == 0) drop_log(limiter, log);
    }
}

/* Room for one more time. Grows with use, so that a limit of 100000 a day costs nothing at first.
 */
static bool reserve(struct policy_limiter *limiter, struct rate_log *log) {
    if (log->n < log->cap) return true;
    size_t cap = log->cap == 0 ? 8 : log->cap * 2;
    if (limiter->n_times - log->cap + cap > RATE_TIMES_MAX || fault_now()) return false;
    int64_t *times = calloc(cap, sizeof *times);
    if (times == NULL) return false;
    for (size_t i = 0; i < log->n; i++) times[i] = time_at(log, i);
    limiter->n_times += cap - log->cap;
    free(log->times);
    log->times = times;
    log->first = 0;
    log->cap = cap;
    return true;
}

static struct rate_log *new_log(struct policy_limiter *limiter, struct str key) {
    if (limiter->by_key.n_live >= RATE_KEYS_MAX || fault_now()) return NULL;
    struct rate_log *log = calloc(1, sizeof *log + key.len);
    if (log == NULL) return NULL;
    memcpy(log->key, key.ptr, key.len);
    log->key_len = key.len;
    if (!map_put(&limiter->by_key, (struct str){log->key, key.len}, log)) {
        free(log);
        return NULL;
    }
    list_add_last(&limiter->logs, &log->turn);
    return log;
}

/* -- one call --------------------------------------------------------------------------------- */

/* One limit that a call falls under. n 0: there is none. */
struct charge {
    char sort;
    struct str who, beside; /* what it is counted by */
    struct str rule;
    int64_t n, window_s;
};

/* The i-th of token, client and roles; false behind the last. A client's limit is for all that
 * comes through it, a role's for each of its users. */
static bool charge_at(const struct policy *policy, const struct principal *principal, size_t i,
                      struct charge *out) {
    const struct policy_party *party = NULL;
    *out = (struct charge){0};
    if (i == 0) {
        bool has_id = principal->token_id.len > 0;
        *out =
            (struct charge){has_id ? 't' : 'u', has_id ? principal->token_id : principal->user_id,
                            STR_NONE,           STR("token"),
                            principal->rate_n,  principal->rate_window_s};
        return true;
    }
    if (i == 1) {
        party = policy_client(policy, principal->client_id);
        if (party != NULL)
            *out = (struct charge){'c',         principal->client_id, STR_NONE,
                                   party->rule, party->rate_n,        party->rate_window_s};
        return true;
    }
    if (i - 2 >= principal->n_roles) return false;
    party = map_get(&policy->roles, principal->roles[i - 2]);
    if (party != NULL)
        *out = (struct charge){'r',         party->id,     principal->user_id,
                               party->rule, party->rate_n, party->rate_window_s};
    return true;
}

enum { CHARGE_KEY_MAX = 3 * BIND_NAME_BYTES_MAX };

static struct rate_log *log_of(struct policy_limiter *limiter, const struct charge *charge) {
    char key[CHARGE_KEY_MAX];
    size_t len = 2 + charge->who.len + charge->beside.len;
    if (len > sizeof key) return NULL;
    key[0] = charge->sort;
    if (charge->who.len > 0) memcpy(key + 1, charge->who.ptr, charge->who.len);
    key[1 + charge->who.len] = '\x1f'; /* in no name: names are printable */
    if (charge->beside.len > 0)
        memcpy(key + 2 + charge->who.len, charge->beside.ptr, charge->beside.len);
    struct rate_log *log = map_get(&limiter->by_key, (struct str){key, len});
    return log != NULL ? log : new_log(limiter, (struct str){key, len});
}

/* What a limit says of one more call: 0 for yes, or the milliseconds until it may be asked again.
 * Room for the time is kept ready, so that counting cannot fail. */
static int64_t wait_of(struct policy_limiter *limiter, const struct charge *charge) {
    enum { NO_ROOM_MS = 1000 }; /* nothing known: a second, so that idle logs can go */
    struct rate_log *log = log_of(limiter, charge);
    if (log == NULL) return NO_ROOM_MS;
    log->window_ms = charge->window_s * 1000;
    forget_old(log, limiter->now_ms);
    if (log->n >= (size_t)charge->n)
        return time_at(log, log->n - (size_t)charge->n) + log->window_ms - limiter->now_ms;
    return reserve(limiter, log) ? 0 : NO_ROOM_MS;
}

static void count(struct policy_limiter *limiter, const struct charge *charge) {
    struct rate_log *log = log_of(limiter, charge);
    assert(log != NULL && log->n < log->cap);
    log->times[(log->first + log->n) % log->cap] = limiter->now_ms;
    log->n++;
}

/* Asks all limits, then charges all of them, or none. Returns the one that keeps the call longest.
 */
static struct charge admit(struct policy_limiter *limiter, const struct policy *policy,
                           const struct principal *principal, int64_t *wait_ms) {
    struct charge charge, worst = {0};
    *wait_ms = 0;
    for (size_t i = 0; charge_at(policy, principal, i, &charge); i++) {
        if (charge.n == 0) continue;
        int64_t wait = wait_of(limiter, &charge);
        if (wait <= *wait_ms) continue;
        *wait_ms = wait;
        worst = charge;
    }
    if (*wait_ms > 0) return worst;
    for (size_t i = 0; charge_at(policy, principal, i, &charge); i++)
        if (charge.n > 0) count(limiter, &charge);
    return worst;
}

void policy_limiter_admit(struct policy_limiter *limiter, const struct policy *policy,
                          const struct principal *principal, int64_t now_ms, struct arena *arena,
                          struct verdict *out, int64_t *retry_after_ms) {
    *out = (struct verdict){.code = "RATE_LIMIT_EXCEEDED"};
    pthread_mutex_lock(&limiter->lock);
    if (now_ms > limiter->now_ms) limiter->now_ms = now_ms;
    sweep(limiter);
    struct charge worst = admit(limiter, policy, principal, retry_after_ms);
    pthread_mutex_unlock(&limiter->lock);
    if (*retry_after_ms == 0) {
        *out = (struct verdict){.effect = EFFECT_ALLOW, .rule = STR("rate")};
        return;
    }
    out->rule = worst.rule;
    out->sentence =
        str_printf(arena, "too many calls: " STR_FMT " allows %" PRId64 " in %" PRId64 " seconds",
                   STR_ARG(worst.rule), worst.n, worst.window_s);
    if (out->sentence.ptr == NULL) out->sentence = STR("too many calls");
    out->hint =
        str_printf(arena, "Try again in %" PRId64 " seconds.", (*retry_after_ms + 999) / 1000);
}

/* -- running queries -------------------------------------------------------------------------- */

static struct places *places_of(struct policy_limiter *limiter, struct str user_id) {
    struct places *places = map_get(&limiter->queries, user_id);
    if (places != NULL || fault_now()) return places;
    places = calloc(1, sizeof *places + user_id.len);
    if (places == NULL) return NULL;
    if (user_id.len > 0) memcpy(places->key, user_id.ptr, user_id.len);
    places->key_len = user_id.len;
    if (map_put(&limiter->queries, (struct str){places->key, user_id.len}, places)) return places;
    free(places);
    return NULL;
}

bool policy_limiter_enter_query(struct policy_limiter *limiter, struct str user_id, int64_t max) {
    if (max <= 0) return false;
    pthread_mutex_lock(&limiter->lock);
    struct places *places = places_of(limiter, user_id);
    bool is_free = places != NULL && places->n < max;
    if (is_free) places->n++;
    pthread_mutex_unlock(&limiter->lock);
    return is_free;
}

/* A user without running queries is forgotten, so that the map is as large as what runs. */
void policy_limiter_leave_query(struct policy_limiter *limiter, struct str user_id) {
    pthread_mutex_lock(&limiter->lock);
    struct places *places = map_get(&limiter->queries, user_id);
    assert(places != NULL && places->n > 0);
    if (--places->n == 0) {
        map_remove(&limiter->queries, user_id);
        free(places);
    }
    pthread_mutex_unlock(&limiter->lock);
}
