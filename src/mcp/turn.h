/*
 * mcp/turn.h - one message of one peer and what becomes of it; neutral of the transport
 *
 * A door reads bytes into JSON, says who asks, and takes its turn. The turn classifies the message,
 * looks its method up in one table (methods.c) and either has an answer at once, or has set a call
 * on the road and gets its answer later. turn->finish() is called exactly once, with the answer's
 * bytes and status.
 *
 * Memory:  a turn lives in its call's arena; turn_free() ends both.
 * Errors:  are answers.
 * Threads: turn_take() on the door's thread; finish() on that thread for an answer at once, else on
 *          the audit writer's thread: a door hands it to its own.
 */
#ifndef WEIR_MCP_TURN_H
#define WEIR_MCP_TURN_H

#include "call/call.h"
#include "mcp/era.h"
#include "mcp/mcp.h"
#include "mcp/rpc.h"

enum turn_form {
    TURN_RPC = 0,   /* answered by JSON-RPC */
    TURN_SHORTHAND, /* {"tool":…}: answered by the bare envelope */
};

struct turn {
    struct mcp *mcp;
    struct call *call; /* its arena, principal and origin; on the road for tools/call */
    struct rpc_message message;
    enum turn_form form;
    enum era era;
    struct str version;
    struct buf out;            /* the answer; empty: nothing is to be said (202) */
    struct json_writer writer; /* over `out`, for answer.h */
    int status;                /* of HTTP */
    void (*finish)(struct turn *turn);
    void *owner; /* the door's */
};

/* NULL: no memory. */
struct turn *turn_new(struct mcp *mcp, void (*finish)(struct turn *), void *owner);
void turn_free(struct turn *turn); /* takes NULL */

/* The principal in turn->call must be set. `body` is borrowed until finish. `headers` as in era.h.
 */
void turn_take(struct turn *turn, struct str body, const struct era_headers *headers);
/* The same after a door has decided era and version by itself (stdio). */
void turn_take_as(struct turn *turn, enum era era, struct str version);
/* Reads the body into turn->message: false, and the error is in turn->out, when it is none. */
bool turn_read(struct turn *turn, struct str body);

void turn_error(struct turn *turn, const struct rpc_error *error);

#endif
