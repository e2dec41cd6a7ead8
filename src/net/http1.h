/*
 * net/http1.h - bytes of a peer to one request, or a refusal (RFC 9112, strictly)
 *
 * A state machine over a buffer that the caller fills. It sees each byte once, in order, so that
 * any split of the same bytes gives the same answer. What two implementations might read
 * differently (request smuggling) is refused: no Host or two, Content-Length with
 * Transfer-Encoding, two lengths even when equal, signs, blanks before a colon, folded lines, bare
 * LF or CR, NUL, trailers. Targets are in origin form ("/path?query") or "*"; we are no proxy.
 *
 * Refusals: 400 malformed, 413 body too large, 414 target too long, 417 unknown expectation,
 *           431 head too large or too many headers, 501 unknown method or transfer coding,
 *           505 version. After one the connection's framing is lost: answer and close.
 *
 * Memory:  allocates nothing. Offsets are into the caller's buffer, which may move between runs.
 * Threads: values; no shared state.
 */
#ifndef WEIR_NET_HTTP1_H
#define WEIR_NET_HTTP1_H

#include "base/str.h"

struct http_header {
    struct str name;
    struct str value; /* without blanks at its ends */
};

struct http1_limits {
    size_t head_bytes; /* request line and headers with their line ends */
    size_t headers;    /* at most this many */
    size_t body_bytes; /* decoded */
};

struct http1_span {
    uint32_t at;
    uint32_t len;
};

struct http1_field {
    struct http1_span name;
    struct http1_span value;
};

enum http1_step { HTTP1_MORE, HTTP1_DONE, HTTP1_REFUSED };

struct http1 {
    struct http1_limits limits;
    struct http1_field *fields; /* room for limits.headers */
    size_t n_fields;
    struct http1_span method, target;
    int minor; /* of HTTP/1.x */
    bool keeps_alive;
    bool expects_continue;

    bool has_head; /* the head is complete and accepted */
    struct http1_span host;
    size_t body_at;  /* offset of the (decoded) body */
    size_t body_len; /* bytes of it that are here */

    int status;      /* of the refusal */
    const char *why; /* a sentence for people, a literal */

    /* the machine's own */
    int state;
    size_t at;   /* bytes before this offset have been seen */
    size_t mark; /* where the current element began */
    size_t left; /* body or chunk bytes still to come */
    size_t extension_bytes;
    bool has_length, has_coding, is_chunked;
    bool skipped_line; /* one empty line before the request is tolerated */
};

/* `fields` has room for limits->headers entries and is borrowed. */
void http1_init(struct http1 *parser, const struct http1_limits *limits,
                struct http1_field *fields);

/* Goes on over bytes[0, *len), which begins with the request's first byte and holds all that was
 * left by earlier runs, with new bytes behind it. Chunked bodies are decoded in place and *len may
 * shrink. MORE: all was seen. DONE: the request's end is http1_end(); what stands behind belongs to
 * the next request. REFUSED: status and why are set, for good. */
enum http1_step http1_run(struct http1 *parser, char *bytes, size_t *len);

size_t http1_end(const struct http1 *parser);
/* How many more bytes the message needs at least; 0 when that is not known (or it is done). */
size_t http1_missing(const struct http1 *parser);

/* The Host header's form: name or IPv4 or [IPv6], and an optional port 0-65535. */
bool http1_host_valid(struct str host);
bool http1_token_valid(struct str name);  /* not empty, RFC 9110's token characters only */
bool http1_value_valid(struct str value); /* no control characters but tab */

#endif
