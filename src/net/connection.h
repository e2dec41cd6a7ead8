/*
 * net/connection.h - one peer's socket and the exchange on it (inside of net/)
 *
 * Public as the opaque struct http_exchange (net/http.h). connection.c reads, asks the handler and
 * ends; reply.c answers; http.c accepts and drains.
 *
 *              bytes          whole request        reply
 *     READING ------> READING -------------> WORKING ----> WRITING --+--> READING (keep-alive)
 *        |                                    |   ^  \        ^       \--> LINGERING --> DEAD
 *        |  refused by the parser             |   |   STREAMING
 *        +------------------------------------|---|---> WRITING
 *                                 peer leaves v
 *                                            GONE --- handler finishes ---> DEAD
 *
 * Invariants:
 *  1. In GONE and DEAD there is no socket, no timer, no queue; in GONE the inbox stays, for the
 *     handler may still read its request.
 *  2. A connection is freed only in DEAD and only by a task at the end of a turn, so that every
 *     function on the stack may finish with it.
 *  3. The handler's callbacks (gone, drain) are never called from inside one of its own calls.
 *  4. Bytes are queued in WORKING never, in STREAMING and WRITING only.
 *
 * Threads: its lane's loop only.
 */
#ifndef WEIR_NET_CONNECTION_H
#define WEIR_NET_CONNECTION_H

#include "base/list.h"
#include "net/http.h"
#include "net/inbox.h"
#include "net/outbox.h"
#include "net/wire.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

/* Who answers what comes in by one listener. */
struct http_service {
    struct link by_server; /* in http_server.services */
    http_handler *handler;
    void *ctx;
    bool bind_is_loopback;
};

struct http_listener {
    struct loop_watch watch;
    struct link by_lane; /* in http_lane.listeners */
    struct http_lane *lane;
    const struct http_service *service;
};

/* One loop's share of the server. */
struct http_lane {
    struct http_server *server;
    struct loop *loop;
    pthread_t thread;
    bool has_thread;
    bool is_draining;
    struct link listeners;
    struct link connections; /* all that are not freed */
    struct inbox_pool inboxes;
    struct buf head; /* scratch for a reply's head; keeps its chunk */
    int64_t date_s;  /* the second that `date` tells */
    char date[48];   /* "Date: Fri, 20 Nov 2026 09:15:00 GMT\r\n" */
    struct loop_timer accept_pause;
    struct loop_timer drain_deadline;
    struct loop_task drain;
};

struct http_server {
    struct http_settings settings;
    const struct clock *clock;
    struct tls *tls;
    http_refusal *refusal;
    void *refusal_ctx;
    struct link services;
    size_t n_lanes;
    struct http_lane *lanes;
    atomic_size_t n_open; /* sockets */
    atomic_bool drains;
};

enum conn_state {
    CONN_READING = 0, /* the next request is not complete; without an inbox it is idle */
    CONN_WORKING,     /* the handler has it */
    CONN_STREAMING,   /* the handler answers bit by bit */
    CONN_WRITING,     /* answered; the peer has not taken all of it yet */
    CONN_LINGERING,   /* the last answer is out, we send no more, the peer is heard out */
    CONN_GONE,        /* the socket is closed, the handler does not know or has not finished */
    CONN_DEAD,        /* freed at the end of the turn */
    CONN_STATES
};

struct http_exchange {
    struct wire wire;
    struct loop_watch watch;
    struct loop_timer timer; /* armed no later than deadline_ns */
    struct loop_task after;  /* at the end of the turn: see connection.c */
    struct link by_lane;     /* in http_lane.connections */
    struct http_lane *lane;
    const struct http_service *service;
    struct inbox *inbox; /* NULL while idle, or released */
    struct outbox outbox;
    int64_t deadline_ns;
    size_t taken; /* bytes the peer took (WRITE_STEP), or that were swallowed (LINGER_BYTES) */
    void (*gone)(void *ctx);
    void *gone_ctx;
    void (*drain)(void *ctx);
    void *drain_ctx;
    enum conn_state state;
    bool is_after_queued;
    bool is_advancing; /* conn_advance() is on the stack */
    bool has_begun;    /* the first byte of the request is here */
    bool is_deaf;      /* EPOLLIN is off until the next request may be read */
    bool peer_ended;   /* the peer sends no more */
    bool was_continued;
    bool keeps_alive; /* of the current request, until we decide otherwise */
    bool is_minor_0;  /* HTTP/1.0 */
    bool is_head;     /* no body leaves */
    bool is_cut_when_written;
    bool peer_is_loopback;
    char peer[INET6_ADDRSTRLEN];
};

/* Takes the fd. NULL: no memory; the fd is closed. */
struct http_exchange *conn_new(struct http_lane *lane, const struct http_service *service, int fd,
                               struct str peer, bool peer_is_loopback);
void conn_enter(struct http_exchange *c, enum conn_state next);
/* Closes the socket now. What the handler holds stays until it finishes. */
void conn_cut(struct http_exchange *c);
/* The handler has finished with an exchange whose peer is gone. */
void conn_finish_gone(struct http_exchange *c);
/* Frees whatever the state, for the server's end. */
void conn_free(struct http_exchange *c);

/* Sends head and body, as much as the peer takes, and queues the rest; both are emptied. */
void conn_send(struct http_exchange *c, struct buf *head, struct buf *body);
/* The answer is complete: goes on to the next request, or ends, once all is written. */
void conn_answered(struct http_exchange *c);
/* Answers a request that is refused below the handler, and ends the connection. */
void conn_refuse(struct http_exchange *c, int status, const char *why);
/* The server begins to drain. */
void conn_drain(struct http_exchange *c);

/* -- reply.c ------------------------------------------------------------------------------------
 */

/* Writes status line and headers into lane->head. `length` < 0: no Content-Length. false: a header
 * is malformed or memory is spent; the head is empty then. */
bool reply_head(struct http_exchange *c, int status, const struct http_header *extra,
                size_t n_extra, int64_t length) __attribute__((warn_unused_result));

#endif
