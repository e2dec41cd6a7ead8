#include "text/json.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static int open_arena(void **state) {
    (void)state;
    arena_init(&arena, 256 << 20);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* The input ends where an overread is seen: in memory of its own. */
static struct str exact_copy(struct str text) {
    char *copy = malloc(text.len == 0 ? 1 : text.len);
    if (text.len > 0) memcpy(copy, text.ptr, text.len);
    return (struct str){copy, text.len};
}

static void free_text(void *text) {
    free(text);
}

static const struct json *read_ok(struct str text) {
    struct str copy = exact_copy(text);
    char *owned = NULL;
    memcpy(&owned, &copy.ptr, sizeof owned);
    assert_true(arena_defer(&arena, free_text, owned));
    const struct json *value = NULL;
    struct report report = {0};
    result r = json_read(copy, NULL, &arena, &value, &report);
    if (r.why != FAIL_NONE) print_error("%.*s: %s\n", STR_ARG(text), report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
    return value;
}

/* -- what is refused -------------------------------------------------------------------------- */

struct refusal {
    struct str text;
    size_t offset;
};

#define REFUSED(text, offset)                                                                      \
    { STR_INIT(text), offset }
static const struct refusal refusals[] = {
    REFUSED("", 0),
    REFUSED("  ", 2),
    /* duplicate keys, also when spelt differently */
    REFUSED("{\"a\":1,\"a\":2}", 11),
    REFUSED("{\"a\":1,\"\\u0061\":2}", 16),
    REFUSED("{\"\":1,\"\":2}", 9),
    /* NUL */
    REFUSED("\"\\u0000\"", 1),
    REFUSED("{\"a\\u0000b\":1}", 3),
    REFUSED("\"\0\"", 1),
    REFUSED("1\0", 1),
    REFUSED("\0", 0),
    REFUSED("[1]\0", 3),
    /* bytes that are no UTF-8: alone, overlong, surrogates, too high, cut */
    REFUSED("\"\xff\"", 1),
    REFUSED("\"\x80\"", 1),
    REFUSED("\"\xc0\xaf\"", 1),
    REFUSED("\"\xc1\x81\"", 1),
    REFUSED("\"\xe0\x80\x80\"", 1),
    REFUSED("\"\xed\xa0\x80\"", 1),
    REFUSED("\"\xed\xbf\xbf\"", 1),
    REFUSED("\"\xf0\x80\x80\x80\"", 1),
    REFUSED("\"\xf4\x90\x80\x80\"", 1),
    REFUSED("\"ab\xe4\xb8\"", 3),
    REFUSED("\"eight or more \xe4", 15),
    REFUSED("{\"\xff\":1}", 2),
    REFUSED("\"\\\xff\"", 2),
    /* surrogates that stand alone */
    REFUSED("\"\\ud800\"", 1),
    REFUSED("\"\\udc00\"", 1),
    REFUSED("\"\\ud800\\ud800\"", 1),
    REFUSED("\"\\ud800x\"", 1),
    REFUSED("\"\\ud800\\n\"", 1),
    REFUSED("\"\\ud800\\u\"", 1),
    REFUSED("\"x\\udbff\\ue000\"", 2),
    /* escapes */
    REFUSED("\"\\x41\"", 1),
    REFUSED("\"\\'\"", 1),
    REFUSED("\"\\u12\"", 1),
    REFUSED("\"\\u12g4\"", 1),
    REFUSED("\"\\U0041\"", 1),
    REFUSED("\"\\\"", 0),
    REFUSED("\"\\", 0),
    REFUSED("\"\\\n\"", 2),
    /* control characters */
    REFUSED("\"\n\"", 1),
    REFUSED("\"a\tb\"", 2),
    REFUSED("\"12345678\x1f\"", 9),
    /* strings without an end, other quotes, no quotes */
    REFUSED("\"abc", 0),
    REFUSED("\"", 0),
    REFUSED("'a'", 0),
    REFUSED("{'a':1}", 1),
    REFUSED("{a:1}", 1),
    /* numbers */
    REFUSED("NaN", 0),
    REFUSED("Infinity", 0),
    REFUSED("-Infinity", 0),
    REFUSED("nan", 0),
    REFUSED("01", 0),
    REFUSED("-01", 0),
    REFUSED("00", 0),
    REFUSED("1.", 0),
    REFUSED("1.e5", 0),
    REFUSED(".5", 0),
    REFUSED("+1", 0),
    REFUSED("-", 0),
    REFUSED("--1", 0),
    REFUSED("1e", 0),
    REFUSED("1e+", 0),
    REFUSED("1e400", 0),
    REFUSED("-1e400", 0),
    REFUSED("[1e309]", 1),
    REFUSED("0x10", 1),
    REFUSED("1_000", 1),
    REFUSED("1a", 1),
    /* commas, colons, brackets */
    REFUSED("[1,]", 3),
    REFUSED("[,1]", 1),
    REFUSED("[1 2]", 3),
    REFUSED("[", 1),
    REFUSED("[1", 2),
    REFUSED("[1,", 3),
    REFUSED("]", 0),
    REFUSED("[}", 1),
    REFUSED("{\"a\":1,}", 7),
    REFUSED("{\"a\"}", 4),
    REFUSED("{\"a\":}", 5),
    REFUSED("{\"a\" 1}", 5),
    REFUSED("{1:2}", 1),
    REFUSED("{,}", 1),
    REFUSED("{", 1),
    REFUSED("{\"a\":1", 6),
    REFUSED("{\"a\":1]", 6),
    /* words, comments, byte-order mark, blanks that JSON does not have */
    REFUSED("True", 0),
    REFUSED("tru", 0),
    REFUSED("nul", 0),
    REFUSED("undefined", 0),
    REFUSED("//x\n1", 0),
    REFUSED("1/*x*/", 1),
    REFUSED("\xef\xbb\xbf{}", 0),
    REFUSED("\v1", 0),
    REFUSED("\xc2\xa0"
            "1",
            0),
    /* something behind the value */
    REFUSED("1 2", 2),
    REFUSED("{}{}", 2),
    REFUSED("[]]", 2),
    REFUSED("null,", 4),
};

static void what_peers_read_differently_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct str text = exact_copy(refusals[i].text);
        const struct json *value = NULL;
        struct report report = {0};
        result r = json_read(text, NULL, &arena, &value, &report);
        if (r.why != FAIL_INPUT || report.offset != refusals[i].offset)
            print_error("row %zu: %.*s: %s at %zu\n", i, STR_ARG(text), fail_name(r.why),
                        report.offset);
        assert_int_equal(r.why, FAIL_INPUT);
        assert_string_equal(report.code, "JSON_INVALID");
        assert_int_equal(report.offset, refusals[i].offset);
        assert_null(value);
        char *owned = NULL;
        memcpy(&owned, &text.ptr, sizeof owned);
        free(owned);
    }
}

/* -- what is read ----------------------------------------------------------------------------- */

static void words_and_texts(void **state) {
    (void)state;
    assert_int_equal(read_ok(STR(" null\n"))->type, JSON_NULL);
    assert_true(json_is_true(read_ok(STR("\t\rtrue"))));
    assert_false(json_is_true(read_ok(STR("false"))));
    assert_false(json_is_true(NULL));
    assert_true(json_is_text(read_ok(STR("\"\"")), STR("")));
    assert_true(json_is_text(read_ok(STR("\"中文 and more\"")), STR("中文 and more")));
    assert_true(
        json_is_text(read_ok(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")), STR("\"\\/\b\f\n\r\t")));
    assert_true(json_is_text(read_ok(STR("\"\\u00e9\\u4E2d\\ud83d\\uDE00x\"")), STR("é中😀x")));
    assert_true(json_is_text(read_ok(STR("\"\\ud7ff\\ue000\\uffff\\udbff\\udfff\"")),
                             STR("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf")));
    assert_true(json_is_text(read_ok(STR("\"\x7f\"")), STR("\x7f")));
    assert_false(json_is_text(read_ok(STR("12")), STR("12")));
    assert_false(json_is_text(NULL, STR("")));
}

/* A text without escapes is a view into the input. */
static void plain_texts_are_not_copied(void **state) {
    (void)state;
    struct str text = STR("[\"a plain text\", \"one\\n\"]");
    const struct json *value;
    assert_int_equal(json_read(text, NULL, &arena, &value, NULL).why, FAIL_NONE);
    assert_ptr_equal(value->items[0].text.ptr, text.ptr + 2);
    uintptr_t copied = (uintptr_t)value->items[1].text.ptr, from = (uintptr_t)text.ptr;
    assert_true(copied < from || copied >= from + text.len);
}

static void numbers_keep_their_text(void **state) {
    (void)state;
    static const struct {
        struct str text;
        bool is_integer;
        int64_t integer;
        double real;
    } rows[] = {
        {STR_INIT("0"), true, 0, 0},
        {STR_INIT("-0"), true, 0, -0.0},
        {STR_INIT("12"), true, 12, 12},
        {STR_INIT("9007199254740993"), true, INT64_C(9007199254740993), 9007199254740992.0},
        {STR_INIT("9223372036854775807"), true, INT64_MAX, 9223372036854775807.0},
        {STR_INIT("-9223372036854775808"), true, INT64_MIN, -9223372036854775808.0},
        {STR_INIT("9223372036854775808"), false, 0, 9223372036854775808.0},
        {STR_INIT("-9223372036854775809"), false, 0, -9223372036854775809.0},
        {STR_INIT("1.0"), false, 0, 1.0},
        {STR_INIT("0.1"), false, 0, 0.1},
        {STR_INIT("1e3"), false, 0, 1000},
        {STR_INIT("1E+3"), false, 0, 1000},
        {STR_INIT("25e-1"), false, 0, 2.5},
        {STR_INIT("1.7976931348623157e308"), false, 0, 1.7976931348623157e308},
        {STR_INIT("1e-400"), false, 0, 0},
        {STR_INIT("0e999999999999"), false, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct json *number = read_ok(rows[i].text);
        assert_int_equal(number->type, JSON_NUMBER);
        assert_true(str_eq(number->text, rows[i].text));
        assert_int_equal(number->is_integer, rows[i].is_integer);
        if (rows[i].is_integer) assert_true(number->integer == rows[i].integer);
        double got = json_double(number);
        assert_memory_equal(&got, &rows[i].real, sizeof got);
    }
    char digits[309];
    memset(digits, '9', sizeof digits);
    const struct json *value;
    struct report report = {0};
    (void)read_ok((struct str){digits, 308});
    assert_int_equal(json_read((struct str){digits, 309}, NULL, &arena, &value, &report).why,
                     FAIL_INPUT); /* a double cannot hold it */
}

static void containers_and_paths(void **state) {
    (void)state;
    const struct json *v =
        read_ok(STR("{\"a\":[10,{\"b/c\":\"x\",\"d~\":[]},[]],\"\":{\"\":7},\"01\":8,\"e\":{}}"));
    assert_int_equal(v->type, JSON_OBJECT);
    assert_int_equal(v->n, 4);
    assert_true(str_eq(v->members[1].key, STR("")));
    assert_true(json_at(v, STR("")) == v);
    assert_true(json_at(v, STR("/a/0"))->integer == 10);
    assert_true(json_is_text(json_at(v, STR("/a/1/b~1c")), STR("x")));
    assert_int_equal(json_at(v, STR("/a/1/d~0"))->type, JSON_ARRAY);
    assert_true(json_at(v, STR("//"))->integer == 7);
    assert_true(json_at(v, STR("/01"))->integer == 8);
    static const char *const absent[] = {"a",      "/b",     "/a/3", "/a/00",    "/a/-",
                                         "/a/0/x", "/a/1/b", "/a/x", "/a/1/d~2", "/a/1/d~",
                                         "/e/",    "/a/",    "/a/+1"};
    for (size_t i = 0; i < COUNT(absent); i++) assert_null(json_at(v, str_of(absent[i])));
    assert_null(json_at(NULL, STR("/a")));
    assert_null(json_get(NULL, STR("a")));
    assert_null(json_get(json_get(v, STR("a")), STR("a")));
    assert_int_equal(json_get_text(v, STR("a")).len, 0);
    assert_true(str_eq(json_raw(json_at(v, STR("/a/1"))), STR("{\"b/c\":\"x\",\"d~\":[]}")));
    assert_true(str_eq(json_raw(json_at(v, STR("/e"))), STR("{}")));
}

/* Above 16 members duplicates are found by the hash. */
static void many_members(void **state) {
    (void)state;
    for (size_t n = 1; n <= 3000; n = n * 2 + 1) {
        for (size_t duplicate = 0; duplicate <= n; duplicate += n / 2 + 1) {
            struct buf buf;
            struct json_writer w;
            buf_init(&buf, 1 << 20);
            json_writer_init(&w, &buf);
            json_object(&w);
            for (size_t i = 0; i < n; i++) json_put_int(&w, str_printf(&arena, "key%zu", i), 1);
            if (duplicate > 0) json_put_int(&w, str_printf(&arena, "key%zu", duplicate - 1), 2);
            json_object_end(&w);
            const struct json *value = NULL;
            struct report report = {0};
            result r = json_read(buf_flat(&buf, &arena), NULL, &arena, &value, &report);
            assert_int_equal(r.why, duplicate > 0 ? FAIL_INPUT : FAIL_NONE);
            if (duplicate > 0)
                assert_int_equal(report.offset, buf.len - 2);
            else
                assert_int_equal(value->n, n);
            buf_deinit(&buf);
        }
    }
}

/* -- limits ----------------------------------------------------------------------------------- */

static result read_limited(const char *text, struct json_limits limits) {
    const struct json *value;
    struct report report = {0};
    result r = json_read(str_of(text), &limits, &arena, &value, &report);
    if (r.why != FAIL_NONE) assert_string_equal(report.code, "JSON_TOO_LARGE");
    return r;
}

static void each_limit_holds(void **state) {
    (void)state;
    assert_int_equal(read_limited("[1]", (struct json_limits){.bytes = 3}).why, FAIL_NONE);
    assert_int_equal(read_limited("[1]", (struct json_limits){.bytes = 2}).why, FAIL_LIMIT);
    assert_int_equal(read_limited("[[1]]", (struct json_limits){.depth = 2}).why, FAIL_NONE);
    assert_int_equal(read_limited("[[1]]", (struct json_limits){.depth = 1}).why, FAIL_LIMIT);
    assert_int_equal(read_limited("[{}]", (struct json_limits){.depth = 1}).why, FAIL_LIMIT);
    assert_int_equal(read_limited("[1,2]", (struct json_limits){.members = 2}).why, FAIL_NONE);
    assert_int_equal(read_limited("[1,2]", (struct json_limits){.members = 1}).why, FAIL_LIMIT);
    assert_int_equal(read_limited("{\"a\":1,\"b\":2}", (struct json_limits){.members = 1}).why,
                     FAIL_LIMIT);
    assert_int_equal(read_limited("\"abc\"", (struct json_limits){.string_bytes = 3}).why,
                     FAIL_NONE);
    assert_int_equal(read_limited("\"abc\"", (struct json_limits){.string_bytes = 2}).why,
                     FAIL_LIMIT);
    assert_int_equal(read_limited("{\"abc\":1}", (struct json_limits){.string_bytes = 2}).why,
                     FAIL_LIMIT);
    char digits[JSON_NUMBER_BYTES_MAX + 2] = "0.";
    memset(digits + 2, '1', JSON_NUMBER_BYTES_MAX - 1);
    assert_int_equal(read_limited(digits, (struct json_limits){0}).why, FAIL_LIMIT);
    digits[JSON_NUMBER_BYTES_MAX] = '\0';
    assert_int_equal(read_limited(digits, (struct json_limits){0}).why, FAIL_NONE);
}

static void depth_is_bounded_whatever_is_asked(void **state) {
    (void)state;
    static char deep[200001];
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        deep[2 * depth] = '\0';
        assert_int_equal(read_limited(deep, (struct json_limits){.depth = 100000}).why,
                         depth <= JSON_DEPTH_MAX ? FAIL_NONE : FAIL_LIMIT);
    }
    memset(deep, '[', 200000);
    assert_int_equal(read_limited(deep, (struct json_limits){0}).why, FAIL_LIMIT);
}

static void the_budget_holds(void **state) {
    (void)state;
    for (size_t budget = 1; budget < 2000; budget += 50) {
        struct arena small;
        struct report report = {0};
        const struct json *value = NULL;
        arena_init(&small, budget);
        result r = json_read(STR("{\"a\":[1,2,3,{\"b\":\"c\\nd\"}],\"e\":[[],[],{}]}"), NULL,
                             &small, &value, &report);
        assert_true(r.why == FAIL_MEMORY || (r.why == FAIL_NONE && value != NULL));
        assert_int_equal(report.why, r.why);
        assert_true(small.used <= budget);
        arena_deinit(&small);
    }
}

/* Enough members for the scratch to leave the stack and for the hash. */
static void every_allocation_may_fail(void **state) {
    (void)state;
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, 1 << 20);
    json_writer_init(&w, &buf);
    json_object(&w);
    for (int i = 0; i < 200; i++) json_put_text(&w, str_printf(&arena, "k%d", i), STR("a\n"));
    json_key(&w, STR("inner"));
    json_array(&w);
    json_array_end(&w);
    json_object_end(&w);
    struct str text = buf_flat(&buf, &arena);
    long n = 0;
    for (;; n++) {
        struct arena small;
        struct report report = {0};
        const struct json *value = NULL;
        arena_init(&small, 1 << 20);
        fault_set(n);
        result r = json_read(text, NULL, &small, &value, &report);
        bool unused = fault_unused();
        fault_off();
        assert_int_equal(r.why, unused ? FAIL_NONE : FAIL_MEMORY);
        assert_int_equal(report.why, r.why);
        assert_true((value != NULL) == unused);
        arena_deinit(&small);
        if (unused) break;
    }
    assert_true(n >= 200);
    buf_deinit(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_peers_read_differently_is_refused),
        cmocka_unit_test(words_and_texts),
        cmocka_unit_test(plain_texts_are_not_copied),
        cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(containers_and_paths),
        cmocka_unit_test(many_members),
        cmocka_unit_test(each_limit_holds),
        cmocka_unit_test(depth_is_bounded_whatever_is_asked),
        cmocka_unit_test(the_budget_holds),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
