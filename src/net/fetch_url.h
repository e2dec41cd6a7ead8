/*
 * net/fetch_url.h - the parts of a URL that decide where a request goes (inside of net/)
 *
 * Memory:  views into the text.
 */
#ifndef WEIR_NET_FETCH_URL_H
#define WEIR_NET_FETCH_URL_H

#include "base/str.h"

struct fetch_url {
    struct str scheme; /* "http" or "https", in any case */
    struct str host;   /* "example.org", "127.0.0.1", "[::1]" */
    uint16_t port;     /* the scheme's own where none is named */
};

/* false: not http or https, no host, a port that is none, or a byte that is not visible ASCII. */
bool fetch_url_read(struct str url, struct fetch_url *out);
bool fetch_url_is_same_origin(const struct fetch_url *a, const struct fetch_url *b);

#endif
