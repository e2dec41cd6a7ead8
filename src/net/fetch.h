/*
 * net/fetch.h - asks another server something over HTTP, and waits for the answer
 *
 * For threads that may block: the desk and the workers, never a loop. One request, one answer,
 * whole, under a deadline and a maximum. libcurl does the talking; it is loaded at the first
 * request, so that a server that asks nobody pays nothing for it.
 *
 *     struct fetch_request req = {.url = url, .settings = settings, .timeout_ms = 5000};
 *     TRY(fetch(fetcher, &req, arena, &reply, report));
 *     if (reply.status != 200) ...
 *
 * What it does not do: another scheme than http and https; TLS below 1.2 or with a certificate that
 * does not hold; cookies, .netrc, compressed bodies; a proxy that no setting names; a redirect that
 * was not asked for, or to another origin (scheme, host, port) ever. A certificate's revocation is
 * not looked up.
 *
 * Connections are kept and used again; a handle with its connections belongs to one thread at a
 * time, and at most FETCH_HANDLES_KEPT wait for the next.
 *
 * Memory:  the reply lives in the caller's arena. Handles belong to the fetcher.
 * Errors:  FAIL_INPUT FETCH_INVALID (URL, method or header is none that may be sent), FAIL_TIMEOUT
 *          FETCH_TIMEOUT, FAIL_LIMIT FETCH_TOO_LARGE, FAIL_IO FETCH_FAILED (no connection, TLS, cut
 *          off, redirected away), FAIL_CANCELLED, FAIL_MEMORY. Any HTTP status is an answer. The
 *          sentence names the origin alone: never path, query, user or password of the URL.
 * Threads: any number at once.
 */
#ifndef WEIR_NET_FETCH_H
#define WEIR_NET_FETCH_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/option.h"
#include "net/http1.h"

struct fetcher;

/* The settings under `fetch:` of weir.yaml. Zeroed is good: the system's certificates, no proxy. */
struct fetch_settings {
    struct str ca_file; /* PEM; empty: those of the system */
    struct str proxy;   /* a URL; "environment": what HTTPS_PROXY and the like say; empty: none */
};
extern const struct option fetch_options[];

/* Zeroed members are the defaults. All is borrowed until fetch() returns. */
struct fetch_request {
    struct str method; /* upper case; "GET", or "POST" where there is a body */
    struct str url;
    const struct http_header *headers;
    size_t n_headers;
    struct str body;
    int64_t timeout_ms;  /* of the whole, with connecting and redirects; FETCH_TIMEOUT_MS */
    int64_t deadline_ns; /* on the clock's axis; whichever of the two is first */
    size_t max_bytes;    /* of the body; FETCH_BYTES_MAX, and never more than that */
    unsigned redirects;  /* of a GET, at most FETCH_REDIRECTS_MAX, on its own origin */
    int cancel_fd;       /* readable: FAIL_CANCELLED; 0: none */
    const struct fetch_settings *settings; /* NULL: zeroed ones */
};

struct fetch_reply {
    int status;
    struct str body;
    struct str content_type, cache_control, retry_after; /* STR_NONE: absent */
    bool is_reused;                                      /* over a connection that stood already */
};

/* `clock` is borrowed. */
MUST_USE result fetcher_new(const struct clock *clock, struct fetcher **out, struct report *report);
/* When no thread is in fetch() any more. Takes NULL. */
void fetcher_free(struct fetcher *fetcher);

MUST_USE result fetch(struct fetcher *fetcher, const struct fetch_request *request,
                      struct arena *arena, struct fetch_reply *out, struct report *report);

/* http or https, a host, printable ASCII: for checking a setting. */
bool fetch_is_url(struct str url);

/* Adds NAME=VALUE of a form or a query (application/x-www-form-urlencoded), with its `&`. */
struct buf;
void fetch_add_form(struct buf *out, struct str name, struct str value);

#endif
