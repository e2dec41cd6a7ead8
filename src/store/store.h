/*
 * store/store.h - what replicas share: sessions, leases, nonces, events, counters
 *
 * Small things under names of bytes, each with a time after which it is gone. There are five
 * sorts, and a name of one sort says nothing about the same name of another:
 *
 *   - entries: a value under a key, with a version. Leases, single-use tokens and everything that
 *     two may change at once are made of these.
 *   - logs: values in sequence 1, 2, 3, … without a gap. Event streams.
 *   - counters: a sum under a key.
 *   - windows: the times of what was admitted under a key, while they count. Rate limits.
 *   - places: so many under a key at the same time, each somebody's lease. Concurrency limits.
 *
 * Every call is one step: it happens whole or not at all, and in one order for all threads and all
 * processes on the same store. A version is never given out twice in one store and grows with each
 * change, so whoever holds an old one has lost, even when the key was removed and made anew. A
 * lease is therefore
 *
 *     TRY(store_put_new(store, &(struct store_item){lease, us, 15000}, &mine, report));
 *     if (mine == STORE_ABSENT) return somebody_else_has_it();
 *     ...
 *     TRY(store_touch(store, lease, mine, 15000, &is_ours, report));              // go on
 *     TRY(store_append(store, &(struct store_append){.log = stream, .value = reply,
 *                      .ttl_ms = MINUTES, .guard = lease, .guard_version = mine}, &seq, report));
 *     if (seq == 0) return somebody_else_answered();
 *
 * Time:    of the wall, by the clock given at open; where machines share a store, by the store's
 *          own, so that their clocks need not agree. What has expired is absent from that
 *          millisecond on; its bytes go later, in bounded steps (store_tick()).
 * Bounds:  STORE_* in base/limits.h, and `max_bytes` in all: when that is reached, writes that grow
 *          are refused. Nothing that is still valid is thrown out to make room.
 * Memory:  what is read is copied into the caller's arena; arguments are borrowed for the call.
 * Errors:  FAIL_LIMIT with STORE_FULL; FAIL_INPUT with STORE_INVALID (a bound was passed);
 *          FAIL_MEMORY; all else is FAIL_IO with STORE_UNAVAILABLE, and then nothing was changed or
 *          (a lost connection or power, of a store beyond this machine) it is not known. To lose a
 *          race is no error: the version, sequence or truth that comes out is then 0.
 * Threads: any, at once. Every call may block (a commit, other processes, the network), so that a
 *          loop hands it to a worker. A caller's own next call sees what its last one wrote, and so
 *          does everybody whom it told.
 */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/option.h"

#define STORE_FOREVER INT64_MAX /* as a ttl: until it is removed */

#define STORE_ABSENT UINT64_C(0) /* as a version: there is no such entry */
#define STORE_ANY    UINT64_MAX  /* as an expected version: whatever is there */

struct store {
    const struct store_kind *kind; /* the first member of each kind's own struct */
};

/* `ttl_ms` is counted from now: 1 to STORE_TTL_MS_MAX, or STORE_FOREVER. */
struct store_item {
    struct str key, value;
    int64_t ttl_ms;
};

struct store_value {
    struct str bytes;
    uint64_t version;   /* STORE_ABSENT: there is none */
    int64_t expires_ms; /* wall; STORE_FOREVER: never */
};

/* -- entries: who does not ask what came of it gives NULL for `version` or `was_there` ----------
 */

MUST_USE result store_get(struct store *store, struct str key, struct arena *arena,
                          struct store_value *out, struct report *report);

/* Whatever was there. */
MUST_USE result store_put(struct store *store, const struct store_item *item, uint64_t *version,
                          struct report *report);
/* Only where nothing is (nonces, leases): else *version is STORE_ABSENT. */
MUST_USE result store_put_new(struct store *store, const struct store_item *item, uint64_t *version,
                              struct report *report);
/* Only where the version is `expected`: else *version is STORE_ABSENT. */
MUST_USE result store_swap(struct store *store, const struct store_item *item, uint64_t expected,
                           uint64_t *version, struct report *report);

/* Gets and removes in one step: of many who take, one gets it. */
MUST_USE result store_take(struct store *store, struct str key, struct arena *arena,
                           struct store_value *out, struct report *report);
/* Only where the version is `expected` (STORE_ANY: whatever it is). */
MUST_USE result store_remove(struct store *store, struct str key, uint64_t expected,
                             bool *was_there, struct report *report);
/* Sets the time anew, and nothing else; the version stays. `expected` as in store_remove(). */
MUST_USE result store_touch(struct store *store, struct str key, uint64_t expected, int64_t ttl_ms,
                            bool *was_there, struct report *report);

/* -- logs ------------------------------------------------------------------------------------- */

/* The time is the log's, all of it, and set anew by each append: a log that expired begins again
 * at 1. */
struct store_append {
    struct str log, value;
    int64_t ttl_ms;
    uint64_t keep;          /* so many newest entries stay, older ones are dropped; 0: all */
    struct str guard;       /* empty: unconditional */
    uint64_t guard_version; /* append only while the entry `guard` has this version */
};

/* *sequence is 0 when the guard's entry has another version or is gone. */
MUST_USE result store_append(struct store *store, const struct store_append *append,
                             uint64_t *sequence, struct report *report);

struct store_event {
    uint64_t sequence;
    struct str value;
};

struct store_events {
    struct store_event *items; /* in sequence */
    size_t n;
    uint64_t first, last; /* of all that is in the log, not of the items; 0: there is no log */
};

/* Entries behind sequence `after`, at most `max` of them. Fewer come where they are large
 * (STORE_READ_BYTES_MAX), but at least one while there is any: read on until the last item is
 * `last`. That `first` is greater than `after` + 1 tells of entries that `keep` dropped. */
MUST_USE result store_read(struct store *store, struct str log, uint64_t after, size_t max,
                           struct arena *arena, struct store_events *out, struct report *report);
MUST_USE result store_drop(struct store *store, struct str log, bool *was_there,
                           struct report *report);

/* -- counters --------------------------------------------------------------------------------- */

/* Makes the counter at 0 with that time when there is none; later adds do not move its end.
 * `delta` 0 only reads and makes nothing. STORE_INVALID where the sum would leave int64_t; it stays
 * as it was. */
MUST_USE result store_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms,
                          int64_t *value, struct report *report);

/* -- windows ---------------------------------------------------------------------------------- */

/* At most `max` (0 to STORE_WINDOW_MAX; 0 admits nothing) in any `window_ms` (1 to
 * STORE_TTL_MS_MAX): what is admitted now counts until exactly so much later. A key with another
 * `window_ms` is another window. */
struct store_window {
    struct str key;
    int64_t max, window_ms;
};

/* Zeroed: refused. */
struct store_admission {
    bool is_admitted;
    size_t tightest;        /* the window with the least left, or with the longest to wait for */
    int64_t left;           /* how many more that one takes now; INT64_MAX: there is no window */
    int64_t retry_after_ms; /* when refused: at least 1; STORE_FOREVER where a maximum is 0 */
};

/* Charges all `n` windows (at most STORE_WINDOWS_MAX, no two the same), or where one is full, none
 * of them. Without windows all is admitted. */
MUST_USE result store_admit(struct store *store, const struct store_window *windows, size_t n,
                            struct store_admission *out, struct report *report);

/* -- places ----------------------------------------------------------------------------------- */

/* `member` is whose place it is, unique to the holder (a call's id). It is lost after `ttl_ms`
 * unless store_stay() sets the time anew: so does the place of a replica that died come free. */
struct store_place {
    struct str key, member;
    int64_t ttl_ms;
};

/* Takes one of the key's `max` places (0 to STORE_PLACES_MAX). Who is in already stays in, with the
 * new time, so that one who was not told may ask again. */
MUST_USE result store_enter(struct store *store, const struct store_place *place, int64_t max,
                            bool *is_in, struct report *report);
/* False: the place was lost, and may be somebody else's. */
MUST_USE result store_stay(struct store *store, const struct store_place *place, bool *is_in,
                           struct report *report);
/* The time does not count here. Who does not ask whether it was still in gives NULL. */
MUST_USE result store_leave(struct store *store, const struct store_place *place, bool *was_in,
                            struct report *report);

/* -- the whole -------------------------------------------------------------------------------- */

/* Whether other machines see what is in it: then only it knows how much is left of a limit. */
bool store_is_shared(const struct store *store);

/* A number that is greater after any change to entries and logs than before: whoever waits for
 * other replicas asks this first, for it is cheap, and reads only when it moved. */
MUST_USE result store_tide(struct store *store, uint64_t *tide, struct report *report);

struct store_usage {
    int64_t bytes,
        max_bytes; /* keys, values and what they cost; expired ones until they are swept */
};
MUST_USE result store_usage(struct store *store, struct store_usage *out, struct report *report);

/* For /health/ready: false with a sentence when the store cannot be read or written, or is nearly
 * full; of a store beyond this machine, as of the last step or tick. Waits for nobody. */
bool store_is_ready(struct store *store, struct str *sentence, struct arena *arena);

/* Once a second: removes some of what has expired, and tries again whether a store that failed can
 * be written. May block as any step does. */
void store_tick(struct store *store);

/* No step may be under way. Takes NULL. */
void store_close(struct store *store);

/* -- opening ---------------------------------------------------------------------------------- */

/* Rows of the table in store.c; AUTO is one of the others, see store_kind_of(). */
enum store_kind_id { STORE_AUTO = 0, STORE_SQLITE, STORE_MEMORY, STORE_REDIS };

/* `store:` and `MCP_STORE_CONFIG:` of weir.yaml. A Redis' URL holds a password: it is shown to
 * nobody. */
struct store_settings {
    int kind;        /* enum store_kind_id */
    struct str path; /* of the file; relative to the state directory */
    int64_t max_bytes;
    int64_t wait_ms; /* for other processes that write, and for Redis */
    struct str redis_url, redis_prefix;
    struct store_tls_files {
        struct str ca, certificate, key;
    } redis_tls;
    struct {
        bool is_enabled;
        struct str redis_url, prefix, wrapper;
        int64_t max_events, ttl_ms;
    } superset;
};
extern const struct option store_options[];
extern const struct option store_superset_options[]; /* names and defaults are Superset's */

/* Whether the settings can be meant, without opening anything: FAIL_CONFIG with the sentence. */
MUST_USE result store_check(const struct store_settings *settings, struct report *report);

/* What is meant by the settings together: never AUTO. */
enum store_kind_id store_kind_of(const struct store_settings *settings);
struct str store_redis_url(const struct store_settings *settings); /* empty: none is set */

/* Makes the file (0600) and its directory where they are not there. `clock` must outlive the store.
 * FAIL_IO with STORE_UNAVAILABLE where it cannot be used: it is damaged, of another program, of a
 * newer version, not reached, or the system says no; the sentence names it. FAIL_CONFIG where the
 * settings of Redis are none. */
MUST_USE result store_open(const struct store_settings *settings, struct str state_dir,
                           const struct clock *clock, struct store **out, struct report *report);

/* -- kinds ------------------------------------------------------------------------------------ */

/* What a kind of store can do. The functions above check all bounds first; the contract of each
 * member is theirs, and each is atomic. */
struct store_kind {
    const char *name; /* as in the settings */
    bool is_shared;   /* by other machines */
    /* NULL: whatever the settings' rows take is good */
    result (*check)(const struct store_settings *, struct report *);
    result (*open)(const struct store_settings *, struct str state_dir, const struct clock *,
                   struct store **, struct report *);
    result (*get)(struct store *, struct str key, struct arena *, struct store_value *,
                  struct report *);
    /* put (STORE_ANY), put_new (STORE_ABSENT) and swap; `version` is never NULL */
    result (*set)(struct store *, const struct store_item *, uint64_t expected, uint64_t *version,
                  struct report *);
    result (*take)(struct store *, struct str key, struct arena *, struct store_value *,
                   struct report *);
    result (*remove)(struct store *, struct str key, uint64_t expected, bool *, struct report *);
    result (*touch)(struct store *, struct str key, uint64_t expected, int64_t ttl_ms, bool *,
                    struct report *);
    result (*append)(struct store *, const struct store_append *, uint64_t *, struct report *);
    result (*read)(struct store *, struct str log, uint64_t after, size_t max, struct arena *,
                   struct store_events *, struct report *);
    result (*drop)(struct store *, struct str log, bool *, struct report *);
    result (*add)(struct store *, struct str key, int64_t delta, int64_t ttl_ms, int64_t *,
                  struct report *);
    result (*admit)(struct store *, const struct store_window *, size_t n, struct store_admission *,
                    struct report *);
    result (*enter)(struct store *, const struct store_place *, int64_t max, bool *,
                    struct report *);
    result (*stay)(struct store *, const struct store_place *, bool *, struct report *);
    result (*leave)(struct store *, const struct store_place *, bool *, struct report *);
    result (*tide)(struct store *, uint64_t *, struct report *);
    result (*usage)(struct store *, struct store_usage *, struct report *);
    bool (*is_ready)(struct store *, struct str *sentence, struct arena *);
    void (*tick)(struct store *);
    void (*close)(struct store *);
};

extern const struct store_kind store_sqlite; /* a file, shared by the processes of one machine */
extern const struct store_kind store_memory; /* gone with its process: for one that stands alone */
extern const struct store_kind store_redis;  /* a Redis, shared by the processes of many machines */

#endif
