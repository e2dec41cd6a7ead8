/*
 * mcp/session.h - what was agreed with a client of the legacy era
 *
 * initialize opens a session and gives it an unguessable id, which the client repeats. It lives in
 * the store, so that any replica takes it up; on stdio, where the process is the session, in
 * memory alone. It is bound to who opened it: to anybody else it does not exist. A session gives no
 * right: who asks is identified at every message.
 *
 * Memory:  a struct session is one message's view of it, in the turn's arena.
 * Errors:  FAIL_ABSENT with SESSION_UNKNOWN; the store's.
 * Threads: each view belongs to its turn. All functions with a store may block.
 */
#ifndef WEIR_MCP_SESSION_H
#define WEIR_MCP_SESSION_H

#include "call/client.h"
#include "identity/identity.h"
#include "store/store.h"

/* What a client is told that has not said how much it wants to know. */
#define SESSION_LEVEL CLIENT_INFO

struct session {
    struct str id;
    struct arena
        *own; /* its memory on stdio, where the process is the session; NULL: in the store */
    struct str version;
    const struct json *capabilities; /* the client's */
    enum client_level level;         /* least of what it wants to be told; CLIENT_SILENT: nothing */
    const struct json *watched;      /* URIs subscribed to, an array; NULL: none */
    bool is_stream; /* of HTTP+SSE: over with its one stream, and spoken to beside it alone */
    uint64_t store_version; /* of the record */
};

/* A new session in the store. `session` holds version, capabilities, level; gains its id. */
MUST_USE result session_open(struct store *store, const struct principal *who,
                             struct session *session, struct arena *arena, struct report *report);
MUST_USE result session_find(struct store *store, const struct principal *who, struct str id,
                             const struct clock *clock, struct arena *arena, struct session **out,
                             struct report *report);
/* What session_find() says of a session that is none. */
MUST_USE result session_unknown(struct report *report);
/* Writes version, capabilities, level and watched back: *is_kept is false when another message
 * changed it meanwhile; then it is found anew and changed again by the caller. */
MUST_USE result session_keep(struct store *store, const struct principal *who,
                             struct session *session, struct arena *arena, bool *is_kept,
                             struct report *report);
MUST_USE result session_close(struct store *store, const struct session *session,
                              struct arena *arena, struct report *report);

/* Is there such a session, whoever's it is? And what it watches: an array of URIs, or NULL. What
 * cannot be read is taken to be there. */
bool session_is_there(struct store *store, struct str id, struct arena *arena,
                      const struct json **watched);

/* Tells one holder from another: a text that no other principal has. */
struct str principal_key(const struct principal *who, struct arena *arena);

#endif
