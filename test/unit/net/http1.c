#include "net/http1.h"

#include "base/arena.h"
#include "base/limits.h"
#include "feed.h"
#include "strictness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct http1_limits usual = {HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX,
                                          HTTP_BODY_BYTES_MAX};

static int outcome(struct feed feed, const struct http1_limits *limits, struct str bytes,
                   struct str *transcript, struct arena *arena) {
    struct buf out;

    buf_init(&out, (size_t)(8 * MIB));
    int status = feed_all(feed, limits, bytes, &out);
    assert_int_equal(out.failed, FAIL_NONE);
    *transcript = str_dup(arena, buf_flat(&out, arena));
    buf_deinit(&out);
    return status;
}

static struct str row_bytes(const struct strict_case *row, struct arena *arena) {
    struct buf out;

    buf_init(&out, (size_t)MIB);
    strict_bytes(row, &out);
    struct str bytes = str_dup(arena, buf_flat(&out, arena));
    buf_deinit(&out);
    return bytes;
}

static void test_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(strictness); i++) {
        struct arena arena;
        struct str said;
        arena_init(&arena, (size_t)(8 * MIB));
        int status = outcome((struct feed){FEED_WHOLE, 0}, &usual,
                             row_bytes(&strictness[i], &arena), &said, &arena);
        if (status != strictness[i].status)
            print_error("%s: %d instead of %d\n", strictness[i].name, status, strictness[i].status);
        assert_int_equal(status, strictness[i].status);
        arena_deinit(&arena);
    }
}

static void same_in_pieces(const char *name, const struct http1_limits *limits, struct str bytes) {
    struct arena arena;
    struct str whole, pieces;

    arena_init(&arena, (size_t)(64 * MIB));
    outcome((struct feed){FEED_WHOLE, 0}, limits, bytes, &whole, &arena);
    uint64_t seeds = bytes.len > 4096 ? 5 : 40; /* exact memory for each byte is not cheap */
    for (uint64_t seed = 0; seed < seeds; seed++) {
        struct feed feed = {seed == 0 ? FEED_BYTES : FEED_RANDOM, seed * 0x9e3779b97f4a7c15u};
        outcome(feed, limits, bytes, &pieces, &arena);
        if (!str_eq(whole, pieces))
            print_error("%s, seed %d:\n" STR_FMT "\ninstead of\n" STR_FMT "\n", name, (int)seed,
                        STR_ARG(pieces), STR_ARG(whole));
        assert_true(str_eq(whole, pieces));
    }
    arena_deinit(&arena);
}

/* Any split of the same bytes gives the same answer, at generous and at tiny limits. */
static void test_splits(void **state) {
    static const struct http1_limits tiny = {96, 3, 8};

    (void)state;
    for (size_t i = 0; i < COUNT(strictness); i++) {
        struct arena arena;
        arena_init(&arena, (size_t)MIB);
        struct str bytes = row_bytes(&strictness[i], &arena);
        same_in_pieces(strictness[i].name, &usual, bytes);
        same_in_pieces(strictness[i].name, &tiny, bytes);
        arena_deinit(&arena);
    }
}

/* The same for rows with one byte changed: most of what they become stands in no table. */
static void test_splits_of_mutants(void **state) {
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (size_t i = 0; i < COUNT(strictness); i++) {
        char bytes[512];
        size_t len = strictness[i].bytes.len;
        if (strictness[i].make != NULL || len == 0 || len > sizeof bytes) continue;
        for (int n = 0; n < 10; n++) {
            memcpy(bytes, strictness[i].bytes.ptr, len);
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[(seed >> 33) % len] = (char)(seed >> 20);
            same_in_pieces(strictness[i].name, &usual, (struct str){bytes, len});
        }
    }
}

static enum http1_step run(struct http1 *parser, struct http1_field *fields,
                           const struct http1_limits *limits, char *bytes, size_t *len) {
    http1_init(parser, limits, fields);
    return http1_run(parser, bytes, len);
}

static void test_views(void **state) {
    struct http1 parser;
    struct http1_field fields[4];
    struct http1_limits limits = {1024, 4, 64};
    char bytes[] = "POST /a?b=c HTTP/1.1\r\nHost: h\r\nX:  y \r\nConnection: a, Close\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\nGET";
    size_t len = sizeof bytes - 1;

    (void)state;
    assert_int_equal(run(&parser, fields, &limits, bytes, &len), HTTP1_DONE);
    assert_memory_equal(bytes + parser.method.at, "POST", parser.method.len);
    assert_memory_equal(bytes + parser.target.at, "/a?b=c", parser.target.len);
    assert_int_equal(parser.n_fields, 4);
    assert_int_equal(fields[1].value.len, 1);
    assert_memory_equal(bytes + fields[1].value.at, "y", 1);
    assert_false(parser.keeps_alive);
    assert_int_equal(parser.body_len, 5);
    assert_memory_equal(bytes + parser.body_at, "abcde", 5);
    assert_int_equal(len - http1_end(&parser), 3);
    assert_memory_equal(bytes + http1_end(&parser), "GET", 3);
}

/* Each limit: at it all is well, one more is refused. */
static void test_limits(void **state) {
    static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
    const size_t head = sizeof text - 1 - 4;
    struct http1 parser;
    struct http1_field fields[8];
    char bytes[128];

    (void)state;
    for (int off = 0; off < 4; off++) {
        struct http1_limits limits = {head - (off == 1), 2 - (off == 2), 4 - (off == 3)};
        static const int expected[] = {0, 431, 431, 413};
        size_t len = sizeof text - 1;
        memcpy(bytes, text, len);
        run(&parser, fields, &limits, bytes, &len);
        assert_int_equal(parser.status, expected[off]);
    }
}

/* Memory for a body is asked for as the bytes come; the parser says how many are known to come. */
static void test_missing(void **state) {
    struct http1 parser;
    struct http1_field fields[4];
    struct http1_limits limits = {1024, 4, 1000};
    char bytes[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\nbody";
    size_t len = sizeof bytes - 1;

    (void)state;
    assert_int_equal(run(&parser, fields, &limits, bytes, &len), HTTP1_MORE);
    assert_true(parser.has_head);
    assert_int_equal(http1_missing(&parser), 896);
    len = 5;
    assert_int_equal(run(&parser, fields, &limits, bytes, &len), HTTP1_MORE);
    assert_int_equal(http1_missing(&parser), 0);
}

/* A refusal is for good, whatever comes. */
static void test_refused_stays(void **state) {
    struct http1 parser;
    struct http1_field fields[4];
    struct http1_limits limits = {1024, 4, 1000};
    char bytes[] = "\x01GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    size_t len = 1;

    (void)state;
    assert_int_equal(run(&parser, fields, &limits, bytes, &len), HTTP1_REFUSED);
    len = sizeof bytes - 1;
    assert_int_equal(http1_run(&parser, bytes, &len), HTTP1_REFUSED);
    assert_int_equal(parser.status, 400);
}

static void test_forms(void **state) {
    static const struct {
        struct str host;
        bool ok;
    } hosts[] = {
        {STR_INIT("a"), true},
        {STR_INIT("a.b-c_d:0"), true},
        {STR_INIT("1.2.3.4:65535"), true},
        {STR_INIT("[::1]"), true},
        {STR_INIT("[::ffff:1.2.3.4]:1"), true},
        {STR_INIT(""), false},
        {STR_INIT(":80"), false},
        {STR_INIT("a:"), false},
        {STR_INIT("a:99999"), false},
        {STR_INIT("a:123456"), false},
        {STR_INIT("[]"), false},
        {STR_INIT("[::1]x"), false},
        {STR_INIT("::1"), false},
        {STR_INIT("a b"), false},
        {STR_INIT("a%41"), false},
        {STR_INIT("[fe80::1%eth0]"), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++)
        assert_int_equal(http1_host_valid(hosts[i].host), hosts[i].ok);
    assert_false(http1_host_valid(STR_NONE));
    assert_true(http1_token_valid(STR("X-A")));
    assert_false(http1_token_valid(STR("")));
    assert_false(http1_token_valid(STR("X:")));
    assert_true(http1_value_valid(STR("")));
    assert_false(http1_value_valid(STR("a\r\nSet-Cookie: b")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_splits_of_mutants),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_refused_stays),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
