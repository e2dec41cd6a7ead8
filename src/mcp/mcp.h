/*
 * mcp/mcp.h - the door: what its parts share
 *
 * Memory:  lives as long as the process; texts of tools are made once, at the start.
 * Threads: immutable after mcp_new(), but for what its members guard by themselves.
 */
#ifndef WEIR_MCP_MCP_H
#define WEIR_MCP_MCP_H

#include "call/snapshot.h"
#include "mcp/asking.h"
#include "mcp/hub.h"
#include "mcp/journal.h"
#include "mcp/news.h"
#include "mcp/running.h"
#include "road/pool.h"
#include "road/road.h"
#include "store/store.h"

struct tool;
struct secret;
struct session;

/* One tool as it stands in tools/list: for revisions that know output schemas, and older ones. */
struct tool_text {
    const struct tool *tool;
    struct str with_output, without_output;
};

/* All borrowed, for the door's life. */
struct mcp_setup {
    struct road *road;
    struct snapshot_holder *snapshots;
    struct audit *audit; /* for health */
    struct store *store; /* NULL: no sessions but stdio's */
    const struct secret *secret;
    struct identity_state *identities;
    const struct clock *clock;
};

struct mcp {
    struct road *road;
    struct snapshot_holder *snapshots;
    struct audit *audit;
    struct store *store;
    const struct secret *secret;
    struct identity_state *identities;
    const struct clock *clock;
    struct arena arena;
    const struct tool_text *tools;
    size_t n_tools;
    struct pool_class desk_kind;
    struct pool *desk; /* threads for what waits before and behind the road: the store */
    struct pool_class entry_kind;
    struct pool *entry;      /* threads that ask who strangers are (http_entry.h) */
    _Atomic bool is_settled; /* who is identified only now goes no further: the road may be gone */
    struct running_list running;
    struct asking asking;
    struct hub hub;
    struct journals journals;
    struct news news; /* of other replicas, and for them */
};

MUST_USE result mcp_new(const struct mcp_setup *setup, struct mcp **out, struct report *report);
/* Lists or resources have changed (CHANGED_*): tells everybody who listens, here and, within a
 * second or two, at other replicas. May block. */
void mcp_changed(struct mcp *mcp, unsigned what);
/* Cancels the request that runs under that name, here or at another replica; none is no error. May
 * block. FAIL_* of the store: the others could not be told. */
MUST_USE result mcp_cancel(struct mcp *mcp, struct str session_id, struct str request_id,
                           struct report *report);
/* Ends the session with its streams, wherever they are. Blocks on the store. */
MUST_USE result mcp_close_session(struct mcp *mcp, const struct session *session,
                                  struct arena *arena, struct report *report);
/* Removes the record of a session whose one stream has ended, at the desk; what finds no memory or
 * place is gone after SESSION_TTL_MS by itself. Does not block. */
void mcp_forget_session(struct mcp *mcp, struct str session_id);
/* Cancels all that runs: for the end, of what has had its time. What may run twice, and somebody
 * can come back for, is left to the other replicas. */
void mcp_cancel_all(struct mcp *mcp);
/* Waits until the desk has nothing left to do: when no door takes turns any more, and before the
 * road is freed. */
void mcp_settle(struct mcp *mcp);
/* When road and audit are gone. Takes NULL. */
void mcp_free(struct mcp *mcp);

#endif
