/* test/unit/sql/pattern.c - back-quoted patterns mean what Java means by them, within bounds */
#include "sql/pattern.h"
#include "base/fault.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *pattern, *yes, *no; /* names, with blanks between */
} matching[] = {
    {"abc.*", "abc abcd ABCDE", "ab xabc"},
    {"(ds|pt)?+.+", "dsx ptx name xds", "ds pt DS"},
    {"(ds|pt)?.+", "ds pt dsx name", ""},
    {"(cost|supplier_id)?+.+", "price costs item_id", "cost supplier_id"},
    {"[a-c]+", "abc ABC cab", "abd d"},
    {"[^a-c]+", "xyz _1", "xay"},
    {"[^A-C]+", "xyz", "xay"},
    {"[]x]+", "]x] x", "y"},
    {"[a\\-z]+", "a-z", "b"},
    {"[\\d_]+", "1_2", "a1"},
    {"\\w+", "a_1", "a-1"},
    {"\\W", "-", "a"},
    {"\\D\\d", "a1", "11"},
    {"a{2}", "aa", "a aaa"},
    {"a{2,}", "aa aaaa", "a"},
    {"a{1,2}?b", "ab aab", "aaab b"},
    {"a*+a", "", "a aaa"},
    {"a*?a", "a aaa", "b"},
    {"(a|ab)(c|bcd)", "ac abc abcd abbcd", "abd"},
    {"(ab)*", "ab abab", "aba"},
    {"(ab)*+x", "x ababx", "ab"},
    {"(?:a|b)+c", "abac ac", "c"},
    {"(?!ds$).*", "dsx name", "ds"},
    {"(?=.*_id)user.*", "user_id", "user name_id"},
    {"^a$", "a", "ab"},
    {"a|b|", "a b", "c"},
    {"()*a", "a", "b"},
    {"(a?)*b", "b aab", "a"},
    {"手.*", "手机号", "机手"},
    {".", "手 a", "手机"},
    {"a\\.b", "a.b", "axb"},
};

static bool matches(const struct sql_pattern *pattern, struct str name) {
    size_t steps = SQL_PATTERN_STEPS_MAX;
    bool is_match = false;
    assert_int_equal(sql_pattern_match(pattern, name, &steps, &is_match, NULL).why, FAIL_NONE);
    return is_match;
}

static void matches_whole_names(void **state) {
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < COUNT(matching); i++) {
        struct arena arena;
        const struct sql_pattern *pattern = NULL;
        arena_init(&arena, 100000);
        assert_int_equal(
            sql_pattern_parse(str_of(matching[i].pattern), 0, &arena, &pattern, NULL).why,
            FAIL_NONE);
        for (size_t j = 0; j < 2; j++) {
            struct str names = str_of(j == 0 ? matching[i].yes : matching[i].no);
            while (names.len > 0) {
                struct str name = str_cut(&names, ' ');
                if (matches(pattern, name) == (j == 0)) continue;
                print_error("'%s' and '%.*s'\n", matching[i].pattern, STR_ARG(name));
                n_wrong++;
            }
        }
        arena_deinit(&arena);
    }
    assert_int_equal(n_wrong, 0);
}

static void refuses_what_it_does_not_know(void **state) {
    (void)state;
    static const char *const bad[] = {
        "(a",      "a)",    "[a",      "*a",      "a**",     "a{",    "a{2",    "a{3,2}",
        "a{x}",    "\\",    "\\bword", "\\1",     "(?<n>a)", "(?i)a", "[a[b]]", "[a&&b]",
        "a{1001}", "(?>a)", "[z-a]",   "\\Qa\\E", "\\p{L}",  "\xff",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct arena arena;
        struct report report = {0};
        const struct sql_pattern *pattern = NULL;
        arena_init(&arena, 100000);
        result r = sql_pattern_parse(str_of(bad[i]), 7, &arena, &pattern, &report);
        if (r.why != FAIL_DENIED) fail_msg("'%s' was read", bad[i]);
        assert_string_equal(report.code, "SQL_NOT_SUPPORTED");
        assert_int_equal(report.offset, 7);
        arena_deinit(&arena);
    }
}

/* What blows up in a careless matcher ends in a refusal here. */
static void bounds_steps_and_depth(void **state) {
    (void)state;
    static const char *const hostile[] = {"(a+)+b", "(a|a)*b", "(a*)*b", "(a|aa)+b",
                                          "(.*)(.*)(.*)(.*)b"};
    char name[400];
    memset(name, 'a', sizeof name);
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct arena arena;
        const struct sql_pattern *pattern = NULL;
        size_t steps = SQL_PATTERN_STEPS_MAX;
        bool is_match = true;
        arena_init(&arena, 100000);
        assert_int_equal(sql_pattern_parse(str_of(hostile[i]), 0, &arena, &pattern, NULL).why,
                         FAIL_NONE);
        result r =
            sql_pattern_match(pattern, (struct str){name, sizeof name}, &steps, &is_match, NULL);
        assert_int_equal(r.why, FAIL_LIMIT);
        arena_deinit(&arena);
    }
}

static void bounds_nesting(void **state) {
    (void)state;
    for (size_t depth = 1; depth < 100; depth++) {
        struct arena arena;
        char text[300];
        const struct sql_pattern *pattern = NULL;
        arena_init(&arena, 100000);
        memset(text, '(', depth);
        text[depth] = 'a';
        memset(&text[depth + 1], ')', depth);
        result r = sql_pattern_parse((struct str){text, 2 * depth + 1}, 0, &arena, &pattern, NULL);
        assert_int_equal(r.why, depth <= 32 ? FAIL_NONE : FAIL_DENIED);
        if (r.why == FAIL_NONE) assert_true(matches(pattern, STR("A")));
        arena_deinit(&arena);
    }
}

static void survives_the_nth_failure(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct arena arena;
        const struct sql_pattern *pattern = NULL;
        arena_init(&arena, 100000);
        fault_set(n);
        result r = sql_pattern_parse(STR("(a|[b-d\\w]{1,2}?)++(?!x).*"), 0, &arena, &pattern, NULL);
        bool is_over = fault_unused();
        fault_off();
        arena_deinit(&arena);
        assert_int_equal(r.why, is_over ? FAIL_NONE : FAIL_MEMORY);
        if (is_over) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_whole_names),      cmocka_unit_test(refuses_what_it_does_not_know),
        cmocka_unit_test(bounds_steps_and_depth),   cmocka_unit_test(bounds_nesting),
        cmocka_unit_test(survives_the_nth_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
