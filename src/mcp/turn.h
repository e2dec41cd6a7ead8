/*
 * mcp/turn.h - one message of one peer and what becomes of it; neutral of the transport
 *
 * A door reads bytes into JSON, says who asks, and takes its turn. The turn classifies the message,
 * finds the session where it is of one, looks its method up in one table (methods.c), and either
 * has an answer at once, or has set a call on the road and gets its answer later. turn->finish() is
 * called exactly once, with the answer's bytes and status; before it, turn->send() any number of
 * times, with messages that belong to the answer: progress, questions.
 *
 *     turn_take() -> [desk: the session] -> method -> [road] -> finish()
 *
 * Memory:  a turn lives in its call's arena; turn_free() ends both.
 * Errors:  are answers.
 * Threads: turn_take() on the door's thread; then one at a time: that, a desk's or a worker's, and
 *          for the end the audit writer's. A door hands what it gets to its own.
 */
#ifndef WEIR_MCP_TURN_H
#define WEIR_MCP_TURN_H

#include "call/call.h"
#include "mcp/era.h"
#include "mcp/hub.h"
#include "mcp/mcp.h"
#include "mcp/peer.h"
#include "mcp/rounds.h"
#include "mcp/rpc.h"
#include "mcp/running.h"
#include "mcp/session.h"

struct http_entry;
struct resume;
struct task;

enum turn_form {
    TURN_RPC = 0,   /* answered by JSON-RPC */
    TURN_SHORTHAND, /* {"tool":…}: answered by the bare envelope */
    TURN_BATCH,     /* several messages: answered by an array */
};

/* How a door carries messages of a turn beside its answer. Any thread; in order. */
struct turn_way { /* send and answer_early are there always; the others may be NULL */
    /* `id` of the event, where the client can come back for it; else empty. `json` empty: an event
     * that only tells its id. */
    void (*send)(struct turn *turn, struct str id, struct str json);
    /* The connection ends now; the answer is kept for whoever comes back. NULL: nobody can. */
    void (*let_go)(struct turn *turn);
    /* The client is answered now, by this, and the turn goes on without it. Any thread. */
    void (*answer_early)(struct turn *turn, struct str json);
    /* Does `step` after a while, unless the turn has been finished; on the door's thread, and to be
     * called there. NULL: the door has no clock. */
    void (*after)(struct turn *turn, int64_t ms, void (*step)(struct turn *turn));
    /* The connection stays open for a subscriber, beyond the turn, which must still be finished.
     * On the door's thread. false: no memory or place; the turn answers as any other. */
    bool (*hold)(struct turn *turn, const struct subscription *what);
    /* Ends the subscriber of that listen request: false where there is none. On the door's thread.
     * NULL: the connection itself is what is ended. */
    bool (*unhold)(struct turn *turn, struct str request_id);
};

struct turn {
    struct mcp *mcp;
    struct call *call; /* its arena, principal and origin; on the road for tools/call */
    struct rpc_message message;
    enum turn_form form;
    const struct json *batch; /* of TURN_BATCH: an array */
    enum era era;
    struct str version;
    struct session *session;         /* of the legacy era; NULL: none */
    const struct json *capabilities; /* of the client; NULL: none are known */
    const struct turn_way *way;      /* NULL: nothing but the answer can be carried */
    struct peer peer;                /* what call->client is */
    struct rounds rounds;            /* what the client brings back, and is asked for */
    struct task *task;               /* that it may become, or is; NULL: never */
    struct resume *resume;           /* the stream that its client can come back to; NULL: none */
    struct running running;          /* among those that can be cancelled */
    struct buf out;                  /* the answer; empty: nothing is to be said (202) */
    struct json_writer writer;       /* over `out`, for answer.h */
    struct str last_event_id;        /* of a GET */
    struct str endpoint;             /* of HTTP+SSE: where its client posts */
    struct str metadata;             /* where those of OAuth stand; empty: nowhere (oauth.h) */
    struct str challenge;            /* WWW-Authenticate of the answer; empty: none */
    struct str out_id; /* the answer's event id, where the client can come back for it */
    int status;        /* of HTTP */
    void (*step)(struct turn *turn); /* what the desk does next */
    struct http_entry *entry; /* at the HTTP door, until it is known who asks (http_entry.c) */
    void (*finish)(struct turn *turn);
    void *owner; /* the door's */
    /* A header of its request, until the method runs. NULL: it has none. */
    struct str (*header)(const void *with, struct str name);
    const void *header_with;
};

/* NULL: no memory. */
struct turn *turn_new(struct mcp *mcp, void (*finish)(struct turn *), void *owner);
void turn_free(struct turn *turn); /* takes NULL */

/* The principal in turn->call must be set, and the session's id in call->origin where the message
 * names one. `body` is borrowed until finish. `headers` as in era.h. Returns
 * the message's era: turn->era may be another thread's already. */
enum era turn_take(struct turn *turn, struct str body, const struct era_headers *headers);
/* The same after a door has decided era and version by itself (stdio). */
void turn_take_as(struct turn *turn, enum era era, struct str version);
/* Reads the body into turn->message: false, and the error is in turn->out, when it is none. */
bool turn_read(struct turn *turn, struct str body);

/* Does `step` on a thread that may block (the store, the client's answer). */
void turn_at_desk(struct turn *turn, void (*step)(struct turn *turn));

/* A tools/call that will be refused for want of a scope: the client is told by a status, so that
 * nothing may be sent ahead of its answer. */
bool turn_lacks_scope(const struct turn *turn);
/* The answer to it: 403 and the challenge. false: the call has ended otherwise. */
bool turn_step_up(struct turn *turn);

/* Was its call, which may run twice, cancelled because the process ends? Where a client can come
 * back for the answer, another replica runs it again: so nothing is kept of it. */
bool turn_is_left_over(struct turn *turn);

void turn_error(struct turn *turn, const struct rpc_error *error);
/* The failure of a part of ours (store, secret) as the protocol's error; the turn is finished. */
void turn_fail(struct turn *turn, const struct report *report);

#endif
