/*
 * net/gate.h - may a web page talk to us? (DNS rebinding, cross-site requests)
 *
 * A browser tells where a page came from (Origin) and under which name it reached us (Host). A page
 * of a stranger may make the browser send requests to 127.0.0.1; its Origin, or after DNS rebinding
 * its Host, gives it away. Pure functions over the two headers.
 *
 * Origin:  absent passes (no browser). Else it must be listed (scheme, host and port equal; the
 *          literal entry "*" lists all), or be http(s)://localhost|127.0.0.1|[::1] with any port
 * while we are bound to a loopback address. "null" passes only when listed as "null". Host:    must
 * be listed (an entry without a port lists every port; "*" lists all), or, bound to loopback, be
 * localhost, 127.0.0.1 or [::1]. Bound elsewhere with no list set, any passes.
 *
 * Memory:  allocates nothing.
 * Threads: no shared state.
 */
#ifndef WEIR_NET_GATE_H
#define WEIR_NET_GATE_H

#include "base/option.h"
#include "base/str.h"

struct gate {
    struct option_list allowed_origins;
    struct option_list allowed_hosts; /* is_set tells "none listed" from "not configured" */
};

enum gate_answer {
    GATE_HOST_NOT_ALLOWED = 0,
    GATE_ORIGIN_NOT_ALLOWED,
    GATE_ALLOW,
};

/* Absent headers are STR_NONE (ptr NULL); an empty one is present. An absent Host (HTTP/1.0) is not
 * allowed wherever a Host would have to be listed. */
enum gate_answer gate_check(const struct gate *gate, struct str host, struct str origin,
                            bool bind_is_loopback);

/* "HOST_NOT_ALLOWED", "ORIGIN_NOT_ALLOWED", or NULL for GATE_ALLOW. */
const char *gate_code(enum gate_answer answer);

#endif
