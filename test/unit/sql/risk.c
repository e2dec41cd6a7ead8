/* Facts to flags, flags to levels, estimates, gates. */
#include "sql/risk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct risk_facts calm = {.has_relation = true,
                                       .has_limit = true,
                                       .limit = 10,
                                       .max_limit = 100,
                                       .join_tables = 1,
                                       .max_join_tables = 5};

static void nothing_wrong_is_low(void **state) {
    (void)state;
    assert_int_equal(risk_flags_of(&calm), 0);
    assert_int_equal(risk_level_of(0), RISK_LOW);
    struct risk_facts none = {.has_star = true, .has_unfiltered_block = true};
    assert_int_equal(risk_flags_of(&none), 0); /* nothing is read */
}

static void half_of_the_maximum_is_not_large(void **state) {
    (void)state;
    struct risk_facts f = calm;
    f.limit = 50;
    assert_int_equal(risk_flags_of(&f), 0);
    f.limit = 51;
    assert_int_equal(risk_flags_of(&f), RISK_LARGE_LIMIT);
    f.has_limit = false;
    assert_int_equal(risk_flags_of(&f), RISK_MISSING_LIMIT);
}

static void joins_are_many_above_half_and_two(void **state) {
    (void)state;
    struct risk_facts f = calm;
    f.join_tables = 2;
    f.max_join_tables = 2;
    assert_int_equal(risk_flags_of(&f), 0);
    f.join_tables = 3;
    f.max_join_tables = 6;
    assert_int_equal(risk_flags_of(&f), 0);
    f.max_join_tables = 5;
    assert_int_equal(risk_flags_of(&f), RISK_HIGH_JOIN_COUNT);
}

static void every_flag_has_a_level_and_a_name(void **state) {
    (void)state;
    static const struct {
        unsigned flag;
        enum risk_level level;
        const char *name;
    } rows[] = {{RISK_MISSING_LIMIT, RISK_MEDIUM, "missing_limit"},
                {RISK_SELECT_STAR, RISK_MEDIUM, "select_star"},
                {RISK_MISSING_WHERE, RISK_MEDIUM, "missing_where"},
                {RISK_LARGE_LIMIT, RISK_MEDIUM, "large_limit"},
                {RISK_MISSING_PARTITION_FILTER, RISK_HIGH, "missing_partition_filter"},
                {RISK_CROSS_JOIN, RISK_HIGH, "cross_join"},
                {RISK_HIGH_JOIN_COUNT, RISK_MEDIUM, "high_join_count"},
                {RISK_HIGH_SCAN, RISK_HIGH, "high_scan"},
                {RISK_SCAN_OVER_LIMIT, RISK_CRITICAL, "scan_over_limit"}};
    unsigned all = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(rows[i].flag, 1u << i);
        assert_int_equal(risk_level_of(rows[i].flag), rows[i].level);
        assert_string_equal(risk_flag_name[i], rows[i].name);
        all |= rows[i].flag;
    }
    assert_null(risk_flag_name[COUNT(rows)]);
    assert_int_equal(risk_level_of(all), RISK_CRITICAL);
    assert_int_equal(risk_level_of(all & ~(unsigned)RISK_SCAN_OVER_LIMIT), RISK_HIGH);
}

static void an_unknown_estimate_is_over(void **state) {
    (void)state;
    assert_int_equal(risk_with_estimate(0, RISK_BYTES_UNKNOWN, 0), 0);
    assert_int_equal(risk_with_estimate(0, INT64_MAX, 0), 0);
    assert_int_equal(risk_with_estimate(0, RISK_BYTES_UNKNOWN, 10), RISK_SCAN_OVER_LIMIT);
    assert_int_equal(risk_with_estimate(0, 5, 10), 0);
    assert_int_equal(risk_with_estimate(0, 6, 10), RISK_HIGH_SCAN);
    assert_int_equal(risk_with_estimate(0, 10, 10), RISK_HIGH_SCAN);
    assert_int_equal(risk_with_estimate(RISK_CROSS_JOIN, 11, 10),
                     RISK_CROSS_JOIN | RISK_SCAN_OVER_LIMIT);
}

static void gates_are_reached_from_their_level_on(void **state) {
    (void)state;
    for (int level = RISK_LOW; level <= RISK_CRITICAL; level++) {
        assert_false(risk_reaches((enum risk_level)level, RISK_GATE_NONE));
        assert_int_equal(risk_reaches((enum risk_level)level, RISK_GATE_MEDIUM),
                         level >= RISK_MEDIUM);
        assert_int_equal(risk_reaches((enum risk_level)level, RISK_GATE_HIGH), level >= RISK_HIGH);
        assert_int_equal(risk_reaches((enum risk_level)level, RISK_GATE_CRITICAL),
                         level >= RISK_CRITICAL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_wrong_is_low),
                                       cmocka_unit_test(half_of_the_maximum_is_not_large),
                                       cmocka_unit_test(joins_are_many_above_half_and_two),
                                       cmocka_unit_test(every_flag_has_a_level_and_a_name),
                                       cmocka_unit_test(an_unknown_estimate_is_over),
                                       cmocka_unit_test(gates_are_reached_from_their_level_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
