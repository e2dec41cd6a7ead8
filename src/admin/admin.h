/*
 * admin/admin.h - the keepers' door: /admin/api, for people and their programs
 *
 *     GET  /admin/api/status                      how the parts are
 *     GET  /admin/api/setup/status                is there a keeper yet?
 *     POST /admin/api/setup/bootstrap             makes the first one, once
 *     GET  /admin/api/session                     who am I?
 *     POST /admin/api/session                     log in with a token
 *     POST /admin/api/session/logout
 *     GET  /admin/api/policy                      version and generation
 *     GET  /admin/api/approvals                   calls that wait for somebody's yes
 *     POST /admin/api/approvals/{id}/approve      or reject, with {"note"?}; by an approver
 *     POST /admin/api/reload                      read the configuration again
 *
 * Answers are {"ok":true,"data":…} or {"ok":false,"error":{"code","message","hint"},"audit_id"}.
 * Every request is identified: by a bearer token, or by the cookie of a session
 * (identity/admin_session.h). What changes anything is on record before it is answered, and with a
 * cookie it needs the session's CSRF token and a page of ours. No page of another origin is told
 * anything: there is no CORS here.
 *
 * Memory:  lives as long as the process.
 * Errors:  are answers.
 * Threads: admin_serve() on the loop of the exchange; the work is done on threads that may block.
 */
#ifndef WEIR_ADMIN_ADMIN_H
#define WEIR_ADMIN_ADMIN_H

#include "audit/audit.h"
#include "call/snapshot.h"
#include "identity/admin_session.h"
#include "mcp/mcp.h"
#include "net/http.h"

/* `admin:` of weir.yaml */
enum admin_enabled { ADMIN_AUTO = 0, ADMIN_YES, ADMIN_NO };
struct admin_settings {
    int enabled; /* enum admin_enabled: AUTO is on on loopback listeners alone */
};
extern const struct option admin_options[];

/* All borrowed, for the door's life. */
struct admin_setup {
    struct mcp *mcp; /* its road, snapshots, store, audit, identities and clock are ours, too */
    const struct admin_session_settings *session;
    const struct admin_csrf_settings *csrf;
    struct str auth_local;       /* path of the writable file of tokens */
    struct str bootstrap_secret; /* ADMIN_BOOTSTRAP_SECRET; empty: only from this machine */
    /* Reads the configuration again; any thread. On failure the old one stays. */
    result (*reload)(void *with, struct report *report);
    void *with;
};

struct admin;

MUST_USE result admin_new(const struct admin_setup *setup, struct admin **out,
                          struct report *report);
/* The handler of all paths below /admin (mcp/http_door.h, `keepers`). */
void admin_serve(void *admin, struct http_exchange *x, const struct http_request *req);
/* Until all that was begun is handed to the audit log: when no request comes any more, and before
 * the log is closed. Takes NULL. */
void admin_settle(struct admin *admin);
/* When audit log and server are gone. Takes NULL. */
void admin_free(struct admin *admin);

#endif
