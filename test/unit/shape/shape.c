/* Sinks on sinks: rows limited, measured, and encoded once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "base/arena.h"
#include "base/fault.h"
#include "shape/limit.h"
#include "shape/size.h"

#include <math.h>

struct rig {
    struct arena arena;
    struct buf buf;
    struct json_writer writer;
    struct encode_sink encoder;
    struct size_sink sizer;
    struct limit_sink limiter;
};

static void rig_init(struct rig *rig, size_t buf_max, uint64_t max_bytes, uint64_t max_tokens,
                     uint64_t limit) {
    arena_init(&rig->arena, 16 << 20);
    buf_init(&rig->buf, buf_max);
    json_writer_init(&rig->writer, &rig->buf);
    json_object(&rig->writer);
    encode_sink_init(&rig->encoder, &rig->writer, TEXT_EXACT);
    struct room room = {max_tokens > 0 ? max_tokens : ROOM_ANY, max_bytes};
    struct rooms rooms = {.whole = room, .cut = room};
    size_sink_init(&rig->sizer, &rig->encoder, &rooms, NULL);
    limit_sink_init(&rig->limiter, &rig->sizer.sink, limit);
}

static void rig_deinit(struct rig *rig) {
    buf_deinit(&rig->buf);
    arena_deinit(&rig->arena);
}

/* The whole object, closed. */
static const char *rig_text(struct rig *rig) {
    encode_sink_end(&rig->encoder);
    json_object_end(&rig->writer);
    return str_cstr(&rig->arena, buf_flat(&rig->buf, &rig->arena));
}

static const struct row_column one_column[] = {{STR_INIT("v"), STR_INIT("string")}};

/* Pushes n rows of one text as a backend would; returns how many were asked for. */
static size_t push(struct rig *rig, size_t n, struct str text, result *out) {
    struct row_sink *sink = &rig->limiter.sink;
    struct report report = {0};
    *out = sink->columns(sink, one_column, 1, &report);
    size_t pushed = 0;
    for (bool more = true; pushed < n && more && out->why == FAIL_NONE; pushed++) {
        struct row_value value = {.kind = ROW_TEXT, .text = text};
        *out = sink->row(sink, &value, &more, &report);
    }
    return pushed;
}

/* -- encoding -----------------------------------------------------------------------------------
 */

struct value_case {
    struct row_value value;
    const char *expected;
};

#define TEXT(k, t)                                                                                 \
    { .kind = k, .text = STR_INIT(t) }

static const struct value_case value_cases[] = {
    {{.kind = ROW_NULL}, "null"},
    {{.kind = ROW_BOOL, .boolean = false}, "false"},
    {{.kind = ROW_INT, .integer = 0}, "0"},
    {{.kind = ROW_INT, .integer = 9007199254740991}, "9007199254740991"},
    {{.kind = ROW_INT, .integer = -9007199254740991}, "-9007199254740991"},
    {{.kind = ROW_INT, .integer = 9007199254740992}, "\"9007199254740992\""},
    {{.kind = ROW_INT, .integer = INT64_MIN}, "\"-9223372036854775808\""},
    {{.kind = ROW_REAL, .real = 1.0}, "1"},
    {{.kind = ROW_REAL, .real = 0.1}, "0.1"},
    {{.kind = ROW_REAL, .real = (double)NAN}, "\"NaN\""},
    {{.kind = ROW_REAL, .real = (double)INFINITY}, "\"Infinity\""},
    {{.kind = ROW_REAL, .real = (double)-INFINITY}, "\"-Infinity\""},
    {TEXT(ROW_DECIMAL, "12345678901234567890.10"), "12345678901234567890.10"},
    {TEXT(ROW_DECIMAL, "-0.05"), "-0.05"},
    {TEXT(ROW_DECIMAL, "007"), "\"007\""}, /* no number of JSON's */
    {TEXT(ROW_DECIMAL, "1,2"), "\"1,2\""},
    {TEXT(ROW_DECIMAL, "1."), "\"1.\""},
    {TEXT(ROW_DECIMAL, ""), "\"\""},
    {TEXT(ROW_TEXT, "12"), "\"12\""},
    {TEXT(ROW_TEXT, "李雷 \" \\ \n \x01 \xff"), "\"李雷 \\\" \\\\ \\n \\u0001 \xEF\xBF\xBD\""},
    {TEXT(ROW_BYTES, ""), "\"\""},
    {TEXT(ROW_BYTES, "f"), "\"Zg==\""},
    {TEXT(ROW_BYTES, "fo"), "\"Zm8=\""},
    {TEXT(ROW_BYTES, "foo"), "\"Zm9v\""},
    {TEXT(ROW_BYTES, "\xff\xfe\x00\x01"), "\"//4AAQ==\""},
    {TEXT(ROW_JSON, "{\"a\":[1,null]}"), "{\"a\":[1,null]}"},
};

static void test_values(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(value_cases); i++) {
        struct rig rig;
        rig_init(&rig, 1 << 16, 1 << 16, 0, 10);
        json_key(&rig.writer, STR("v"));
        json_array(&rig.writer);
        encode_value(&rig.writer, &value_cases[i].value, TEXT_EXACT);
        encode_value(&rig.writer, &value_cases[i].value, TEXT_EXACT); /* the comma comes between */
        json_array_end(&rig.writer);
        json_object_end(&rig.writer);
        const char *text = str_cstr(&rig.arena, buf_flat(&rig.buf, &rig.arena));
        struct str expected = str_printf(&rig.arena, "{\"v\":[%s,%s]}", value_cases[i].expected,
                                         value_cases[i].expected);
        assert_string_equal(text, expected.ptr);
        rig_deinit(&rig);
    }
}

/* Longer than a reserved piece, at every remainder of three. */
static void test_long_bytes(void **state) {
    (void)state;
    static char zeros[10000];
    for (size_t len = 9000; len < 9003; len++) {
        struct rig rig;
        rig_init(&rig, 1 << 16, 1 << 16, 0, 10);
        json_key(&rig.writer, STR("v"));
        struct row_value value = {.kind = ROW_BYTES, .text = {zeros, len}};
        encode_value(&rig.writer, &value, TEXT_EXACT);
        json_object_end(&rig.writer);
        assert_int_equal(rig.buf.len, strlen("{\"v\":\"\"}") + (len + 2) / 3 * 4);
        const struct json *read;
        struct str text = buf_flat(&rig.buf, &rig.arena);
        assert_int_equal(json_read(text, NULL, &rig.arena, &read, NULL).why, FAIL_NONE);
        rig_deinit(&rig);
    }
}

static void test_members(void **state) {
    (void)state;
    struct rig rig;
    result r;
    rig_init(&rig, 1 << 16, 1 << 16, 0, 10);
    assert_int_equal(push(&rig, 2, STR("a"), &r), 2);
    assert_string_equal(rig_text(&rig), "{\"columns\":[{\"name\":\"v\",\"type\":\"string\"}],"
                                        "\"rows\":[[\"a\"],[\"a\"]]}");
    assert_int_equal(rig.encoder.n_rows, 2);
    rig_deinit(&rig);

    rig_init(&rig, 1 << 16, 1 << 16, 0, 10);
    assert_string_equal(rig_text(&rig), "{\"columns\":[],\"rows\":[]}");
    rig_deinit(&rig);
}

/* -- the row limit ------------------------------------------------------------------------------
 */

static void test_limit(void **state) {
    (void)state;
    static const struct {
        size_t limit, n, asked, kept;
        bool has_more;
    } cases[] = {{0, 0, 0, 0, false}, {0, 5, 1, 0, true}, {3, 2, 2, 2, false},
                 {3, 3, 3, 3, false}, {3, 4, 4, 3, true}, {3, 9, 4, 3, true}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        result r;
        rig_init(&rig, 1 << 16, 1 << 16, 0, cases[i].limit);
        assert_int_equal(push(&rig, cases[i].n, STR("a"), &r), cases[i].asked);
        assert_int_equal(r.why, FAIL_NONE);
        assert_int_equal(rig.limiter.n_rows, cases[i].kept);
        assert_int_equal(rig.encoder.n_rows, cases[i].kept);
        assert_int_equal(rig.limiter.has_more, cases[i].has_more);
        rig_deinit(&rig);
    }
}

/* -- the size limit -----------------------------------------------------------------------------
 */

#define HEAD_BYTES (sizeof "\"columns\":[{\"name\":\"v\",\"type\":\"string\"}],\"rows\":[" - 1)

/* Property: for every maximum, what is kept is the most that fits, the reply is whole JSON, and
 * the count is what stands in it. */
static void test_bytes(void **state) {
    (void)state;
    for (size_t room = 0; room < 60; room++) {
        struct rig rig;
        result r;
        rig_init(&rig, 1 << 16, HEAD_BYTES + room, 0, 1000);
        size_t asked = push(&rig, 7, STR("abc"), &r);
        size_t fits = room < 7 ? 0 : (room - 7) / 8 + 1; /* ["abc"] and a comma before the others */
        size_t kept = fits < 7 ? fits : 7;
        assert_int_equal(r.why, FAIL_NONE);
        assert_int_equal(rig.sizer.fit.now.n, kept);
        assert_int_equal(rig.encoder.n_rows, kept);
        assert_int_equal(rig.sizer.fit.is_cut, kept < 7);
        assert_false(rig.sizer.fit.is_cut_by_tokens);
        assert_int_equal(asked, kept < 7 ? kept + 1 : 7);
        assert_true(rig.sizer.fit.now.bytes <= HEAD_BYTES + room);
        const struct json *read;
        struct str text = str_of(rig_text(&rig));
        assert_int_equal(json_read(text, NULL, &rig.arena, &read, NULL).why, FAIL_NONE);
        assert_int_equal(json_get(read, STR("rows"))->n, kept);
        rig_deinit(&rig);
    }
}

static void test_columns_that_do_not_fit(void **state) {
    (void)state;
    struct rig rig;
    result r;
    rig_init(&rig, 1 << 16, HEAD_BYTES - 1, 0, 1000);
    push(&rig, 1, STR("a"), &r);
    assert_int_equal(r.why, FAIL_LIMIT);
    rig_deinit(&rig);
}

/* The buf is full before the maximum of the rows is: cut all the same, and whole. */
static void test_full_buf(void **state) {
    (void)state;
    struct rig rig;
    result r;
    rig_init(&rig, 206, 1 << 16, 0, 1000); /* ten rows, and room for the end */
    push(&rig, 100, STR("0123456789"), &r);
    assert_int_equal(r.why, FAIL_NONE);
    assert_true(rig.sizer.fit.is_cut);
    uint64_t kept = rig.sizer.fit.now.n;
    assert_int_equal(kept, 10);
    const struct json *read;
    struct str text = str_of(rig_text(&rig));
    assert_int_equal(json_read(text, NULL, &rig.arena, &read, NULL).why, FAIL_NONE);
    assert_int_equal(json_get(read, STR("rows"))->n, kept);
    rig_deinit(&rig);
}

static void test_tokens(void **state) {
    (void)state;
    struct rig rig;
    result r;
    /* A row of one Chinese character costs it and its six narrow neighbours, commas included. */
    rig_init(&rig, 1 << 16, 1 << 16, 40, 1000);
    push(&rig, 1000, STR("数"), &r);
    assert_int_equal(r.why, FAIL_NONE);
    assert_true(rig.sizer.fit.is_cut && rig.sizer.fit.is_cut_by_tokens);
    assert_true(token_count_get(&rig.sizer.fit.now.tokens) <= 40);
    struct token_count one_more = rig.sizer.fit.now.tokens;
    token_count_add(&one_more, STR(",[\"数\"]"));
    assert_true(token_count_get(&one_more) > 40);
    rig_deinit(&rig);
}

static void test_token_estimate(void **state) {
    (void)state;
    static const struct {
        struct str text;
        uint64_t expected;
    } cases[] = {
        {STR_INIT(""), 0},
        {STR_INIT("a"), 1},
        {STR_INIT("abc"), 1},
        {STR_INIT("abcd"), 2},
        {STR_INIT("abcdefg"), 2},
        {STR_INIT("abcdefgh"), 3},
        {STR_INIT("数据"), 2},
        {STR_INIT("数据ab"), 3},
        {STR_INIT("한글かな"), 4},
        {STR_INIT("éèê"), 1},
        {STR_INIT("\xff\xff"), 1},
        {STR_INIT("\xe6\x95"), 1},
        {STR_INIT("，。"), 2},
        {STR_INIT("\xe6\x95"
                  "abc"),
         2},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(token_estimate(cases[i].text), cases[i].expected);
    /* Any split of the bytes gives the same. */
    struct str text = STR("ab数据é\xff한x𠀀y");
    for (size_t at = 0; at <= text.len; at++) {
        struct token_count count = {0};
        token_count_add(&count, str_slice(text, 0, at));
        token_count_add(&count, str_slice(text, at, text.len));
        assert_int_equal(token_count_get(&count), token_estimate(text));
    }
}

/* Memory that runs out is a failure and never a cut: nobody is told half of it as if it were all.
 */
static void test_nth_failure(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct rig rig;
        result r;
        rig_init(&rig, 1 << 20, 1 << 20, 0, 1000);
        fault_set(n);
        push(&rig, 500, STR("some text that fills chunks"), &r);
        bool is_unused = fault_unused();
        fault_off();
        assert_int_equal(r.why, is_unused ? FAIL_NONE : FAIL_MEMORY);
        assert_false(rig.sizer.fit.is_cut);
        rig_deinit(&rig);
        if (is_unused) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_long_bytes),
        cmocka_unit_test(test_members),        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_bytes),          cmocka_unit_test(test_columns_that_do_not_fit),
        cmocka_unit_test(test_full_buf),       cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_token_estimate), cmocka_unit_test(test_nth_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
