/*
 * net/http.h - the HTTP/1.1 server
 *
 * N loops, each on its own thread with its own listening sockets (SO_REUSEPORT). A connection stays
 * on the loop that accepted it. The handler gets one whole request at a time, on the loop's thread,
 * and answers at once or later; the next pipelined request is parsed when the reply has left.
 *
 *     static void hello(void *ctx, struct http_exchange *x, const struct http_request *req) {
 *         struct buf body; buf_init(&body, KIB); buf_add(&body, STR("hello\n"));
 *         struct http_header type = {STR("Content-Type"), STR("text/plain")};
 *         http_reply(x, 200, &type, 1, &body);
 *     }
 *
 *     TRY(http_server_new(&server, &settings, &clock_real, report));
 *     TRY(http_server_listen(server, STR("127.0.0.1"), 8000, hello, NULL, NULL, report));
 *     TRY(http_server_start(server, report));
 *     ... http_server_drain(server); http_server_join(server); http_server_free(server);
 *
 * An exchange is one request and its answer. It lives until the handler's side has finished it, by
 * http_reply() or http_stream_end(), whatever became of the peer: a late answer to a peer that left
 * is accepted and dropped. After finishing, neither the exchange nor the request may be touched.
 * Every exchange must be finished once.
 *
 * Slow or greedy peers: a request has one deadline for head and body (408), idle connections,
 * unread replies and streams have theirs, a peer that does not read is not read from, connections
 * are counted. What http1.h refuses is answered and closed without asking the handler.
 *
 * Memory:  an idle connection holds no buffer; a stream none after http_request_release().
 * Errors:  out of memory: 503 or 500 and close, or close. FAIL_CONFIG, FAIL_IO at set-up.
 * Threads: http_server_* on the owner's thread, http_server_drain() on any. All calls on an
 * exchange on its loop's thread; from a worker by loop_post_task(http_loop(x), ...): http_loop()
 * may be called anywhere.
 */
#ifndef WEIR_NET_HTTP_H
#define WEIR_NET_HTTP_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/option.h"
#include "net/http1.h"
#include "net/loop.h"

struct http_server;
struct http_exchange;

struct http_settings {
    int64_t max_head_bytes;
    int64_t max_headers;
    int64_t max_body_bytes;
    int64_t max_buffered_bytes; /* of one loop: requests too large for their first 8 KiB */
    int64_t request_timeout; /* ms, from the first byte (or the connect) to the last of the body */
    int64_t idle_timeout;    /* ms, between requests */
    int64_t write_timeout;   /* ms, for the peer to take what is queued, or 64 KiB of it */
    int64_t max_connections; /* of the whole server */
    int64_t stream_queue_bytes;
    int64_t drain_timeout; /* ms */
    int64_t loops;         /* 0: one for each core */
    struct str tls_cert;   /* PEM files; both or none */
    struct str tls_key;
};
extern const struct option http_options[];

/* -- the server ------------------------------------------------------------------------------- */

/* Runs on the loop's thread. `req` and all it points to live as long as the exchange. */
struct http_request;
typedef void http_handler(void *ctx, struct http_exchange *x, const struct http_request *req);
/* Told of each refusal below the handler: status, a sentence and the peer's address. */
typedef void http_refusal(void *ctx, struct str peer, int status, const char *why);

/* Settings and clock are copied and borrowed. Reads the TLS files (FAIL_CONFIG). */
MUST_USE result http_server_new(struct http_server **out, const struct http_settings *settings,
                                const struct clock *clock, struct report *report);
/* Before start. `host` is an address or a name; port 0 lets the kernel choose. `bound_port`, when
 * given, gets the port. FAIL_IO with code ADDRESS_UNAVAILABLE. */
MUST_USE result http_server_listen(struct http_server *server, struct str host, uint16_t port,
                                   http_handler *handler, void *ctx, uint16_t *bound_port,
                                   struct report *report);
void http_server_on_refusal(struct http_server *server, http_refusal *told, void *ctx);
/* Starts the threads. A test may leave it out and turn the loops itself (loop_turn()). */
MUST_USE result http_server_start(struct http_server *server, struct report *report);
/* Stops accepting; replies carry Connection: close; idle connections end; streams get what
 * http_on_drain() sends, else their regular end; what is left after drain_timeout is cut. The
 * threads then end by themselves. */
void http_server_drain(struct http_server *server);
/* Waits for the threads. */
void http_server_join(struct http_server *server);
/* After join, when no worker holds an exchange any more. Takes NULL. */
void http_server_free(struct http_server *server);

size_t http_server_loops(const struct http_server *server);
struct loop *http_server_loop(const struct http_server *server, size_t i);
size_t http_server_connections(const struct http_server *server); /* open now; any thread */

/* Serves a connected stream socket (a socket pair, a passed descriptor) on loop `i`, on its thread.
 * The fd is the server's from now on, also on failure. The peer's name is "local", a loopback. */
MUST_USE result http_server_adopt(struct http_server *server, size_t i, int fd,
                                  http_handler *handler, void *ctx, struct report *report);

/* -- the request ------------------------------------------------------------------------------ */

struct http_request {
    struct str method; /* GET HEAD POST PUT PATCH DELETE OPTIONS; others are refused before */
    struct str target; /* as sent: "/mcp?x=1" */
    struct str path;   /* "/mcp", not decoded */
    struct str query;  /* "x=1"; STR_NONE without '?' */
    struct str host;   /* valid in form; STR_NONE possible with HTTP/1.0 only */
    struct str body;   /* decoded from chunks */
    struct str peer;   /* "127.0.0.1" */
    bool peer_is_loopback;
    bool bind_is_loopback; /* the listener's address: for net/gate.h */
    bool is_tls;
    const struct http_header *headers;
    size_t n_headers;
    struct http_exchange *exchange;
};

/* The first header of that name without regard to case; STR_NONE (ptr NULL) when absent. */
struct str http_header(const struct http_request *req, struct str name);
size_t http_header_count(const struct http_request *req, struct str name);
/* Blots out the values of that name in the request's memory, once a secret was taken out of it. */
void http_header_wipe(const struct http_request *req, struct str name);

/* -- the answer ------------------------------------------------------------------------------- */

struct loop *http_loop(const struct http_exchange *x);

/* `gone` is called once when the peer leaves, or is cut, before the exchange is finished: from the
 * loop, never from inside an http_* call. A peer that closes only its sending side counts as gone
 * where this is set or a stream has begun, and is answered elsewhere. NULL takes it back. */
void http_on_gone(struct http_exchange *x, void (*gone)(void *ctx), void *ctx);
/* Called once when the server begins to drain: for streams, to send a last event and end. */
void http_on_drain(struct http_exchange *x, void (*drain)(void *ctx), void *ctx);
bool http_is_gone(const struct http_exchange *x);
/* As http_server_connections() of the exchange's server. */
size_t http_connections(const struct http_exchange *x);

/* Answers and finishes. Adds Content-Length, Date, Connection; `extra` may not hold these. The
 * chunks of `body` are moved out (NULL: no body; a failed buf: 500 is sent instead). HEAD is
 * answered without the body but with its length. Status 204 and 304 have none. */
void http_reply(struct http_exchange *x, int status, const struct http_header *extra,
                size_t n_extra, struct buf *body);

/* A body of unknown length: chunked for 1.1, to the connection's end for 1.0. */
void http_stream_begin(struct http_exchange *x, int status, const struct http_header *extra,
                       size_t n_extra);
/* Queues and moves out all bytes. false: the peer is gone, or did not read and more than
 * stream_queue_bytes are waiting: it is cut then. The stream must still be ended. */
bool http_stream_send(struct http_exchange *x, struct buf *bytes);
/* Finishes. */
void http_stream_end(struct http_exchange *x);

/* Gives the request's memory back before the exchange ends: for streams that will idle. Afterwards
 * the http_request and all it points to are gone; the exchange stays. */
void http_request_release(struct http_exchange *x);

#endif
