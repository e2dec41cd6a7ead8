/*
 * store/sqlite_inner.h - what the files of the SQLite kind share
 *
 * One connection writes (sqlite_write.h), a few read, each in the hands of one thread at a time.
 * In memory there is one connection for both, under a lock of its own.
 */
#ifndef WEIR_STORE_SQLITE_INNER_H
#define WEIR_STORE_SQLITE_INNER_H

#include "base/limits.h"
#include "store/sqlite_write.h"
#include "store/store.h"

#include <sys/stat.h>

struct sqlite_reader {
    struct sqlite_db db;
    bool is_open, is_taken;
};

struct sqlite_store {
    struct store store; /* first: what the callers hold */
    const struct clock *clock;
    char *path;       /* NULL: memory */
    struct stat file; /* as it was opened: whether the name still means it */
    struct sqlite_writer writer;
    pthread_mutex_t memory; /* of the one connection, in memory */
    pthread_mutex_t lock;   /* of the pool */
    pthread_cond_t returned;
    struct sqlite_reader readers[STORE_READERS];
};

static inline struct sqlite_store *sqlite_of(struct store *store) {
    return holder_of(store, struct sqlite_store, store);
}

static inline int64_t sqlite_end_of(const struct clock *clock, int64_t ttl_ms) {
    return ttl_ms == STORE_FOREVER ? STORE_FOREVER : clock_wall_ms(clock) + ttl_ms;
}

/* What a failure of the kind is to its caller. */
result sqlite_fail(const struct sqlite_store *store, enum fail why, int error, int system_error,
                   struct report *report);

/* -- sqlite_entry.c, sqlite_log.c, sqlite_limit.c: the writes of the vtable
 * ------------------------------------ */

result sqlite_set(struct store *, const struct store_item *, uint64_t expected, uint64_t *version,
                  struct report *);
result sqlite_take(struct store *, struct str key, struct arena *, struct store_value *,
                   struct report *);
result sqlite_remove(struct store *, struct str key, uint64_t expected, bool *, struct report *);
result sqlite_touch(struct store *, struct str key, uint64_t expected, int64_t ttl_ms, bool *,
                    struct report *);
result sqlite_add(struct store *, struct str key, int64_t delta, int64_t ttl_ms, int64_t *,
                  struct report *);
result sqlite_admit(struct store *, const struct store_window *, size_t n, struct store_admission *,
                    struct report *);
result sqlite_enter(struct store *, const struct store_place *, int64_t max, bool *,
                    struct report *);
result sqlite_stay(struct store *, const struct store_place *, bool *, struct report *);
result sqlite_leave(struct store *, const struct store_place *, bool *, struct report *);
result sqlite_append(struct store *, const struct store_append *, uint64_t *, struct report *);
result sqlite_drop(struct store *, struct str log, bool *, struct report *);
/* Runs it and tells what came of it. */
MUST_USE result sqlite_write(struct sqlite_store *store, struct sqlite_write *write,
                             struct report *report);

/* A row of `entry` without its value. */
struct sqlite_entry {
    int64_t id; /* 0: there is no row */
    size_t value_len;
    uint64_t version; /* STORE_ABSENT also where it has expired */
};
MUST_USE result sqlite_find_entry(struct sqlite_transaction *t, struct str key,
                                  struct sqlite_entry *out);

/* -- sqlite_read.c ---------------------------------------------------------------------------- */

result sqlite_get(struct store *, struct str key, struct arena *, struct store_value *,
                  struct report *);
result sqlite_read(struct store *, struct str log, uint64_t after, size_t max, struct arena *,
                   struct store_events *, struct report *);
result sqlite_tide(struct store *, uint64_t *, struct report *);
result sqlite_usage(struct store *, struct store_usage *, struct report *);
/* The earliest end of anything; STORE_FOREVER: nothing ends. */
MUST_USE result sqlite_next_expiry(struct sqlite_store *store, int64_t *out);
void sqlite_readers_close(struct sqlite_store *store);

#endif
