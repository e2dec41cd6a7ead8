/*
 * net/fetch_api.h - libcurl, opened when it is needed (inside of net/)
 *
 * The library and what it stands on take 4 MB and 6 ms: most servers, every engine's worker and
 * every command never need them.
 *
 * Errors:  NULL when the library is not installed, or older than 7.85; that stays so.
 * Threads: any.
 */
#ifndef WEIR_NET_FETCH_API_H
#define WEIR_NET_FETCH_API_H

#include "base/str.h"

#include <curl/curl.h>

#define FETCH_CALLS(X)                                                                             \
    X(global_init)                                                                                 \
    X(easy_init)                                                                                   \
    X(easy_reset)                                                                                  \
    X(easy_cleanup)                                                                                \
    X(easy_setopt)                                                                                 \
    X(easy_getinfo)                                                                                \
    X(easy_header)                                                                                 \
    X(easy_strerror)                                                                               \
    X(multi_init)                                                                                  \
    X(multi_cleanup)                                                                               \
    X(multi_setopt)                                                                                \
    X(multi_add_handle)                                                                            \
    X(multi_remove_handle)                                                                         \
    X(multi_perform)                                                                               \
    X(multi_poll)                                                                                  \
    X(multi_info_read)                                                                             \
    X(slist_append)                                                                                \
    X(slist_free_all)

struct fetch_api {
#define FETCH_MEMBER(name) __typeof__(curl_##name) *name;
    FETCH_CALLS(FETCH_MEMBER)
#undef FETCH_MEMBER
};

const struct fetch_api *fetch_api(void);

#endif
