/* Text from data: nothing hidden is left in it, and nothing is lost. */
#include "shape/text.h"
#include "base/fault.h"
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 64 * MIB);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct str written(struct str text, enum text_form form, bool is_json) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, 1 * MIB);
    json_writer_init(&w, &buf);
    json_array(&w);
    if (is_json)
        text_write_json(&w, text, form);
    else
        text_write(&w, text, form);
    json_array_end(&w);
    assert_int_equal(buf_failed(&buf, NULL).why, FAIL_NONE);
    struct str flat = buf_flat(&buf, &arena);
    struct str copy = str_dup(&arena, str_slice(flat, 1, flat.len - 1));
    buf_deinit(&buf);
    return copy;
}

/* The value that a program reads. */
static struct str value_of(struct str json) {
    static const struct json_limits limits = {.allows_nul = true};
    const struct json *value = NULL;
    struct report report = {0};
    result r = json_read(json, &limits, &arena, &value, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(r.why, FAIL_NONE);
    return value->text;
}

static const struct {
    const char *what;
    struct str text;
    const char *visible; /* the JSON; NULL: as it stands, between quotes */
} cases[] = {
    {"nothing", STR_INIT(""), NULL},
    {"ordinary text", STR_INIT("order 7: \xE6\x9D\x8E\xE9\x9B\xB7 \xC3\xA9"), NULL},
    {"tab and newlines", STR_INIT("a\tb\r\nc"), "\"a\\tb\\r\\nc\""},
    {"NUL", STR_INIT("a\0b"), "\"a\\\\u0000b\""},
    {"escape", STR_INIT("\x1b[31m"), "\"\\\\u001b[31m\""},
    {"DEL", STR_INIT("\x7f"), "\"\\\\u007f\""},
    {"C1", STR_INIT("\xC2\x85"), "\"\\\\u0085\""},
    {"override of direction", STR_INIT("x\xE2\x80\xAEy"), "\"x\\\\u202ey\""},
    {"isolate", STR_INIT("\xE2\x81\xA6"), "\"\\\\u2066\""},
    {"mark of direction", STR_INIT("\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C"),
     "\"\\\\u200e\\\\u200f\\\\u061c\""},
    {"zero width",
     STR_INIT("a\xE2\x80\x8B\xE2\x80\x8C\xE2\x80\x8D\xEF\xBB\xBF"
              "b"),
     "\"a\\\\u200b\\\\u200c\\\\u200d\\\\ufeffb\""},
    {"annotation", STR_INIT("\xEF\xBF\xB9"), "\"\\\\ufff9\""},
    {"tags", STR_INIT("\xF3\xA0\x81\x81\xF3\xA0\x81\xBF"),
     "\"\\\\udb40\\\\udc41\\\\udb40\\\\udc7f\""},
    {"beyond the ranges", STR_INIT("\xE2\x80\xB0\xE2\x80\x94\xE3\x80\x82\xF0\x9F\x98\x80"), NULL},
    {"emoji of several", STR_INIT("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"), NULL},
    {"a heart of emoji", STR_INIT("\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x94\xA5"), NULL},
    {"a joiner behind letters", STR_INIT("a\xE2\x80\x8D\xF0\x9F\x92\xBB"),
     "\"a\\\\u200d\xF0\x9F\x92\xBB\""},
    {"a selector alone", STR_INIT("\xEF\xB8\x8F"), "\"\\\\ufe0f\""},
    {"a second selector", STR_INIT("\xE2\x9D\xA4\xEF\xB8\x8F\xEF\xB8\x8E"),
     "\"\xE2\x9D\xA4\xEF\xB8\x8F\\\\ufe0e\""},
    {"a path", STR_INIT("C:\\users"), "\"C:\\\\users\""},
    {"what looks like ours", STR_INIT("\\u202e"), "\"\\\\u005cu202e\""},
    {"twice", STR_INIT("\\\\u202e"), "\"\\\\\\\\u005cu202e\""},
    {"too short to be ours", STR_INIT("\\u202"), "\"\\\\u202\""},
    {"no UTF-8", STR_INIT("\xff\xE2\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"no UTF-8 before", STR_INIT("\xE2\x80\xE2\x80\xAE"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\\u202e\""},
};

static void shows_what_is_hidden(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct str plain = str_printf(&arena, "\"" STR_FMT "\"", STR_ARG(cases[i].text));
        const char *expected =
            cases[i].visible != NULL ? cases[i].visible : str_cstr(&arena, plain);
        struct str visible = written(cases[i].text, TEXT_VISIBLE, false);
        assert_string_equal(str_cstr(&arena, visible), expected);
        /* Exact: the value is what it was, though on its way nothing is hidden either. */
        if (!utf8_valid(cases[i].text)) continue;
        struct str exact = written(cases[i].text, TEXT_EXACT, false);
        assert_true(str_eq(value_of(exact), cases[i].text));
        assert_true(str_eq(written(exact, TEXT_EXACT, true), exact));
        /* A value of JSON is written as its texts are. */
        assert_true(str_eq(written(exact, TEXT_VISIBLE, true), visible));
    }
}

static void looks_into_json(void **state) {
    (void)state;
    static const struct {
        const char *json, *visible, *exact;
    } values[] = {
        {"7", "7", "7"},
        {"{\"a\":[1,null,\"b\"]}", "{\"a\":[1,null,\"b\"]}", "{\"a\":[1,null,\"b\"]}"},
        {"{\"\xE2\x80\xAE\":1}", "{\"\\\\u202e\":1}", "{\"\\u202e\":1}"},
        {"[\"\\b\\f\\n\\u0001\"]", "[\"\\\\u0008\\\\u000c\\n\\\\u0001\"]",
         "[\"\\b\\f\\n\\u0001\"]"},
        {"[\"\\udb40\\udc41\"]", "[\"\\\\udb40\\\\udc41\"]", "[\"\\udb40\\udc41\"]"},
        {"[\"\\\\u0041\",\"\\u0041\"]", "[\"\\\\u005cu0041\",\"\\u0041\"]",
         "[\"\\\\u0041\",\"\\u0041\"]"},
        {"[\"\\\\\\u0001\"]", "[\"\\\\\\\\u0001\"]", "[\"\\\\\\u0001\"]"},
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        struct str json = str_of(values[i].json);
        assert_string_equal(str_cstr(&arena, written(json, TEXT_VISIBLE, true)), values[i].visible);
        assert_string_equal(str_cstr(&arena, written(json, TEXT_EXACT, true)), values[i].exact);
    }
}

/* Reads a visible value back: each \uXXXX is a unit of UTF-16. */
static struct str read_back(struct str value) {
    struct buf json;
    buf_init(&json, 1 * MIB);
    buf_add_byte(&json, '"');
    for (size_t i = 0; i < value.len; i++) {
        bool is_unit = value.ptr[i] == '\\' && value.len - i >= 6 && value.ptr[i + 1] == 'u';
        for (size_t k = 2; is_unit && k < 6; k++)
            is_unit = strchr("0123456789abcdefABCDEF", value.ptr[i + k]) != NULL;
        struct str one = str_slice(value, i, i + (is_unit ? 6 : 1));
        if (is_unit || (unsigned char)value.ptr[i] >= 0x80)
            buf_add(&json, one);
        else
            json_escape(&json, one);
        i += one.len - 1;
    }
    buf_add_byte(&json, '"');
    struct str text = value_of(str_dup(&arena, buf_flat(&json, &arena)));
    buf_deinit(&json);
    return text;
}

/* Property: whatever the text, the visible form has no hidden character and reads back as it. */
static void loses_nothing(void **state) {
    (void)state;
    static const uint32_t runes[] = {'a',    '\\',   'u',  '2',     '0',     'e',    '"',
                                     '\n',   0,      0x1b, 0x85,    0x202E,  0x200D, 0xFE0F,
                                     0x2764, 0xFEFF, 0x5c, 0xE0041, 0x1F469, 0x674E, 0x2066};
    for (size_t n = 0; n < 3000; n++) {
        char bytes[4 * 24];
        size_t len = 0;
        for (uint64_t draw = rand_u64(), k = 0; k < 24 && draw != 0; k++, draw /= 3)
            len += utf8_put(bytes + len, runes[(draw >> 7) % COUNT(runes)]);
        struct str text = {bytes, len};
        struct str visible = value_of(written(text, TEXT_VISIBLE, false));
        assert_true(str_eq(read_back(visible), text));
        struct str again = value_of(written(visible, TEXT_EXACT, false));
        assert_true(str_eq(again, visible));
        struct str exact = written(text, TEXT_EXACT, false);
        assert_true(str_eq(value_of(exact), text));
        assert_true(str_eq(value_of(written(exact, TEXT_VISIBLE, true)), visible));
    }
}

static void fails_as_its_buf_does(void **state) {
    (void)state;
    for (size_t max = 0; max < 60; max++) {
        struct buf buf;
        struct json_writer w;
        buf_init(&buf, max);
        json_writer_init(&w, &buf);
        json_object(&w);
        text_put(&w, STR("k"), STR("some text \xE2\x80\xAE and more of it"), TEXT_VISIBLE);
        json_object_end(&w);
        assert_true(buf.len <= max);
        size_t whole = strlen("{\"k\":\"some text \\\\u202e and more of it\"}");
        assert_int_equal(buf_failed(&buf, NULL).why, max < whole ? FAIL_LIMIT : FAIL_NONE);
        buf_deinit(&buf);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_what_is_hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_into_json, setup, teardown),
        cmocka_unit_test_setup_teardown(loses_nothing, setup, teardown),
        cmocka_unit_test(fails_as_its_buf_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
