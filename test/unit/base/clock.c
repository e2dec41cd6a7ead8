#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void a_scripted_clock_stands_still(void **state) {
    (void)state;
    struct clock clock;
    clock_scripted(&clock, 1893456000123);
    assert_true(clock_wall_ms(&clock) == 1893456000123);
    int64_t before = clock_mono_ns(&clock);
    assert_true(clock_mono_ns(&clock) == before);
    clock_move(&clock, 1500);
    assert_true(clock_wall_ms(&clock) == 1893456001623);
    assert_true(clock_mono_ns(&clock) - before == INT64_C(1500000000));
}

static void the_real_clock_reads_the_kernel(void **state) {
    (void)state;
    int64_t now = clock_wall_ms(&clock_real);
    assert_true(now > 1700000000000);  /* 2023; milliseconds, not seconds */
    assert_true(now < 32503680000000); /* the year 3000 */
    int64_t a = clock_mono_ns(&clock_real), b = clock_mono_ns(&clock_real);
    assert_true(b >= a);
}

static void iso_texts(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *with, *without;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"},
        {INT64_C(1795166100123), "2026-11-20T09:15:00.123Z", "2026-11-20T09:15:00Z"},
        {INT64_C(951827696789), "2000-02-29T12:34:56.789Z", "2000-02-29T12:34:56Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z"},
        {INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00Z"},
    };
    char out[CLOCK_ISO_MAX];
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(str_eq(clock_iso(rows[i].ms, true, out), str_of(rows[i].with)));
        assert_string_equal(out, rows[i].with);
        assert_true(str_eq(clock_iso(rows[i].ms, false, out), str_of(rows[i].without)));
    }
    assert_true(clock_iso(INT64_MAX, true, out).len < CLOCK_ISO_MAX);
    assert_true(clock_iso(INT64_MIN, true, out).len < CLOCK_ISO_MAX);
}

/* Every day of 800 years, against the calendar's own rule. */
static void civil_dates_follow_one_another(void **state) {
    (void)state;
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day_number = clock_days(1600, 1, 1);
    assert_true(day_number == -135140);
    for (int y = 1600; y < 2400; y++) {
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        for (unsigned m = 1; m <= 12; m++) {
            unsigned n = lengths[m - 1] + (m == 2 && leap);
            for (unsigned d = 1; d <= n; d++, day_number++) {
                int year;
                unsigned month, day;
                clock_civil(day_number, &year, &month, &day);
                assert_true(year == y && month == m && day == d);
                assert_true(clock_days(y, m, d) == day_number);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scripted_clock_stands_still),
        cmocka_unit_test(the_real_clock_reads_the_kernel),
        cmocka_unit_test(iso_texts),
        cmocka_unit_test(civil_dates_follow_one_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
