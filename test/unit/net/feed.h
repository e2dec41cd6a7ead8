/*
 * Feeds bytes to the parser in pieces, as a connection does, and writes down all that came out: the
 * transcripts of two feedings of the same bytes must be equal. Used by the property test and the
 * fuzz target.
 */
#ifndef WEIR_TEST_FEED_H
#define WEIR_TEST_FEED_H

#include "base/buf.h"
#include "base/limits.h"
#include "net/http1.h"

#include <stdlib.h>

enum feed_how { FEED_WHOLE, FEED_BYTES, FEED_RANDOM };

struct feed {
    enum feed_how how;
    uint64_t seed; /* FEED_RANDOM; changes as it is used */
};

static size_t feed_piece(struct feed *feed, size_t left) {
    if (feed->how == FEED_WHOLE) return left;
    if (feed->how == FEED_BYTES) return 1;
    feed->seed ^= feed->seed << 13; /* xorshift64 (Marsaglia 2003) */
    feed->seed ^= feed->seed >> 7;
    feed->seed ^= feed->seed << 17;
    /* Mostly small pieces, at times large ones. */
    size_t most = (feed->seed >> 32) % 8 == 0 ? 5000 : 40;
    size_t n = 1 + (size_t)(feed->seed % most);
    return n < left ? n : left;
}

static void feed_tell(struct buf *out, const struct http1 *parser, const char *bytes) {
    buf_addf(out, "request 1.%d keep %d continue %d host %u\n", parser->minor, parser->keeps_alive,
             parser->expects_continue, parser->host.len);
    buf_add(out, (struct str){bytes + parser->method.at, parser->method.len});
    buf_add_byte(out, ' ');
    buf_add(out, (struct str){bytes + parser->target.at, parser->target.len});
    for (size_t i = 0; i < parser->n_fields; i++) {
        const struct http1_field *field = &parser->fields[i];
        buf_add_byte(out, '\n');
        buf_add(out, (struct str){bytes + field->name.at, field->name.len});
        buf_add(out, STR("|"));
        buf_add(out, (struct str){bytes + field->value.at, field->value.len});
    }
    buf_addf(out, "\nbody %zu ", parser->body_len);
    buf_add(out, (struct str){bytes + parser->body_at, parser->body_len});
    buf_add_byte(out, '\n');
}

/* Returns the status of the first request: 200, a refusal, or 0 when it is incomplete. */
static int feed_all(struct feed feed, const struct http1_limits *limits, struct str bytes,
                    struct buf *out) {
    struct http1_field *fields = calloc(limits->headers, sizeof *fields);
    /* Exactly as large as what is in it, so that the sanitizer sees a byte read too far. */
    char *held = NULL;
    size_t len = 0, from = 0;
    int first = 0;
    struct http1 parser;

    http1_init(&parser, limits, fields);
    while (from < bytes.len && parser.status == 0) {
        size_t n = feed_piece(&feed, bytes.len - from);
        held = realloc(held, len + n);
        memcpy(held + len, bytes.ptr + from, n);
        len += n;
        from += n;
        while (http1_run(&parser, held, &len) == HTTP1_DONE) {
            size_t end = http1_end(&parser);
            feed_tell(out, &parser, held);
            if (first == 0) first = 200;
            memmove(held, held + end, len - end);
            len -= end;
            http1_init(&parser, limits, fields);
            if (len == 0) break;
        }
    }
    if (parser.status != 0) {
        buf_addf(out, "refused %d %s\n", parser.status, parser.why);
        if (first == 0) first = parser.status;
    }
    free(held);
    free(fields);
    return first;
}

#endif
