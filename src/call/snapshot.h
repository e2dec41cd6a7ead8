/*
 * call/snapshot.h - what a call sees of the configuration, from its door to its end
 *
 * Identity, policy, catalogue, backends and settings are compiled once, are immutable, and are
 * swapped whole on a reload. A call holds a reference; the last one to leave frees the old
 * snapshot.
 *
 * Threads: references are counted atomically; all else is immutable.
 */
#ifndef WEIR_CALL_SNAPSHOT_H
#define WEIR_CALL_SNAPSHOT_H

#include "base/arena.h"
#include "catalog/catalog.h"
#include "policy/policy.h"

struct backend_set;

/* The settings that the road and the tools ask for. */
struct call_settings {
    int64_t reply_max_bytes;
    int64_t reply_max_tokens; /* 0: no limit */
    int64_t queue_max;        /* calls waiting for a thread, of each class */
};

struct snapshot {
    _Atomic unsigned refs;
    void (*release)(struct snapshot *snapshot); /* set by who made it; frees all, itself too */
    struct arena arena;
    const struct identity *identity;
    const struct policy *policy;
    const struct catalog *catalog;
    struct backend_set *backends;
    struct call_settings settings;
    uint64_t generation; /* counts reloads; the policy's version is policy_version() */
};

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* takes NULL */

/* -- the current one: swapped by a reload, taken at the door ------------------------------------
 */

struct snapshot_holder;

struct snapshot_holder *snapshot_holder_new(struct snapshot *first); /* takes the reference */
void snapshot_holder_free(struct snapshot_holder *holder);
struct snapshot *snapshot_take(struct snapshot_holder *holder);            /* a new reference */
void snapshot_swap(struct snapshot_holder *holder, struct snapshot *next); /* takes the reference */

#endif
