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
#include "base/option.h"
#include "catalog/catalog.h"
#include "policy/approval.h"
#include "policy/policy.h"

struct backend_set;
struct shadow;
struct store;

/* What a model can take of one reply (MCP_RESPONSE_SIZE_CONFIG; rows: shape/settings.h). */
struct size_settings {
    bool is_enabled;
    int64_t token_limit;        /* of a whole reply; 0: none */
    int64_t max_bytes;          /* likewise */
    int64_t warn_threshold_pct; /* of either limit */
    int64_t max_list_items;     /* kept of a list that has to be cut; 0: as many as fit */
    struct option_list excluded_tools;
};

/* How long what was answered may be answered again (MCP_CACHE_CONFIG; rows: shape/settings.h).
 * Times are in milliseconds; 0: not at all. */
struct cache_settings {
    bool is_enabled;
    struct str key_prefix;
    int64_t list_tools_ttl_ms, list_resources_ttl_ms, list_prompts_ttl_ms;
    int64_t read_resource_ttl_ms, get_prompt_ttl_ms, call_tool_ttl_ms;
    int64_t max_item_bytes; /* a larger answer is not kept */
    int64_t max_bytes;      /* of all that is kept */
    struct option_list excluded_tools;
};

/* A limit that cannot be counted. */
enum store_failure {
    ON_FAILURE_CLOSED = 0, /* refuses */
    ON_FAILURE_OPEN,       /* is counted in this process, or not at all (quotas) */
};

/* The settings that the road and the tools ask for. */
struct call_settings {
    int64_t reply_max_bytes;
    int64_t reply_max_tokens; /* 0: no limit */
    int64_t queue_max;        /* calls waiting for a thread, of each class */
    int64_t task_after_ms;    /* a call that runs longer becomes a task, where the client can */
    int on_store_failure;     /* enum store_failure: of limits that replicas share */
    int64_t day_begins_min;   /* after midnight UTC: the day of daily quotas */
    int hidden_characters;    /* enum text_form (shape/text.h) */
    int64_t keep_ttl_ms;    /* what did not fit a reply can be read on for so long; 0: not at all */
    int64_t keep_max_bytes; /* of one result */
    struct size_settings size;
    struct cache_settings cache;
};

struct snapshot {
    _Atomic unsigned refs;
    void (*release)(struct snapshot *snapshot); /* set by who made it; frees all, itself too */
    struct arena arena;
    const struct identity *identity;
    const struct policy *policy;
    struct shadow *shadow; /* a candidate, judged beside the policy; NULL: there is none */
    const struct catalog *catalog;
    struct backend_set *backends;
    struct store *store; /* borrowed, and the same for all of a house; NULL: nothing is kept */
    struct call_settings settings;
    struct approval_settings approvals;
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
