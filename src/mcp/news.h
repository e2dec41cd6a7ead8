/*
 * mcp/news.h - what replicas on one store tell each other
 *
 * Who learns that lists have changed, that a session was closed or that a request is to be
 * cancelled does its own part at once and tells the others: by an item in the store's log "news",
 * which they look at every NEWS_LOOK_MS, when the store's tide has moved. Only the newest NEWS_KEPT
 * are there: who has missed some is told so.
 *
 * Memory:  items are borrowed for the call; what is learnt lives for the call of `learn`.
 * Errors:  news_tell(): the store's. What cannot be read is read later.
 * Threads: news_tell() from any, and may block; `learn` comes on a thread of its own.
 */
#ifndef WEIR_MCP_NEWS_H
#define WEIR_MCP_NEWS_H

#include "mcp/beat.h"
#include "store/store.h"

enum news_kind {
    NEWS_MISSED = 0, /* some that nobody can tell any more; never told by us */
    NEWS_CHANGED,    /* lists or resources: `changed` */
    NEWS_CLOSED,     /* the session */
    NEWS_CANCELLED,  /* the request of that id in the session */
};

struct news_item {
    enum news_kind kind;
    unsigned changed; /* CHANGED_* */
    struct str session_id;
    struct str request_id; /* as JSON text */
};

enum { NEWS_NAME_BYTES = 16 };

struct news {
    struct store *store; /* NULL: there are no others */
    void (*learn)(void *with, const struct news_item *item);
    void *with;
    struct beat beat;
    char name[2 * NEWS_NAME_BYTES + 1]; /* ours: what we told ourselves is no news */
    uint64_t tide, seen;                /* of the store; of the log */
};

/* From now on. `store` NULL: nothing is told, nothing learnt. */
MUST_USE result news_open(struct news *news, struct store *store,
                          void (*learn)(void *with, const struct news_item *item), void *with,
                          struct report *report);
/* Nothing is learnt any more. Of a zeroed one: nothing. */
void news_close(struct news *news);

/* To all others. */
MUST_USE result news_tell(struct news *news, const struct news_item *item, struct report *report);
/* What the beat does: learns what is new. For tests, which stop the beat first. */
void news_look(struct news *news);

#endif
