/*
 * mcp/mcp.h - the door: what its parts share
 *
 * Memory:  lives as long as the process; texts of tools are made once, at the start.
 * Threads: immutable after mcp_new(), but for what its members guard by themselves.
 */
#ifndef WEIR_MCP_MCP_H
#define WEIR_MCP_MCP_H

#include "call/snapshot.h"
#include "road/road.h"

struct tool;

/* One tool as it stands in tools/list: for revisions that know output schemas, and older ones. */
struct tool_text {
    const struct tool *tool;
    struct str with_output, without_output;
};

struct mcp {
    struct road *road;
    struct snapshot_holder *snapshots;
    const struct clock *clock;
    struct audit *audit; /* for health */
    struct arena arena;
    const struct tool_text *tools;
    size_t n_tools;
};

MUST_USE result mcp_new(struct road *road, struct snapshot_holder *snapshots, struct audit *audit,
                        const struct clock *clock, struct mcp **out, struct report *report);
void mcp_free(struct mcp *mcp); /* takes NULL */

#endif
