/*
 * store/redis_link.h - one connection to Redis: asks one thing, waits for its answer
 *
 * Every wait has a deadline. A link on which anything went wrong is of no more use: what comes late
 * would be taken for the answer to the next question. So whoever gets a failure closes it.
 *
 * Memory:  an answer lives in the link's arena, until the next question.
 * Errors:  FAIL_IO, FAIL_MEMORY; the link's `reason` says why, for people, in words that hold
 *          nothing of what was sent and nothing that Redis sent but the first word of an error.
 * Threads: one owner at a time; any number of links to one server.
 */
#ifndef WEIR_STORE_REDIS_LINK_H
#define WEIR_STORE_REDIS_LINK_H

#include "base/buf.h"
#include "net/wire.h"
#include "store/redis_reply.h"
#include "store/redis_url.h"
#include "store/store.h"

struct ssl_ctx_st;

struct redis_server {
    struct redis_url url;
    struct ssl_ctx_st *tls; /* NULL: in the clear */
};

enum { REDIS_REASON_MAX = 192 };

struct redis_link {
    struct wire wire; /* fd -1: not open */
    struct redis_reading reading;
    struct arena arena;
    bool is_sent; /* the last question went out whole: its step may have been done */
    bool is_late; /* the deadline passed */
    char reason[REDIS_REASON_MAX];
};

/* PEM files, or empty: the authorities to believe (the system's), a certificate of ours and its
 * key. FAIL_CONFIG. */
MUST_USE result redis_tls_new(const struct store_tls_files *files, struct ssl_ctx_st **out,
                              struct report *report);
void redis_tls_free(struct ssl_ctx_st *tls); /* takes NULL */

/* Connects, proves who both are, chooses the database. `deadline_ns` on clock_real's axis. Leaves a
 * link that redis_link_close() takes, whatever is returned. */
MUST_USE result redis_link_open(struct redis_link *link, const struct redis_server *server,
                                int64_t deadline_ns);
void redis_link_close(struct redis_link *link);
/* Whether the server still holds its end, as far as one can see from here. Waits for nothing. */
bool redis_link_is_alive(struct redis_link *link);

/* An error of Redis' is an answer here: of the sort REDIS_WRONG. */
MUST_USE result redis_link_ask(struct redis_link *link, const struct str *words, size_t n,
                               int64_t deadline_ns, const struct redis_reply **out);

/* What an error of Redis' means, for people. False: something may have been done before it. */
bool redis_link_explain(struct redis_link *link, struct str error);

#endif
