/* Any bytes: the same requests and refusals come out whatever pieces they arrive in, at usual and
 * at tiny limits; what is accepted keeps the limits and the forms it was accepted for. */
#include "../unit/net/feed.h"
#include "base/arena.h"
#include "fuzz.h"

static void check_pieces(struct str bytes, const struct http1_limits *limits) {
    struct arena arena;
    struct str told[3];
    uint64_t seed = 0x9e3779b97f4a7c15u;

    for (size_t i = 0; i < bytes.len; i++) seed = (seed ^ (uint8_t)bytes.ptr[i]) * 0x100000001b3u;
    const struct feed feeds[] = {{FEED_WHOLE, 0}, {FEED_RANDOM, seed | 1}, {FEED_BYTES, 0}};
    arena_init(&arena, 64 << 20);
    for (size_t i = 0; i < COUNT(feeds); i++) {
        struct buf out;
        if (feeds[i].how == FEED_BYTES && bytes.len > 2000) continue;
        buf_init(&out, 16 << 20);
        feed_all(feeds[i], limits, bytes, &out);
        MUST(out.failed == FAIL_NONE);
        told[i] = str_dup(&arena, buf_flat(&out, &arena));
        MUST(str_eq(told[0], told[i]));
        buf_deinit(&out);
    }
    arena_deinit(&arena);
}

static void check_accepted(struct str bytes, const struct http1_limits *limits) {
    struct http1_field fields[8];
    struct http1 parser;
    size_t len = bytes.len;
    char *copy = malloc(len + 1);

    if (len > 0) memcpy(copy, bytes.ptr, len);
    http1_init(&parser, limits, fields);
    enum http1_step step = http1_run(&parser, copy, &len);
    MUST((step == HTTP1_REFUSED) == (parser.status != 0) && len <= bytes.len);
    if (step == HTTP1_DONE) {
        MUST(parser.body_at <= limits->head_bytes && parser.body_len <= limits->body_bytes);
        MUST(parser.n_fields <= limits->headers && http1_end(&parser) <= len);
        MUST(parser.body_at + parser.body_len <= http1_end(&parser));
        MUST(parser.minor == 0 || parser.host.len > 0);
        MUST(parser.host.len == 0 ||
             http1_host_valid((struct str){copy + parser.host.at, parser.host.len}));
        for (size_t i = 0; i < parser.n_fields; i++) {
            struct str name = {copy + fields[i].name.at, fields[i].name.len};
            struct str value = {copy + fields[i].value.at, fields[i].value.len};
            MUST(http1_token_valid(name) && http1_value_valid(value));
        }
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct http1_limits usual = {HTTP_HEAD_BYTES_MAX, 8, HTTP_BODY_BYTES_MAX};
    static const struct http1_limits tiny = {96, 3, 8};
    struct str bytes = {(const char *)data, size};

    if (size > 64 << 10) return 0;
    check_pieces(bytes, &usual);
    check_pieces(bytes, &tiny);
    check_accepted(bytes, &usual);
    return 0;
}
