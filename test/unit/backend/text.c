/* How DuckDB's numbers and times are shown, at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka has one of its own */

#include "backend/duckdb_text.h"

static void assert_text(struct str text, const char *expected) {
    char shown[VALUE_TEXT_MAX + 1];
    assert_true(text.len <= VALUE_TEXT_MAX);
    memcpy(shown, text.ptr, text.len);
    shown[text.len] = '\0';
    assert_string_equal(shown, expected);
}

static void test_decimals(void **state) {
    (void)state;
    char out[VALUE_TEXT_MAX];
    const int128 least = (int128)((uint128)1 << 127);
    assert_text(value_text_decimal(0, 0, out), "0");
    assert_text(value_text_decimal(0, 2, out), "0.00");
    assert_text(value_text_decimal(-5, 2, out), "-0.05");
    assert_text(value_text_decimal(5, 1, out), "0.5");
    assert_text(value_text_decimal(-1234, 2, out), "-12.34");
    assert_text(value_text_decimal(INT64_MIN, 0, out), "-9223372036854775808");
    assert_text(value_text_decimal(least, 0, out), "-170141183460469231731687303715884105728");
    assert_text(value_text_decimal(least, 38, out), "-1.70141183460469231731687303715884105728");
    assert_text(value_text_decimal(1, 38, out), "0.00000000000000000000000000000000000001");
    assert_text(value_text_unsigned(0, out), "0");
    assert_text(value_text_unsigned(~(uint128)0, out), "340282366920938463463374607431768211455");
}

static void test_dates(void **state) {
    (void)state;
    char out[VALUE_TEXT_MAX];
    assert_text(value_text_date(0, out), "1970-01-01");
    assert_text(value_text_date(-1, out), "1969-12-31");
    assert_text(value_text_date(-719162, out), "0001-01-01");
    assert_text(value_text_date(2932896, out), "9999-12-31");
    assert_text(value_text_date(INT32_MAX, out), "infinity");
    assert_text(value_text_date(-INT32_MAX, out), "-infinity");
    (void)value_text_date(INT32_MIN, out);
    (void)value_text_date(INT32_MAX - 1, out);
}

static void test_timestamps(void **state) {
    (void)state;
    char out[VALUE_TEXT_MAX];
    assert_text(value_text_timestamp(0, 1000000, out), "1970-01-01 00:00:00");
    assert_text(value_text_timestamp(-1, 1, out), "1969-12-31 23:59:59");
    assert_text(value_text_timestamp(-1, 1000, out), "1969-12-31 23:59:59.999");
    assert_text(value_text_timestamp(-1, 1000000, out), "1969-12-31 23:59:59.999999");
    assert_text(value_text_timestamp(-1, 1000000000, out), "1969-12-31 23:59:59.999999999");
    assert_text(value_text_timestamp(250000, 1000000, out), "1970-01-01 00:00:00.250");
    assert_text(value_text_timestamp(250000000, 1000000000, out), "1970-01-01 00:00:00.250");
    assert_text(value_text_timestamp(5, 1000, out), "1970-01-01 00:00:00.005");
    assert_text(value_text_timestamp(INT64_MAX, 1000000, out), "infinity");
    assert_text(value_text_timestamp(-INT64_MAX, 1000000, out), "-infinity");
    (void)value_text_timestamp(INT64_MIN, 1000000, out);
    (void)value_text_timestamp(INT64_MIN, 1000000000, out);
    (void)value_text_timestamp(INT64_MAX - 1, 1000, out);
}

static void test_the_rest(void **state) {
    (void)state;
    char out[VALUE_TEXT_MAX];
    assert_text(value_text_time(0, out), "00:00:00");
    assert_text(value_text_time(INT64_C(86400000000) - 1, out), "23:59:59.999999");
    assert_text(value_text_interval((duckdb_interval){0, 0, 0}, out), "00:00:00");
    assert_text(value_text_interval((duckdb_interval){-13, 1, -1000000}, out),
                "-1 year -1 month 1 day -00:00:01");
    assert_text(value_text_interval((duckdb_interval){24, 0, 0}, out), "2 years");
    (void)value_text_interval((duckdb_interval){INT32_MIN, INT32_MIN, INT64_MIN}, out);
    assert_text(value_text_uuid((duckdb_huge){0, INT64_MIN}, out),
                "00000000-0000-0000-0000-000000000000");
    assert_text(value_text_uuid((duckdb_huge){UINT64_MAX, INT64_MAX}, out),
                "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_timestamps), cmocka_unit_test(test_the_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
