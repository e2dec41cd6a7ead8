#include "text/json.h"

#include "base/fault.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct buf buf;
static struct json_writer w;

static int begin(void **state) {
    (void)state;
    arena_init(&arena, 64 << 20);
    buf_init(&buf, 16 << 20);
    json_writer_init(&w, &buf);
    return 0;
}

static int end(void **state) {
    (void)state;
    buf_deinit(&buf);
    arena_deinit(&arena);
    return 0;
}

static void start_again(void) {
    buf_clear(&buf);
    json_writer_init(&w, &buf);
}

static void assert_written(struct str want) {
    struct str got = buf_flat(&buf, &arena);
    if (!str_eq(got, want)) print_error("wrote %.*s\n", STR_ARG(got));
    assert_true(str_eq(got, want));
    start_again();
}

static void commas_and_nesting(void **state) {
    (void)state;
    json_object(&w);
    json_key(&w, STR("list"));
    json_array(&w);
    json_int(&w, 1);
    json_array(&w);
    json_array_end(&w);
    json_object(&w);
    json_object_end(&w);
    json_null(&w);
    json_array_end(&w);
    json_put_text(&w, STR("text"), STR("x"));
    json_put_int(&w, STR("int"), -5);
    json_put_bool(&w, STR("bool"), false);
    json_put_null(&w, STR("null"));
    json_key(&w, STR("raw"));
    json_raw_value(&w, STR("[true]"));
    json_object_end(&w);
    assert_written(STR("{\"list\":[1,[],{},null],\"text\":\"x\",\"int\":-5,\"bool\":false,"
                       "\"null\":null,\"raw\":[true]}"));
}

static void texts_are_escaped(void **state) {
    (void)state;
    json_text(&w, STR("a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f"
                      "é中😀"));
    assert_written(STR("\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
                       "é中😀\""));
    json_text(&w, STR("\0"));
    assert_written(STR("\"\\u0000\""));
    json_text(&w, STR_NONE);
    assert_written(STR("\"\""));
    json_text(&w, STR("eight plain bytes, then \xff and \xe4\xb8"));
    assert_written(STR("\"eight plain bytes, then \xef\xbf\xbd and \xef\xbf\xbd\xef\xbf\xbd\""));
    json_text(&w, STR("\xed\xa0\x80"));
    assert_written(STR("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""));
}

static void integers(void **state) {
    (void)state;
    json_int(&w, INT64_MIN);
    assert_written(STR("-9223372036854775808"));
    json_int(&w, INT64_MAX);
    assert_written(STR("9223372036854775807"));
    json_int(&w, 0);
    assert_written(STR("0"));
    json_uint(&w, UINT64_MAX);
    assert_written(STR("18446744073709551615"));
}

static void reals(void **state) {
    (void)state;
    static const struct {
        double value;
        struct str text;
    } rows[] = {
        {0, STR_INIT("0")},
        {-0.0, STR_INIT("-0")},
        {1, STR_INIT("1")},
        {-3, STR_INIT("-3")},
        {0.1, STR_INIT("0.1")},
        {0.3, STR_INIT("0.3")},
        {0.1 + 0.2, STR_INIT("0.30000000000000004")},
        {1234.56, STR_INIT("1234.56")},
        {-0.05, STR_INIT("-0.05")},
        {99.995, STR_INIT("99.995")},
        {0.0001, STR_INIT("0.0001")},
        {1e9, STR_INIT("1000000000")},
        {1e15, STR_INIT("1000000000000000")},
        {9007199254740991.0, STR_INIT("9007199254740991")},
        {1e21, STR_INIT("1e+21")},
        {1.0 / 3, STR_INIT("0.3333333333333333")},
        {DBL_MAX, STR_INIT("1.7976931348623157e+308")},
        {5e-324, STR_INIT("4.94065645841247e-324")},
        {2.2250738585072014e-308, STR_INIT("2.2250738585072014e-308")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_real(&w, rows[i].value);
        assert_written(rows[i].text);
    }
    json_real(&w, strtod("inf", NULL));
    assert_written(STR("\"Infinity\""));
    json_real(&w, strtod("-inf", NULL));
    assert_written(STR("\"-Infinity\""));
    json_real(&w, strtod("nan", NULL));
    assert_written(STR("\"NaN\""));
}

static uint64_t next_random(uint64_t *seed) {
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Random bit patterns, and random sums of money. */
static void reals_read_back_the_same(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 60000; i++) {
        uint64_t bits = next_random(&seed);
        double value;
        if (i % 2 == 0)
            memcpy(&value, &bits, sizeof value);
        else
            value = ((double)(bits % 20000000001) - 1e10) / 100;
        if (value != value || value > DBL_MAX || value < -DBL_MAX) continue;
        json_real(&w, value);
        buf_add_byte(&buf, '\0');
        struct str text = buf_flat(&buf, &arena);
        double back = strtod(text.ptr, NULL);
        assert_memory_equal(&back, &value, sizeof back);
        if (i % 2 == 1) assert_true(text.len <= 14); /* "-100000000.00" and a NUL */
        start_again();
    }
}

/* A tree of the reader's full depth, in an envelope, is written; a writer driven deeper fails its
 * buf and ends well. */
static void nesting_beyond_the_maximum_fails_the_buf(void **state) {
    (void)state;
    for (int depth = JSON_WRITE_DEPTH_MAX - 1; depth <= JSON_WRITE_DEPTH_MAX + 1; depth++) {
        for (int i = 0; i < depth; i++) {
            if (i % 2 == 0) {
                json_array(&w);
            } else {
                json_object(&w);
                json_key(&w, STR("k"));
            }
        }
        json_int(&w, 1);
        for (int i = depth - 1; i >= 0; i--) {
            if (i % 2 == 0)
                json_array_end(&w);
            else
                json_object_end(&w);
        }
        assert_int_equal(w.depth, 0);
        assert_int_equal(buf.failed, depth <= JSON_WRITE_DEPTH_MAX ? FAIL_NONE : FAIL_LIMIT);
        start_again();
    }
}

/* Characters that lie across two chunks, and escapes, come out as if the text were in one piece. */
static void escaping_a_buf(void **state) {
    (void)state;
    static const char *const pieces[] = {"中",   "😀",        "é",  "\"",  "x",
                                         "\xff", "\xe4\xb8", "\n", "\xf0"};
    uint64_t seed = 11;
    for (int round = 0; round < 300; round++) {
        struct buf from, straight;
        buf_init(&from, 1 << 20);
        buf_init(&straight, 1 << 20);
        for (int i = 0; i < 700; i++) {
            struct str piece = str_of(pieces[next_random(&seed) % COUNT(pieces)]);
            buf_add(&from, piece);
        }
        json_escape(&straight, buf_flat(&from, &arena));
        json_escape_buf(&buf, &from);
        assert_int_equal(buf.failed, FAIL_NONE);
        assert_written(buf_flat(&straight, &arena));
        buf_deinit(&from);
        buf_deinit(&straight);
    }
}

/* One byte a chunk is the hardest case. */
static void escaping_a_buf_of_tiny_chunks(void **state) {
    (void)state;
    struct str text = STR("中x😀\xf0\x9f\x98"
                          "é\xe4\"\xc3");
    struct buf from;
    buf_init(&from, 100);
    for (size_t i = 0; i < text.len; i++) {
        struct buf one;
        buf_init(&one, 1);
        buf_add_byte(&one, text.ptr[i]);
        buf_append(&from, &one);
    }
    json_escape_buf(&buf, &from);
    assert_written(STR("中x😀\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                       "é\xef\xbf\xbd\\\"\xef\xbf\xbd"));
    buf_deinit(&from);
}

/* -- print after read is identity ------------------------------------------------------------- */

static void write_random(uint64_t *seed, unsigned depth) {
    static const char *const texts[] = {"", "a", "中文", "\"\\\n", "😀", "a longer text, plain"};
    uint64_t random = next_random(seed);
    switch (random % (depth < 6 ? 9 : 6)) {
    case 0: json_null(&w); return;
    case 1: json_bool(&w, random & 256); return;
    case 2: json_int(&w, (int64_t)next_random(seed) >> random % 60); return;
    case 3: json_real(&w, (double)(int64_t)next_random(seed) / 1e9); return;
    case 4: json_uint(&w, next_random(seed)); return;
    case 5: json_text(&w, str_of(texts[random / 16 % COUNT(texts)])); return;
    case 6:
        json_array(&w);
        for (uint64_t n = random / 16 % 20; n > 0; n--) write_random(seed, depth + 1);
        json_array_end(&w);
        return;
    default:
        json_object(&w);
        for (uint64_t n = random / 16 % 25; n > 0; n--) {
            json_key(&w, str_printf(&arena, "%s%d", texts[n % COUNT(texts)], (int)n));
            write_random(seed, depth + 1);
        }
        json_object_end(&w);
        return;
    }
}

static void what_is_read_is_written_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 400; seed++) {
        uint64_t random = seed;
        arena_reset(&arena);
        start_again();
        write_random(&random, 0);
        assert_int_equal(buf.failed, FAIL_NONE);
        struct str first = str_dup(&arena, buf_flat(&buf, &arena));
        const struct json *value;
        struct report report = {0};
        result r = json_read(first, NULL, &arena, &value, &report);
        if (r.why != FAIL_NONE) print_error("seed %d: %s\n", (int)seed, report.sentence);
        assert_int_equal(r.why, FAIL_NONE);
        assert_true(str_eq(json_raw(value), first));
        start_again();
        json_value(&w, value);
        assert_written(first);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    long n = 0;
    for (;; n++) {
        struct buf out;
        struct json_writer writer;
        buf_init(&out, 1 << 20);
        json_writer_init(&writer, &out);
        fault_set(n);
        json_array(&writer);
        for (int i = 0; i < 2000; i++) json_text(&writer, STR("some \"text\""));
        json_array_end(&writer);
        bool unused = fault_unused();
        fault_off();
        assert_int_equal(buf_failed(&out, NULL).why, unused ? FAIL_NONE : FAIL_MEMORY);
        buf_deinit(&out);
        if (unused) break;
    }
    assert_true(n >= 5);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(commas_and_nesting),
        T(texts_are_escaped),
        T(integers),
        T(reals),
        T(reals_read_back_the_same),
        T(nesting_beyond_the_maximum_fails_the_buf),
        T(escaping_a_buf),
        T(escaping_a_buf_of_tiny_chunks),
        T(what_is_read_is_written_the_same),
        T(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
