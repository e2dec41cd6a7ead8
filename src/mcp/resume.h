/*
 * mcp/resume.h - the stream of a legacy request, from which its client can come back for more
 *
 * A tools/call of a session that knows priming events (2025-11-25), by a tool that waits, is
 * journalled (mcp/journal.h): its stream begins with an event that only tells an id, every message
 * carries one, and a GET with Last-Event-ID goes on behind it. When the replica that ran the call
 * is gone, who is asked runs a read-only call again and answers any other with CALL_LOST.
 *
 * An event's id is STREAM.SEQUENCE: 32 hex digits and a number.
 *
 * Threads: at the desk.
 */
#ifndef WEIR_MCP_RESUME_H
#define WEIR_MCP_RESUME_H

#include "mcp/turn.h"

/* In a session, before the request runs: from here on what the turn tells and answers is written
 * down. Does nothing for requests that are not of this kind, nor where the store cannot. */
void resume_begin(struct turn *turn);

/* Of a turn that is freed. */
void resume_end(struct turn *turn);

/* Is it the id of an event of ours? */
bool resume_is_event(struct str last_event_id);
/* The turn is a GET's: goes on behind that event. Finishes the turn, now or later. */
void resume_follow(struct turn *turn, struct str last_event_id);

#endif
