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

/* -- facts to flags --------------------------------------------------------------------------- */

static void each_fact_raises_its_flag_at_its_border(void **state) {
    (void)state;
    static const struct {
        struct risk_facts with; /* what differs from a calm statement; 0: nothing */
        bool without_limit;
        unsigned flags;
    } rows[] = {
        {.without_limit = true, .flags = RISK_MISSING_LIMIT},
        {.with = {.limit = 1}, .flags = 0},
        {.with = {.limit = 50}, .flags = 0}, /* half of the maximum */
        {.with = {.limit = 51}, .flags = RISK_LARGE_LIMIT},
        {.with = {.limit = 100}, .flags = RISK_LARGE_LIMIT},
        {.with = {.limit = INT64_MAX}, .flags = RISK_LARGE_LIMIT},
        {.with = {.limit = 50, .max_limit = 101}, .flags = 0}, /* 50.5 */
        {.with = {.limit = 51, .max_limit = 101}, .flags = RISK_LARGE_LIMIT},
        {.with = {.limit = 1, .max_limit = 1}, .flags = RISK_LARGE_LIMIT},
        {.with = {.has_star = true}, .flags = RISK_SELECT_STAR},
        {.with = {.has_unfiltered_block = true}, .flags = RISK_MISSING_WHERE},
        {.with = {.has_unfiltered_partition = true}, .flags = RISK_MISSING_PARTITION_FILTER},
        {.with = {.has_cross_join = true}, .flags = RISK_CROSS_JOIN},
        {.with = {.join_tables = 2, .max_join_tables = 2}, .flags = 0}, /* two are ordinary */
        {.with = {.join_tables = 3, .max_join_tables = 6}, .flags = 0}, /* half of the maximum */
        {.with = {.join_tables = 3, .max_join_tables = 5}, .flags = RISK_HIGH_JOIN_COUNT},
        {.with = {.join_tables = 4, .max_join_tables = 6}, .flags = RISK_HIGH_JOIN_COUNT},
        {.with = {.has_star = true, .has_cross_join = true, .has_unfiltered_block = true},
         .flags = RISK_SELECT_STAR | RISK_CROSS_JOIN | RISK_MISSING_WHERE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct risk_facts f = rows[i].with;
        f.has_relation = true;
        f.has_limit = !rows[i].without_limit;
        if (f.limit == 0) f.limit = calm.limit;
        if (f.max_limit == 0) f.max_limit = calm.max_limit;
        if (f.join_tables == 0) f.join_tables = calm.join_tables;
        if (f.max_join_tables == 0) f.max_join_tables = calm.max_join_tables;
        if (risk_flags_of(&f) != rows[i].flags)
            fail_msg("row %zu: %#x, not %#x", i, risk_flags_of(&f), rows[i].flags);
        f.has_relation = false;
        assert_int_equal(risk_flags_of(&f), 0);
    }
}

/* -- flags to levels -------------------------------------------------------------------------- */

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

/* -- estimates -------------------------------------------------------------------------------- */

static void an_estimate_is_over_when_it_is_unknown(void **state) {
    (void)state;
    static const struct {
        int64_t bytes, max;
        unsigned flags;
    } rows[] = {
        {RISK_BYTES_UNKNOWN, 0, 0}, /* no limit is set */
        {INT64_MAX, 0, 0},
        {INT64_MAX, -1, 0},
        {RISK_BYTES_UNKNOWN, 10, RISK_SCAN_OVER_LIMIT},
        {RISK_BYTES_UNKNOWN, INT64_MAX, RISK_SCAN_OVER_LIMIT},
        {INT64_MIN, 10, RISK_SCAN_OVER_LIMIT},
        {0, 10, 0},
        {0, 1, 0},
        {5, 10, 0}, /* half of it */
        {6, 10, RISK_HIGH_SCAN},
        {5, 11, 0},
        {6, 11, RISK_HIGH_SCAN},
        {10, 10, RISK_HIGH_SCAN}, /* all of it */
        {1, 1, RISK_HIGH_SCAN},
        {11, 10, RISK_SCAN_OVER_LIMIT},
        {INT64_MAX, INT64_MAX, RISK_HIGH_SCAN},
    };
    static const unsigned before[] = {0, RISK_CROSS_JOIN, RISK_HIGH_SCAN, RISK_SCAN_OVER_LIMIT};
    const unsigned of_scans = RISK_HIGH_SCAN | RISK_SCAN_OVER_LIMIT;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(before); k++) {
            unsigned flags = risk_with_estimate(before[k], rows[i].bytes, rows[i].max);
            if (flags != ((before[k] & ~of_scans) | rows[i].flags))
                fail_msg("row %zu after %#x: %#x", i, before[k], flags);
        }
}

/* -- levels to gates -------------------------------------------------------------------------- */

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
                                       cmocka_unit_test(each_fact_raises_its_flag_at_its_border),
                                       cmocka_unit_test(every_flag_has_a_level_and_a_name),
                                       cmocka_unit_test(an_estimate_is_over_when_it_is_unknown),
                                       cmocka_unit_test(gates_are_reached_from_their_level_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
