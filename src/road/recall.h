/*
 * road/recall.h - an answer given before is given again, to who may have it
 *
 * A call that comes here was decided and counted like any other, and will be recorded and answered
 * with an audit id of its own; only the tool does not run. What is kept is the data and what the
 * guard knew of it. Its key is the SHA-256 of
 *
 *     prefix, tool, arguments (members in order of their names),
 *     what the policy grants the principal (policy/policy_digest.h), the policy's version,
 *     the snapshot's generation, which a reload of policy, catalogue or data moves on
 *
 * so that people with different rights never meet under one key, and people with equal rights do.
 *
 * Kept is a success of a tool that says `is_cacheable`, is not excluded by MCP_CACHE_CONFIG, and
 * whose statement would answer the same again (sql/stable.h).
 *
 * Errors:  none: without memory an answer is not found, or not kept.
 * Threads: the call's.
 */
#ifndef WEIR_ROAD_RECALL_H
#define WEIR_ROAD_RECALL_H

#include "call/call.h"
#include "shape/cache.h"

/* True: the reply is written, and facts.recall says how. Else facts.recall may hold a key. */
bool recall_find(struct cache *cache, struct call *call);

/* After a success whose `data` stands at these bytes of the reply. */
void recall_keep(struct cache *cache, struct call *call, size_t from, size_t to);

#endif
