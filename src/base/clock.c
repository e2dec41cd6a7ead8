#include "base/clock.h"

#include <stdio.h>
#include <time.h>

enum { MS_PER_S = 1000, S_PER_DAY = 86400, NS_PER_MS = 1000000 };

const struct clock clock_real = {NULL, NULL, 0};

static int64_t scripted_wall_ms(const struct clock *clock) {
    return clock->scripted_ms;
}

static int64_t scripted_mono_ns(const struct clock *clock) {
    return clock->scripted_ms * NS_PER_MS;
}

void clock_scripted(struct clock *clock, int64_t wall_ms) {
    clock->wall_ms = scripted_wall_ms;
    clock->mono_ns = scripted_mono_ns;
    clock->scripted_ms = wall_ms;
}

void clock_move(struct clock *clock, int64_t by_ms) {
    clock->scripted_ms += by_ms;
}

int64_t clock_wall_ms(const struct clock *clock) {
    if (clock->wall_ms != NULL) return clock->wall_ms(clock);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

int64_t clock_mono_ns(const struct clock *clock) {
    if (clock->mono_ns != NULL) return clock->mono_ns(clock);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S * NS_PER_MS + now.tv_nsec;
}

/* Quotient and remainder towards minus infinity, so that times before 1970 come out right. */
static int64_t floor_div(int64_t a, int64_t b, int64_t *rest) {
    int64_t q = a / b;
    *rest = a % b;
    if (*rest < 0) {
        *rest += b;
        q--;
    }
    return q;
}

/* By hand: each record and each answer has a time, and printf takes 4,000 instructions for it. */
static char *put_digits(char *at, unsigned width, unsigned value) {
    for (unsigned i = width; i > 0; i--, value /= 10) at[i - 1] = (char)('0' + value % 10);
    return at + width;
}

static char *put_pair(char *at, char before, unsigned value) {
    *at = before;
    return put_digits(at + 1, 2, value);
}

/* Years beyond four digits do not occur in what we write; they are shown by their last four. */
struct str clock_iso(int64_t wall_ms, bool fraction, char out[CLOCK_ISO_MAX]) {
    int64_t ms, second;
    int64_t days = floor_div(floor_div(wall_ms, MS_PER_S, &ms), S_PER_DAY, &second);
    int year;
    unsigned month, day;
    clock_civil(days, &year, &month, &day);
    char *at = put_digits(out, 4, (unsigned)year % 10000);
    at = put_pair(at, '-', month);
    at = put_pair(at, '-', day);
    at = put_pair(at, 'T', (unsigned)(second / 3600));
    at = put_pair(at, ':', (unsigned)(second / 60 % 60));
    at = put_pair(at, ':', (unsigned)(second % 60));
    if (fraction) {
        *at++ = '.';
        at = put_digits(at, 3, (unsigned)ms);
    }
    *at++ = 'Z';
    *at = '\0';
    return (struct str){out, (size_t)(at - out)};
}

/* Both count in eras of 400 years that begin in March, so that the leap day ends a year. */
enum { DAYS_PER_ERA = 146097, DAYS_0000_TO_1970 = 719468 };

void clock_civil(int64_t days, int *year, unsigned *month, unsigned *day) {
    int64_t in_era;
    int64_t era = floor_div(days + DAYS_0000_TO_1970, DAYS_PER_ERA, &in_era);
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    int64_t from_march = (5 * in_year + 2) / 153;
    *day = (unsigned)(in_year - (153 * from_march + 2) / 5 + 1);
    *month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

int64_t clock_days(int year, unsigned month, unsigned day) {
    int64_t of_era;
    int64_t era = floor_div((int64_t)year - (month <= 2), 400, &of_era);
    int64_t from_march = month > 2 ? (int64_t)month - 3 : (int64_t)month + 9;
    int64_t in_year = (153 * from_march + 2) / 5 + (int64_t)day - 1;
    int64_t in_era = of_era * 365 + of_era / 4 - of_era / 100 + in_year;
    return era * DAYS_PER_ERA + in_era - DAYS_0000_TO_1970;
}
