/*
 * mcp/batch.h - several messages in one, as the revision 2025-03-26 alone has them
 *
 * Each element takes a turn of its own, at the same time; the answers stand in one array, in the
 * order of their requests. Only answers: what a turn would tell before its own is left out.
 *
 * Errors:  a batch that is empty, too long, of another revision, or holds initialize or a modern
 *          message is refused whole (400).
 * Threads: the turn's; elements end on any.
 */
#ifndef WEIR_MCP_BATCH_H
#define WEIR_MCP_BATCH_H

#include "mcp/turn.h"

/* The turn has form TURN_BATCH, its principal and, where there is one, its session. Finishes it. */
void batch_take(struct turn *turn, struct str version);

#endif
