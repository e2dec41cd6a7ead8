/*
 * net/inbox.h - the memory of one request: its bytes, its parser, its views
 *
 * A connection has an inbox only while a request is incomplete or being answered. Inboxes are kept
 * in a small pool, so that keep-alive traffic does not ask malloc. The bytes begin in 8 KiB and
 * move to larger memory only while the request is incomplete: views never move.
 *
 * Errors:  NULL or false for want of memory.
 * Threads: a pool belongs to one loop.
 */
#ifndef WEIR_NET_INBOX_H
#define WEIR_NET_INBOX_H

#include "net/http.h"

struct inbox {
    struct inbox *next; /* in the pool */
    struct http1 parser;
    struct http_request request; /* filled by inbox_present() */
    struct http1_field *fields;
    struct http_header *headers;
    char *bytes; /* `small`, or larger memory of its own */
    size_t len;
    size_t cap;
    char *small; /* HTTP_INBOX_BYTES */
};

struct inbox_pool {
    struct http1_limits limits;
    struct inbox *kept;
    size_t n_kept;
    size_t held;      /* bytes of larger memory, all inboxes together: many connections that each */
    size_t most_held; /* send a large body must not be able to spend the machine's */
};

void inbox_pool_init(struct inbox_pool *pool, const struct http1_limits *limits, size_t most_held);
void inbox_pool_deinit(struct inbox_pool *pool);

struct inbox *inbox_take(struct inbox_pool *pool);
void inbox_give(struct inbox_pool *pool, struct inbox *box); /* takes NULL */

/* Room for at least one byte behind `len`. */
bool inbox_make_room(struct inbox_pool *pool, struct inbox *box)
    __attribute__((warn_unused_result));
/* Fills the request's views from a parser that is done. */
void inbox_present(struct inbox *box);
/* Bytes behind the request that is done: the next one's. */
size_t inbox_rest(const struct inbox *box);
/* Moves them to the front and begins anew. */
void inbox_next(struct inbox_pool *pool, struct inbox *box);

#endif
