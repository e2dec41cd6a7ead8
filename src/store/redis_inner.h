/*
 * store/redis_inner.h - what the files of the Redis kind share
 *
 * A step takes a connection out of the pool, runs one script, reads the answer and gives the
 * connection back. While Redis is away, one caller at a time tries to reach it, after pauses that
 * grow; all others are told at once, so that a crowd of calls is not a crowd of waiting threads.
 *
 * A step that was sent and not answered may have been done. It is sent again only where that
 * changes nothing (redis_script.h); else the caller is told that it is not known.
 */
#ifndef WEIR_STORE_REDIS_INNER_H
#define WEIR_STORE_REDIS_INNER_H

#include "base/limits.h"
#include "base/list.h"
#include "store/redis_link.h"
#include "store/redis_script.h"
#include "store/store.h"

#include <pthread.h>

struct redis_slot {
    struct redis_link link;
    bool is_open, is_taken;
    bool is_trial; /* who has it is the one who tries whether Redis came back */
};

struct redis_store {
    struct store store; /* first: what the callers hold */
    const struct clock *clock;
    struct arena arena; /* of what stays as it is: server, keys, texts */
    struct redis_server server;
    struct str sums_key; /* prefix and "sums" */
    struct redis_text texts[REDIS_SCRIPT_COUNT];
    int64_t max_bytes, wait_ms;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t returned;
    struct redis_slot slots[STORE_LINKS];
    int64_t pause_ms; /* 0: Redis is not away */
    int64_t retry_ns; /* not before */
    bool is_trying;
    char trouble[REDIS_REASON_MAX]; /* of the last step; empty: it went well */
    int64_t bytes;                  /* as of the last look */
};

static inline struct redis_store *redis_of(struct store *store) {
    return holder_of(store, struct redis_store, store);
}

/* -- redis_pool.c ----------------------------------------------------------------------------- */

struct redis_trouble {
    enum fail why;
    bool is_sent;   /* the step may have been done */
    bool is_broken; /* it stopped on a connection that stood: another one may do */
    char reason[REDIS_REASON_MAX];
};

enum redis_end {
    REDIS_WELL,
    REDIS_BROKEN, /* the connection is of no more use */
    REDIS_AWAY,   /* nor would be another one, now */
};

/* One that is connected, for this thread alone until it is given back. */
MUST_USE result redis_pool_take(struct redis_store *store, int64_t deadline_ns,
                                struct redis_slot **out, struct redis_trouble *trouble);
void redis_pool_give(struct redis_store *store, struct redis_slot *slot, enum redis_end end);
void redis_pool_close(struct redis_store *store);
/* Lets the next caller try at once. */
void redis_pool_retry(struct redis_store *store);

/* -- redis_step.c: one step ------------------------------------------------------------------- */

/* What a script is given behind the time and the maximum. */
struct redis_step {
    enum redis_script script;
    size_t n;
    struct str words[STORE_WINDOWS_MAX * 3 + 8];
    char digits[STORE_WINDOWS_MAX * 3 + 8][24]; /* where numbers are written */
};

void redis_step_text(struct redis_step *step, struct str text);
void redis_step_number(struct redis_step *step, int64_t number);
void redis_step_version(struct redis_step *step, uint64_t version);

/* What came back; given back by redis_step_end(), which may also be called where running failed. */
struct redis_answer {
    struct redis_slot *slot;
    const struct redis_reply *reply;
    bool is_doubtful; /* it was not what the script says: the slot is closed */
};

/* FAIL_LIMIT (full), FAIL_INPUT (range), FAIL_IO, FAIL_MEMORY: the report is told. */
MUST_USE result redis_step_run(struct redis_store *store, const struct redis_step *step,
                               struct redis_answer *out, struct report *report);
void redis_step_end(struct redis_store *store, struct redis_answer *answer);

/* Nothing that Redis runs for us answers so: what else it did is not known. FAIL_IO. */
result redis_answer_doubt(struct redis_store *store, struct redis_answer *answer,
                          struct report *report);
/* The i-th text of an answer; FAIL_IO where it has none, or that is no number. */
MUST_USE result redis_answer_text(struct redis_store *store, struct redis_answer *answer, size_t i,
                                  struct str *out, struct report *report);
MUST_USE result redis_answer_number(struct redis_store *store, struct redis_answer *answer,
                                    size_t i, uint64_t *out, struct report *report);

/* -- redis_verbs.c: of the vtable -------------------------------------------------------------- */

result redis_get(struct store *, struct str key, struct arena *, struct store_value *,
                 struct report *);
result redis_set(struct store *, const struct store_item *, uint64_t expected, uint64_t *version,
                 struct report *);
result redis_take(struct store *, struct str key, struct arena *, struct store_value *,
                  struct report *);
result redis_remove(struct store *, struct str key, uint64_t expected, bool *, struct report *);
result redis_touch(struct store *, struct str key, uint64_t expected, int64_t ttl_ms, bool *,
                   struct report *);
result redis_append(struct store *, const struct store_append *, uint64_t *, struct report *);
result redis_read(struct store *, struct str log, uint64_t after, size_t max, struct arena *,
                  struct store_events *, struct report *);
result redis_drop(struct store *, struct str log, bool *, struct report *);
result redis_add(struct store *, struct str key, int64_t delta, int64_t ttl_ms, int64_t *,
                 struct report *);
result redis_admit(struct store *, const struct store_window *, size_t n, struct store_admission *,
                   struct report *);
result redis_enter(struct store *, const struct store_place *, int64_t max, bool *,
                   struct report *);
result redis_stay(struct store *, const struct store_place *, bool *, struct report *);
result redis_leave(struct store *, const struct store_place *, bool *, struct report *);
result redis_tide(struct store *, uint64_t *, struct report *);
/* Asks by `script`, which answers the bytes. */
MUST_USE result redis_ask_bytes(struct redis_store *store, enum redis_script script, int64_t *bytes,
                                struct report *report);

#endif
