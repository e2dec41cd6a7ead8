#include "base/str.h"

#include "base/arena.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_str(struct str got, const char *want) {
    assert_int_equal(got.len, strlen(want));
    if (got.len > 0) assert_memory_equal(got.ptr, want, got.len);
}

static void empty_and_null(void **state) {
    (void)state;
    assert_true(str_eq(str_of(NULL), STR("")));
    assert_null(str_of(NULL).ptr);
    assert_true(str_eq(STR_NONE, STR_NONE));
    assert_true(str_ieq(STR_NONE, STR("")));
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_true(str_starts(STR_NONE, STR("")));
    assert_true(str_ends(STR_NONE, STR_NONE));
    assert_false(str_starts(STR_NONE, STR("a")));
    assert_int_equal(str_find(STR_NONE, STR("a")), 0);
    assert_int_equal(str_find_byte(STR_NONE, 'a'), 0);
    assert_int_equal(str_trim(STR_NONE).len, 0);
    assert_int_equal(str_slice(STR_NONE, 3, 9).len, 0);
    assert_true(str_eq_secret(STR_NONE, STR_NONE));
    assert_true(utf8_valid(STR_NONE));
    assert_int_equal(utf8_next(STR_NONE, NULL), 0);
}

static void slices_are_clipped(void **state) {
    (void)state;
    assert_str(str_slice(STR("abcdef"), 1, 3), "bc");
    assert_str(str_slice(STR("abcdef"), 4, 99), "ef");
    assert_str(str_slice(STR("abcdef"), 5, 2), "");
    assert_str(str_slice(STR("abcdef"), 99, 100), "");
}

static void comparing(void **state) {
    (void)state;
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_ieq(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_ieq(STR("\xc3\x84"), STR("\xc3\xa4"))); /* only ASCII is folded */
    assert_false(str_ieq(STR("["), STR("{")));               /* 0x20 apart, no letters */
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("a\xff"), STR("a\x01")) > 0); /* bytes are unsigned */
    assert_true(str_istarts(STR("Bearer x"), STR("bearer ")));
    assert_true(str_ends(STR("a.yaml"), STR(".yaml")));
    assert_true(str_eq_secret(STR("token"), STR("token")));
    assert_false(str_eq_secret(STR("token"), STR("tokem")));
    assert_false(str_eq_secret(STR("token"), STR("toke")));
}

static void finding_and_cutting(void **state) {
    (void)state;
    assert_int_equal(str_find(STR("hello"), STR("llo")), 2);
    assert_int_equal(str_find(STR("hello"), STR("lla")), 5);
    assert_int_equal(str_find(STR("hello"), STR("")), 0);
    assert_int_equal(str_find(STR("he"), STR("hello")), 2);
    assert_int_equal(str_find_byte(STR("a\0b"), 'b'), 2);
    assert_str(str_trim(STR(" \t\r\n x y \n")), "x y");
    assert_str(str_trim(STR("  ")), "");
    struct str rest = STR("a,,b");
    assert_str(str_cut(&rest, ','), "a");
    assert_str(str_cut(&rest, ','), "");
    assert_non_null(rest.ptr);
    assert_str(str_cut(&rest, ','), "b");
    assert_null(rest.ptr);
    rest = STR("a,");
    assert_str(str_cut(&rest, ','), "a");
    assert_non_null(rest.ptr); /* an empty part is still to come */
    assert_str(str_cut(&rest, ','), "");
    assert_null(rest.ptr);
}

static void numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_i64, is_u64;
        int64_t i64;
    } rows[] = {
        {"", false, false, 0},
        {"-", false, false, 0},
        {"0", true, true, 0},
        {"007", true, true, 7},
        {"+1", false, false, 0},
        {" 1", false, false, 0},
        {"1 ", false, false, 0},
        {"1x", false, false, 0},
        {"--1", false, false, 0},
        {"9223372036854775807", true, true, INT64_MAX},
        {"9223372036854775808", false, true, 0},
        {"-9223372036854775808", true, false, INT64_MIN},
        {"-9223372036854775809", false, false, 0},
        {"18446744073709551615", false, true, 0},
        {"18446744073709551616", false, false, 0},
        {"99999999999999999999999", false, false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t value = 0;
        uint64_t size = 0;
        assert_int_equal(str_to_i64(str_of(rows[i].text), &value), rows[i].is_i64);
        if (rows[i].is_i64) assert_true(value == rows[i].i64);
        assert_int_equal(str_to_u64(str_of(rows[i].text), &size), rows[i].is_u64);
    }
}

static void copies(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    assert_str(str_dup(&arena, STR("abc")), "abc");
    assert_non_null(str_dup(&arena, STR_NONE).ptr); /* empty is no failure */
    assert_str(str_lower(&arena, STR("AbC\xc3\x84")), "abc\xc3\x84");
    assert_string_equal(str_cstr(&arena, STR("ab")), "ab");
    assert_string_equal(str_cstr(&arena, STR_NONE), "");
    assert_str(str_printf(&arena, "%d-" STR_FMT, 7, STR_ARG(STR("x"))), "7-x");
    struct str long_one = STR("0123456789012345678901234567890123456789012345678901234567890123");
    assert_null(str_dup(&arena, long_one).ptr);
    assert_null(str_cstr(&arena, long_one));
    assert_null(str_printf(&arena, "%100d", 1).ptr);
    arena_deinit(&arena);
}

static void utf8_forms(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        uint32_t rune;
    } rows[] = {
        {"a", 1, 'a'},
        {"\x7f", 1, 0x7f},
        {"\x80", 0, 0},     /* a tail alone */
        {"\xc0\x80", 0, 0}, /* overlong NUL */
        {"\xc1\xbf", 0, 0}, /* overlong */
        {"\xc2\x80", 2, 0x80},
        {"\xdf\xbf", 2, 0x7ff},
        {"\xc3", 0, 0},         /* cut */
        {"\xe0\x9f\xbf", 0, 0}, /* overlong */
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xed\x9f\xbf", 3, 0xd7ff},
        {"\xed\xa0\x80", 0, 0}, /* surrogate */
        {"\xed\xbf\xbf", 0, 0},
        {"\xee\x80\x80", 3, 0xe000},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xe4\xb8", 0, 0},
        {"\xe4\x41\xad", 0, 0},
        {"\xf0\x8f\xbf\xbf", 0, 0}, /* overlong */
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\xf4\x90\x80\x80", 0, 0}, /* beyond the last */
        {"\xf5\x80\x80\x80", 0, 0},
        {"\xff", 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t rune = 0;
        assert_int_equal(utf8_next(str_of(rows[i].bytes), &rune), rows[i].n);
        assert_int_equal(rune, rows[i].rune);
        assert_int_equal(utf8_valid(str_of(rows[i].bytes)), rows[i].n > 0);
    }
    assert_false(utf8_valid(STR("eight asc\xff")));
    assert_true(utf8_valid(STR("eight ascii 中文 and more")));
}

static void utf8_put_is_read_back(void **state) {
    (void)state;
    for (uint32_t rune = 1; rune <= 0x10ffff; rune += rune < 0x1000 ? 1 : 97) {
        if (rune >= 0xd800 && rune <= 0xdfff) continue;
        char bytes[4];
        uint32_t back = 0;
        size_t n = utf8_put(bytes, rune);
        assert_int_equal(utf8_next((struct str){bytes, n}, &back), n);
        assert_int_equal(back, rune);
    }
}

static void clipping(void **state) {
    (void)state;
    assert_str(utf8_clip(STR("a中文"), 99), "a中文");
    assert_str(utf8_clip(STR("a中文"), 7), "a中文");
    assert_str(utf8_clip(STR("a中文"), 6), "a中");
    assert_str(utf8_clip(STR("a中文"), 4), "a中");
    assert_str(utf8_clip(STR("a中文"), 3), "a");
    assert_str(utf8_clip(STR("中"), 0), "");
    assert_int_equal(utf8_clip(STR("\x80\x80\x80\x80\x80\x80\x80"), 6).len, 6);
}

static void distances(void **state) {
    (void)state;
    assert_int_equal(str_distance(STR("port"), STR("port"), 5), 0);
    assert_int_equal(str_distance(STR("port"), STR("PORT"), 5), 0);
    assert_int_equal(str_distance(STR("port"), STR("prot"), 5), 1);
    assert_int_equal(str_distance(STR("port"), STR("ports"), 5), 1);
    assert_int_equal(str_distance(STR("port"), STR("pot"), 5), 1);
    assert_int_equal(str_distance(STR("max_body_bytes"), STR("max_bdoy_byte"), 5), 2);
    assert_int_equal(str_distance(STR("abc"), STR("xyz"), 2), 2);
    assert_int_equal(str_distance(STR(""), STR("abc"), 9), 3);
    assert_int_equal(str_distance(STR_NONE, STR_NONE, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_and_null), cmocka_unit_test(slices_are_clipped),
        cmocka_unit_test(comparing),      cmocka_unit_test(finding_and_cutting),
        cmocka_unit_test(numbers),        cmocka_unit_test(copies),
        cmocka_unit_test(utf8_forms),     cmocka_unit_test(utf8_put_is_read_back),
        cmocka_unit_test(clipping),       cmocka_unit_test(distances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
