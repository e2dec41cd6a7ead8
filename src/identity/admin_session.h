/*
 * identity/admin_session.h - keepers in a browser: a cookie for a token shown once
 *
 * A keeper logs in with a token and from then on holds a cookie: 256 random bits, drawn here and
 * never taken from outside, so that nobody can give another a session to log in to. The store knows
 * only their hash, so that who reads it has no session; every replica sees a logout at once.
 *
 * Bound:   a session is good for the Host it was made at and from the address it was made from; a
 *          stolen cookie opens nothing elsewhere.
 * CSRF:    each session has a token of its own that pages of ours send back in a header. A request
 *          that changes anything needs it; whether the page is ours is asked besides, by whoever
 *          serves (admin/).
 * Ends:    with a logout, after `idle` without use, after `lifetime` whatever happens, and when the
 *          login would not be one any more: the token is taken out of auth.yaml, or the user loses
 *          the role mcp_admin. Where the token was another issuer's, whose changes we do not see,
 * the session ends after ADMIN_CLAIMED_MS. Moves:   every ADMIN_ROTATE_MS the session gets a new
 * id; the one before is good for ADMIN_GRACE_MS more, for requests under way.
 *
 * Memory:  what comes out lives in the arena given.
 * Errors:  FAIL_DENIED with AUTH_REQUIRED (no such session: never was, has ended, another's; one
 *          sentence for all), AUTH_INVALID_TOKEN (a token of no keeper), CSRF_INVALID; those of the
 *          store.
 * Threads: any; all but the cookie's text may block.
 */
#ifndef WEIR_IDENTITY_ADMIN_SESSION_H
#define WEIR_IDENTITY_ADMIN_SESSION_H

#include "base/clock.h"
#include "identity/identity.h"

struct store;

/* MCP_SESSION_CONFIG and MCP_CSRF_CONFIG of weir.yaml, with Superset's names. */
enum admin_same_site { SAME_SITE_STRICT = 0, SAME_SITE_LAX };
struct admin_session_settings {
    bool is_http_only; /* read, and always so */
    bool is_secure;    /* also over plain HTTP on loopback, where no cookie would come then */
    int same_site;     /* enum admin_same_site */
    struct str cookie_name;
    int64_t lifetime_ms, idle_ms;
};
struct admin_csrf_settings {
    bool is_enabled;       /* read, and always so */
    int64_t time_limit_ms; /* of one token; 0: as long as its session */
};
extern const struct option admin_session_options[];
extern const struct option admin_csrf_options[];

/* Where a request comes from, as far as a session is bound to it. */
struct admin_place {
    struct str peer, host;
    bool is_secure; /* TLS here, or a Host that is no loopback: the browser must be over TLS */
};

struct admin_sessions {
    struct store *store; /* NULL: there are no sessions */
    const struct clock *clock;
    const struct admin_session_settings *settings;
    const struct admin_csrf_settings *csrf;
};

enum { ADMIN_ID_BYTES = 32 };

struct admin_session {
    struct str id; /* new: to be sent as a cookie; empty: the one that came stays */
    struct str csrf;
    struct principal principal;
    int64_t created_ms, seen_ms, ends_ms;
    bool is_csrf_over; /* its time is; a new one comes with the next look at the session */
};

/* Logs in: `token` is an admin token or what else a bearer may show. `old` is the cookie that came
 * along, whose session ends; it may be empty. */
MUST_USE result admin_session_open(const struct admin_sessions *sessions,
                                   const struct identity *identity, struct identity_state *state,
                                   const struct origin *origin, struct str token,
                                   const struct admin_place *place, struct str old,
                                   struct arena *arena, struct admin_session *out,
                                   struct report *report);
/* The session of a cookie. */
MUST_USE result admin_session_find(const struct admin_sessions *sessions,
                                   const struct identity *identity, struct str cookie,
                                   const struct admin_place *place, struct arena *arena,
                                   struct admin_session *out, struct report *report);
/* Is it this session's token, in its time? In constant time. */
bool admin_session_is_csrf(const struct admin_session *session, struct str token);
/* Logs out, on all replicas. What is not there is no error. */
MUST_USE result admin_session_end(const struct admin_sessions *sessions, struct str cookie,
                                  struct arena *arena, struct report *report);

/* -- the cookie ------------------------------------------------------------------------------- */

/* Its value among those that came; STR_NONE: none, or more than one, which nobody of ours sent. */
struct str admin_cookie_read(const struct admin_sessions *sessions, const struct origin *origin,
                             const struct admin_place *place, struct arena *arena);
/* The value of Set-Cookie; an empty id takes the cookie back. STR_NONE: no memory.
 * Over TLS it is named __Host-…, which no other host can set (and Path is / then); else its Path is
 * /admin. */
struct str admin_cookie_write(const struct admin_sessions *sessions, struct str id,
                              const struct admin_place *place, struct arena *arena);

/* Is there anybody with the role mcp_admin: a token or a user? */
bool identity_has_admin(const struct identity *identity);

#endif
