/*
 * store/redis_reply.h - what Redis answered, read within bounds
 *
 * hiredis' reader cuts the bytes; this keeps them, at most so deep, so many and so long as an
 * answer to one of our scripts can be. What passes that is an error, whoever sent it.
 *
 * Memory:  the tree lives in the arena.
 * Threads: one owner at a time.
 */
#ifndef WEIR_STORE_REDIS_REPLY_H
#define WEIR_STORE_REDIS_REPLY_H

#include "base/arena.h"
#include "base/fail.h"

struct redisReader;

enum redis_sort {
    REDIS_NOTHING = 0, /* also a type that our scripts do not answer */
    REDIS_TEXT,        /* a string or a status */
    REDIS_WRONG,       /* an error; its text */
    REDIS_NUMBER,
    REDIS_LIST,
};

struct redis_reply {
    enum redis_sort sort;
    struct str text;
    int64_t number;
    size_t n;
    struct redis_reply *items;
};

struct redis_reading {
    struct redisReader *reader;
    struct arena *arena; /* of the reply that is being read */
    size_t n_bytes;      /* since it began */
    enum fail why;       /* FAIL_LIMIT, FAIL_MEMORY: what hiredis could not say */
};

/* NULL in `reader`: no memory. */
void redis_reading_init(struct redis_reading *reading, struct arena *arena);
void redis_reading_deinit(struct redis_reading *reading);

/* Feeds bytes. *out is NULL until the reply is whole. FAIL_INPUT (no reply of Redis), FAIL_LIMIT,
 * FAIL_MEMORY; after any of these the reading is of no more use. */
MUST_USE result redis_reading_feed(struct redis_reading *reading, struct str bytes,
                                   const struct redis_reply **out);

#endif
