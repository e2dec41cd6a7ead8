/* Equal values are equal bytes, others are not. */
#include "text/canon.h"
#include "base/arena.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;

static struct str canon_of(const char *text) {
    const struct json *value;
    struct report report = {0};
    struct buf buf;
    assert_int_equal(json_read(str_of(text), NULL, &arena, &value, &report).why, FAIL_NONE);
    buf_init(&buf, MIB);
    assert_true(canon_put_json(&buf, value, &arena));
    struct str bytes = buf_take(&buf, &arena);
    assert_true(bytes.len > 0);
    return bytes;
}

static void order_blanks_and_escapes_do_not_matter(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"{\"a\":1,\"b\":[true,null]}", "{ \"b\" : [ true , null ], \"a\": 1 }"},
        {"\"\\u0041\\n\"", "\"A\\u000a\""},
        {"{\"x\":{\"b\":{},\"a\":[]}}", "{\"x\":{\"a\":[],\"b\":{}}}"},
    };
    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(str_eq(canon_of(same[i][0]), canon_of(same[i][1])));
}

static void what_differs_differs(void **state) {
    (void)state;
    static const char *const all[] = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "1.0",
        "\"1\"",
        "\"\"",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "[1,2]",
        "[2,1]",
        "[\"1\",\"2\"]",
        "[\"12\",\"\"]",
        "{\"a\":1}",
        "{\"a\":\"1\"}",
        "{\"b\":1}",
        "{\"a\":1,\"b\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"ab\":1}",
        "[{\"a\":1}]",
    };
    for (size_t i = 0; i < COUNT(all); i++)
        for (size_t j = i + 1; j < COUNT(all); j++)
            assert_false(str_eq(canon_of(all[i]), canon_of(all[j])));
}

static int setup(void **state) {
    (void)state;
    arena_init(&arena, MIB);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_blanks_and_escapes_do_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(what_differs_differs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
