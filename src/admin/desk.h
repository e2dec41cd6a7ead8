/*
 * admin/desk.h - what the files of this floor share: one request, its route, its answer
 *
 * A route is a row of routes.c: method, path, who may, whether it changes anything, and a function
 * that writes the answer's data. It runs on a thread that may block, for a caller who is known as
 * far as the row demands.
 *
 * Memory:  a desk lives in its call's arena; the answer in call->reply.
 * Errors:  what run() returns with a report becomes the answer's error, with that code's status.
 * Threads: made on the loop, run on a worker, ended on the loop.
 */
#ifndef WEIR_ADMIN_DESK_H
#define WEIR_ADMIN_DESK_H

#include "admin/admin.h"
#include "call/call.h"
#include "road/pool.h"

struct admin {
    struct admin_setup setup;
    struct admin_sessions sessions;
    struct pool_class kind;
    struct pool *pool;
};

enum admin_needs {
    NEEDS_KEEPER = 0, /* the role mcp_admin */
    NEEDS_PERSON,     /* anybody who is known; the function asks for more */
    NEEDS_NOBODY,
};

struct desk;

/* Writes one JSON value, the answer's data. */
typedef result route_run(struct desk *desk, struct json_writer *data, struct report *report);

struct route {
    const char *method, *path; /* "{id}" stands for one part of the path */
    enum admin_needs needs;
    bool is_change; /* on record, and by a cookie only with CSRF token and from a page of ours */
    route_run *run;
};
extern const struct route routes[]; /* ends with a row whose method is NULL */

struct desk {
    struct admin *admin;
    struct call *call;
    struct http_exchange *exchange;
    const struct http_request *req; /* lives as long as the exchange */
    struct loop *loop;
    struct loop_task task;
    const struct route *route;
    struct str id; /* what stood for "{id}" */
    struct origin origin;
    struct admin_place place;
    bool is_near_host; /* the Host is a name of this machine alone */
    bool is_known;     /* call->principal is somebody */
    bool by_cookie;    /* and by `session` */
    struct admin_session session;
    struct str cookie;  /* Set-Cookie of the answer; empty: none */
    struct str allowed; /* methods, for the answer 405 */
    int status;
};

/* On a worker: who it is, may they, run, and on record. Ends with the answer on the loop. */
void desk_work(struct desk *desk);
/* On the loop: answers by the report, and ends. */
void desk_refuse(struct desk *desk);

/* The request's body, an object; NULL where there is none. Kept for the record, without secrets. */
MUST_USE result desk_body(struct desk *desk, const struct json **out, struct report *report);
/* Counts an attempt of this peer; FAIL_LIMIT with RATE_LIMIT_EXCEEDED when there were too many of
 * that kind in ADMIN_TRY_MS. desk_tried() takes back one that was good. */
MUST_USE result desk_try(struct desk *desk, const char *what, struct report *report);
void desk_tried(struct desk *desk, const char *what);

/* From this machine, under a name that leads nowhere else (DNS rebinding), and with no proxy
 * between that says so. */
bool desk_is_local(const struct desk *desk);

/* -- routes, a file each ---------------------------------------------------------------------- */

route_run status_show, policy_show, policy_reload;             /* status.c */
route_run login_show, login_open, login_end;                   /* login.c */
route_run approvals_show, approvals_approve, approvals_reject; /* approvals.c */
route_run setup_show, setup_bootstrap;                         /* setup.c */

#endif
