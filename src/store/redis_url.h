/*
 * store/redis_url.h - where a Redis is, and as whom we come
 *
 *     redis://[[user]:password@]host[:port][/db]      rediss:// under TLS
 *     unix://[[user]:password@]/path/of/socket[?db=N]
 *
 * Memory:  texts live in the arena.
 * Errors:  FAIL_CONFIG with CONFIG_INVALID; the sentence repeats nothing of the text, for a
 * password may stand anywhere in one that is not well formed. FAIL_MEMORY.
 */
#ifndef WEIR_STORE_REDIS_URL_H
#define WEIR_STORE_REDIS_URL_H

#include "base/arena.h"
#include "base/fail.h"

enum redis_road { REDIS_CLEAR = 0, REDIS_TLS, REDIS_SOCKET };

struct redis_url {
    enum redis_road road;
    const char *host;          /* without brackets; of a socket: its path */
    const char *port;          /* digits */
    struct str user, password; /* empty: none */
    struct str db;             /* digits */
    struct str shown;          /* the whole without the password, for people */
};

MUST_USE result redis_url_read(struct str text, struct arena *arena, struct redis_url *out,
                               struct report *report);

#endif
