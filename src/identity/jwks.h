/*
 * identity/jwks.h - the keys that issuers publish, fetched and kept
 *
 * One set for each URL. It is fresh for `ttl_ms`, and then fetched anew by the next caller that may
 * wait; while the issuer does not answer, the old keys are good for `stale_ms` more. A token whose
 * key nobody knows may mean that the issuer changed its keys: then the set is fetched before its
 * time, once in `pause_ms` whatever number of such tokens comes. There is one request at a time
 * for each URL; a few callers wait for it, and more are told that the keys are absent.
 *
 * Readers borrow a set without a lock: `current` names one of JWKS_SLOTS slots, each with a count
 * of its readers. A reader counts itself in and looks again whether that slot is still the current
 * one; the writer fills a slot that is not current and has no reader, and then makes it current. A
 * reader that came too late to the old slot sees that, and leaves without having looked at the set.
 * Nothing that a late reader touches is ever freed while the cache lives.
 *
 * Memory:  sets have memory of their own. Sources are borrowed for the call.
 * Errors:  in the answer; the reason of a failed fetch goes to the log, without path and query.
 * Threads: any number at once.
 */
#ifndef WEIR_IDENTITY_JWKS_H
#define WEIR_IDENTITY_JWKS_H

#include "base/clock.h"
#include "identity/jwk.h"

struct fetcher;
struct fetch_settings;

struct jwks_source {
    struct str url;
    struct jwt_algs algs; /* what its keys may be used for */
    int64_t ttl_ms, stale_ms, pause_ms;
    const struct fetch_settings *fetch; /* NULL: zeroed ones */
};

/* How a set is had: its text, in the arena. May block; never follows a redirect. */
struct jwks_getter {
    result (*get)(const struct jwks_getter *getter, const struct jwks_source *source,
                  struct arena *arena, struct str *out, struct report *report);
    struct fetcher *fetcher; /* of jwks_by_fetch() */
    void *with;              /* of others */
};
struct jwks_getter jwks_by_fetch(struct fetcher *fetcher);

struct jwks_cache;

/* `clock` is borrowed, and what the getter points to. */
MUST_USE result jwks_cache_new(const struct clock *clock, struct jwks_getter getter,
                               struct jwks_cache **out, struct report *report);
void jwks_cache_free(struct jwks_cache *cache); /* when nobody borrows any more; takes NULL */

enum jwks_answer {
    JWKS_ABSENT = 0, /* there are none, and none to be had now; or none newer */
    JWKS_WAIT,       /* they have to be fetched, by a thread that may wait */
    JWKS_GIVEN,
};

struct jwks_slot;
struct jwks_loan {
    const struct jwk_set *set;
    uint64_t version;       /* of the set: greater is newer; never 0 */
    struct jwks_slot *slot; /* for jwks_return() */
};

/* Borrows the set; give it back with jwks_return(). `newer_than`: the version that did not know a
 * key, so that a newer one is wanted; 0: any. */
enum jwks_answer jwks_borrow(struct jwks_cache *cache, const struct jwks_source *source,
                             uint64_t newer_than, bool may_wait, struct jwks_loan *out);
void jwks_return(struct jwks_loan *loan);

#endif
