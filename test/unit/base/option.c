#include "base/option.h"

#include "base/arena.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct settings {
    bool is_on;
    int64_t port, bytes, timeout_ms;
    struct str host, absent;
    int mode;
    struct option_list names;
};

static const char *const modes[] = {"http", "stdio", NULL};

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
    {"is_on", OPTION_BOOL, AT(is_on), "true", 0, 0, NULL, NULL, NULL, false, "On."},
    {"port", OPTION_INT, AT(port), "8000", 1, 65535, NULL, "T_PORT T_MCP_PORT", NULL, false, "P."},
    {"bytes", OPTION_BYTES, AT(bytes), "8MiB", 1024, 1 << 30, NULL, NULL, NULL, true, "Bytes."},
    {"timeout", OPTION_DURATION, AT(timeout_ms), "30s", 1, 60000, NULL, "T_TIMEOUT", "s", true,
     "T."},
    {"host", OPTION_TEXT, AT(host), "127.0.0.1", 0, 0, NULL, "T_HOST", NULL, false, "Host."},
    {"absent", OPTION_TEXT, AT(absent), NULL, 0, 0, NULL, NULL, NULL, false, "Absent."},
    {"mode", OPTION_CHOICE, AT(mode), "stdio", 0, 0, modes, NULL, NULL, false, "Mode."},
    {"names", OPTION_LIST, AT(names), NULL, 0, 0, NULL, "T_NAMES", NULL, true, "Names."},
    {.name = NULL},
};

static result set(struct settings *s, const char *name, const char *value, struct arena *arena,
                  struct report *report) {
    const struct option *row = option_find(rows, str_of(name));
    assert_non_null(row);
    return option_set(row, s, str_of(value), arena, report);
}

static void defaults_come_from_the_rows(void **state) {
    (void)state;
    struct settings s = {0};
    option_defaults(rows, &s);
    assert_true(s.is_on);
    assert_int_equal(s.port, 8000);
    assert_int_equal(s.bytes, 8 << 20);
    assert_int_equal(s.timeout_ms, 30000);
    assert_true(str_eq(s.host, STR("127.0.0.1")));
    assert_null(s.absent.ptr);
    assert_int_equal(s.mode, 1);
    assert_false(s.names.is_set);
    assert_int_equal(s.names.n, 0);
}

static void values_and_bounds(void **state) {
    (void)state;
    static const struct {
        const char *name, *value;
        bool is_accepted;
    } cases[] = {
        {"port", "1", true},      {"port", "65535", true},  {"port", "0", false},
        {"port", "65536", false}, {"port", "", false},      {"port", "8o", false},
        {"is_on", "off", true},   {"is_on", "NO", true},    {"is_on", "", false},
        {"is_on", "2", false},    {"bytes", "1024", true},  {"bytes", "1023", false},
        {"bytes", "1GiB", true},  {"bytes", "1TiB", false}, {"timeout", "60", true},
        {"timeout", "61", false}, {"timeout", "1ms", true}, {"timeout", "1m", true},
        {"timeout", "2m", false}, {"timeout", "0", false},  {"mode", "HTTP", true},
        {"mode", "http2", false}, {"mode", "", false},      {"host", "", true},
    };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings s = {0}, before;
        struct report report = {0};
        option_defaults(rows, &s);
        before = s;
        result r = set(&s, cases[i].name, cases[i].value, &arena, &report);
        assert_int_equal(r.why, cases[i].is_accepted ? FAIL_NONE : FAIL_CONFIG);
        if (!cases[i].is_accepted) {
            assert_memory_equal(&s, &before, sizeof s);
            assert_string_equal(report.code, "CONFIG_INVALID");
        }
    }
    arena_deinit(&arena);
}

static void refusals_say_what_was_expected(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct settings s = {0};
    struct report report = {0};
    assert_int_equal(set(&s, "port", "99999", &arena, &report).why, FAIL_CONFIG);
    assert_string_equal(report.sentence,
                        "setting 'port' cannot be '99999': expected a whole number, "
                        "at least 1 and at most 65535");
    report_clear(&report);
    assert_int_equal(set(&s, "mode", "web", &arena, &report).why, FAIL_CONFIG);
    assert_string_equal(report.sentence,
                        "setting 'mode' cannot be 'web': expected one of 'http', 'stdio'");
    arena_deinit(&arena);
}

static void lists(void **state) {
    (void)state;
    struct arena arena;
    struct settings s = {0};
    arena_init(&arena, 1 << 16);
    option_defaults(rows, &s);
    for (int i = 0; i < 100; i++) {
        char name[2] = {(char)('a' + i % 26), '\0'};
        assert_int_equal(set(&s, "names", name, &arena, NULL).why, FAIL_NONE);
    }
    assert_int_equal(s.names.n, 100);
    for (int i = 0; i < 100; i++) assert_int_equal(s.names.items[i].ptr[0], 'a' + i % 26);
    option_list_clear(option_find(rows, STR("names")), &s);
    assert_true(s.names.is_set);
    assert_int_equal(s.names.n, 0);
    arena_deinit(&arena);
}

static void the_environment(void **state) {
    (void)state;
    struct arena arena;
    struct settings s = {0};
    struct report report = {0};
    arena_init(&arena, 1 << 16);
    option_defaults(rows, &s);
    setenv("T_PORT", "", 1); /* empty is not set: the next name counts */
    setenv("T_MCP_PORT", " 9000 ", 1);
    setenv("T_HOST", "::1", 1);
    setenv("T_NAMES", "x, y ,,z", 1);
    assert_int_equal(set(&s, "names", "from the file", &arena, NULL).why, FAIL_NONE);
    assert_int_equal(option_env(rows, &s, &arena, &report).why, FAIL_NONE);
    assert_int_equal(s.port, 9000);
    assert_true(str_eq(s.host, STR("::1")));
    assert_int_equal(s.names.n, 3);
    assert_true(str_eq(s.names.items[2], STR("z")));
    setenv("T_PORT", "8001", 1); /* the first that is set wins */
    assert_int_equal(option_env(rows, &s, &arena, &report).why, FAIL_NONE);
    assert_int_equal(s.port, 8001);
    setenv("T_TIMEOUT", "soon", 1);
    assert_int_equal(option_env(rows, &s, &arena, &report).why, FAIL_CONFIG);
    assert_string_equal(report.sentence,
                        "setting 'timeout' cannot be 'soon', given by the environment variable "
                        "T_TIMEOUT: expected a duration such as 250ms, 30s or 5m, at least 1 ms "
                        "and at most 60000 ms");
    unsetenv("T_PORT");
    unsetenv("T_MCP_PORT");
    unsetenv("T_HOST");
    unsetenv("T_NAMES");
    unsetenv("T_TIMEOUT");
    arena_deinit(&arena);
}

static void the_nearest_name(void **state) {
    (void)state;
    assert_null(option_find(rows, STR("Port")));
    assert_string_equal(option_nearest(rows, STR("prot"))->name, "port");
    assert_string_equal(option_nearest(rows, STR("timeuot"))->name, "timeout");
    assert_string_equal(option_nearest(rows, STR("HOST"))->name, "host");
    assert_null(option_nearest(rows, STR("colour")));
    assert_null(option_nearest(rows, STR("")));
}

static void sizes_durations_rates(void **state) {
    (void)state;
    int64_t value, window;
    bool truth;
    assert_true(parse_bytes(STR("64KiB"), &value) && value == 65536);
    assert_true(parse_bytes(STR("10GB"), &value) && value == 10000000000);
    assert_true(parse_bytes(STR("10gib"), &value) && value == INT64_C(10) << 30);
    assert_true(parse_bytes(STR("0"), &value) && value == 0);
    assert_false(parse_bytes(STR("KiB"), &value));
    assert_false(parse_bytes(STR("1.5MiB"), &value));
    assert_false(parse_bytes(STR("-1"), &value));
    assert_false(parse_bytes(STR("1 MiB"), &value));
    assert_false(parse_bytes(STR("9223372036854775807KiB"), &value));
    assert_false(parse_bytes(STR(""), &value));
    assert_true(parse_duration(STR("250ms"), 0, &value) && value == 250);
    assert_true(parse_duration(STR("24h"), 0, &value) && value == 86400000);
    assert_true(parse_duration(STR("7"), 1000, &value) && value == 7000);
    assert_false(parse_duration(STR("7"), 0, &value));
    assert_false(parse_duration(STR("7w"), 1000, &value));
    assert_true(parse_bool(STR("Yes"), &truth) && truth);
    assert_false(parse_bool(STR("y"), &truth));
    assert_true(parse_rate(STR("100/minute"), &value, &window) && value == 100 && window == 60);
    assert_true(parse_rate(STR("0/day"), &value, &window) && value == 0 && window == 86400);
    assert_false(parse_rate(STR("100"), &value, &window));
    assert_false(parse_rate(STR("100/"), &value, &window));
    assert_false(parse_rate(STR("/minute"), &value, &window));
    assert_false(parse_rate(STR("-1/minute"), &value, &window));
    assert_false(parse_rate(STR("1/minute/2"), &value, &window));
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    long n = 0;
    for (;; n++) {
        struct arena arena;
        struct settings s = {0};
        struct report report = {0};
        arena_init(&arena, 1 << 16);
        setenv("T_NAMES", "a,b,c", 1);
        setenv("T_HOST", "h", 1);
        fault_set(n);
        option_defaults(rows, &s); /* takes no memory */
        result r = option_env(rows, &s, &arena, &report);
        bool unused = fault_unused();
        fault_off();
        unsetenv("T_NAMES");
        unsetenv("T_HOST");
        arena_deinit(&arena);
        assert_int_equal(r.why, unused ? FAIL_NONE : FAIL_MEMORY);
        assert_int_equal(report.why, r.why);
        if (unused) break;
    }
    assert_true(n >= 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_from_the_rows),
        cmocka_unit_test(values_and_bounds),
        cmocka_unit_test(refusals_say_what_was_expected),
        cmocka_unit_test(lists),
        cmocka_unit_test(the_environment),
        cmocka_unit_test(the_nearest_name),
        cmocka_unit_test(sizes_durations_rates),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
