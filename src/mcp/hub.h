/*
 * mcp/hub.h - who wants to be told when lists and resources change
 *
 * A modern client listens by a request that stays open (subscriptions/listen); a legacy one by the
 * GET stream of its session. Both are subscribers: a connection that idles until something changes.
 * What changed is kept as bits until the subscriber's loop comes round to it, so that a hundred
 * changes at once are told once.
 *
 * Memory:  a subscriber is the first member of its carrier's own struct, of a few hundred bytes.
 * Ends:    a subscriber ends with its connection, or because its session was closed (hub_close()):
 *          then subscriber_tell() is false, and its carrier ends it.
 *
 * Errors:  hub_join() is false for want of memory or place (HUB_SUBSCRIBERS_MAX).
 * Threads: hub_changed(), hub_note(), hub_post(), hub_close(), hub_has() and hub_watch() from any
 *          thread; a
 *          subscriber belongs to its carrier's.
 */
#ifndef WEIR_MCP_HUB_H
#define WEIR_MCP_HUB_H

#include "base/arena.h"
#include "base/list.h"
#include "call/client.h" /* CHANGED_* */
#include "text/json.h"

#include <pthread.h>

struct subscriber;

/* How a door carries it. */
struct carrier {
    /* Under the hub's lock, from any thread: brings subscriber_tell() about on the carrier's own.
     */
    void (*wake)(struct subscriber *subscriber);
    /* Called by that, and by acknowledge and farewell. */
    void (*send)(struct subscriber *subscriber, struct str json);
};

struct note; /* a message that waits for its subscriber */

struct subscriber {
    struct link link; /* in hub.all */
    const struct carrier *carrier;
    unsigned wants;        /* CHANGED_* */
    char *names;           /* malloc'd: what the next three stand in */
    struct str id;         /* of the listen request, as JSON text; empty: a legacy stream */
    struct str session_id; /* of a legacy stream */
    struct str holder;     /* who listens: principal_key() */
    bool is_session;       /* which is over with it */
    /* Under the hub's lock. */
    unsigned pending;
    struct str *watched; /* URIs, and ids of tasks; malloc'd, one allocation */
    size_t n_watched;
    struct note *notes;
};

struct hub {
    pthread_mutex_t lock;
    struct link all;
    size_t n, n_sessions; /* all; those of legacy sessions */
    /* A subscriber has left that was its session. On its carrier's thread; must not block. */
    void (*ended)(void *with, struct str session_id);
    void *with;
};

void hub_init(struct hub *hub);
void hub_deinit(struct hub *hub);
/* How many there are; how many of them are of legacy sessions. */
size_t hub_count(struct hub *hub);
size_t hub_count_sessions(struct hub *hub);

struct subscription {
    unsigned wants;
    struct str id, session_id, holder;
    bool is_session;            /* the session is over when the subscriber leaves */
    const struct json *watched; /* an array of texts; NULL: none */
};

/* `subscriber` is zeroed. Copies what it is told. */
bool hub_join(struct hub *hub, struct subscriber *subscriber, const struct subscription *what,
              const struct carrier *carrier) __attribute__((warn_unused_result));
/* Nothing wakes it any more. Gives back all but the struct itself. */
void hub_leave(struct hub *hub, struct subscriber *subscriber);

void hub_changed(struct hub *hub, unsigned what);
/* A message for those who watch `name` by a listen stream and are `holder`, whose it is: params
 * without _meta, as the members of an object. What finds no memory is not told. */
void hub_note(struct hub *hub, struct str name, struct str holder, const char *method,
              struct str members);

/* A whole message for the stream of one session; and is there such a stream here? */
void hub_post(struct hub *hub, struct str session_id, struct str json);
bool hub_has(struct hub *hub, struct str session_id);

/* The session has ended, and so do its streams. */
void hub_close(struct hub *hub, struct str session_id);

/* The sessions with a stream here, and what such a session watches from now on. */
bool hub_sessions(struct hub *hub, struct arena *arena, struct str **ids, size_t *n);
void hub_watch(struct hub *hub, struct str session_id, const struct json *watched);

/* On the carrier's thread: tells what is pending. false: its session was closed, and the carrier
 * ends it now, without a farewell. */
bool subscriber_tell(struct hub *hub, struct subscriber *subscriber);
/* The first message of a listen stream: what was granted of what was asked for. */
void subscriber_acknowledge(struct subscriber *subscriber);
/* The last one: the result of the listen request. Nothing on a legacy stream. */
void subscriber_farewell(struct subscriber *subscriber);

#endif
