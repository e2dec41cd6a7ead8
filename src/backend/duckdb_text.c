#include "backend/duckdb_text.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

static struct str print(char out[VALUE_TEXT_MAX], int len) {
    return (struct str){out, len < 0 ? 0 : (size_t)len};
}

static struct str infinite(bool is_negative) {
    return is_negative ? STR("-infinity") : STR("infinity");
}

struct str value_text_date(int32_t days, char out[VALUE_TEXT_MAX]) {
    if (days == INT32_MAX || days == -INT32_MAX) return infinite(days < 0);
    int year;
    unsigned month, day;
    clock_civil(days, &year, &month, &day);
    return print(out, snprintf(out, VALUE_TEXT_MAX, "%04d-%02u-%02u", year, month, day));
}

/* ".fff" of a second, with the fewest groups of three digits that are exact. Returns its length. */
static size_t put_fraction(int64_t fraction, int64_t per_second, char *out, size_t size) {
    if (fraction == 0) return 0;
    int digits = per_second == 1000 ? 3 : per_second == 1000000 ? 6 : 9;
    while (digits > 3 && fraction % 1000 == 0) {
        fraction /= 1000;
        digits -= 3;
    }
    int len = snprintf(out, size, ".%0*" PRId64, digits, fraction);
    return len < 0 ? 0 : (size_t)len;
}

static size_t put_time(int64_t ticks, int64_t per_second, char *out, size_t size) {
    int64_t seconds = ticks / per_second;
    int len = snprintf(out, size, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                       (int)(seconds % 60));
    size_t n = len < 0 ? 0 : (size_t)len;
    return n + put_fraction(ticks % per_second, per_second, out + n, size - n);
}

struct str value_text_timestamp(int64_t ticks, int64_t per_second, char out[VALUE_TEXT_MAX]) {
    if (ticks == INT64_MAX || ticks == -INT64_MAX) return infinite(ticks < 0);
    int64_t per_day = 86400 * per_second;
    int64_t days = ticks / per_day, rest = ticks % per_day;
    if (rest < 0) { /* before 1970: the day began earlier */
        rest += per_day;
        days--;
    }
    int year;
    unsigned month, day;
    clock_civil(days, &year, &month, &day);
    int len = snprintf(out, VALUE_TEXT_MAX, "%04d-%02u-%02u ", year, month, day);
    size_t n = len < 0 ? 0 : (size_t)len;
    return (struct str){out, n + put_time(rest, per_second, out + n, VALUE_TEXT_MAX - n)};
}

struct str value_text_time(int64_t micros, char out[VALUE_TEXT_MAX]) {
    return (struct str){out, put_time(micros, 1000000, out, VALUE_TEXT_MAX)};
}

struct str value_text_interval(duckdb_interval interval, char out[VALUE_TEXT_MAX]) {
    size_t n = 0;
    const struct {
        int32_t amount;
        const char *unit;
    } parts[] = {
        {interval.months / 12, "year"}, {interval.months % 12, "month"}, {interval.days, "day"}};
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].amount == 0) continue;
        bool is_one = parts[i].amount == 1 || parts[i].amount == -1;
        n += (size_t)snprintf(out + n, VALUE_TEXT_MAX - n, "%s%d %s%s", n > 0 ? " " : "",
                              parts[i].amount, parts[i].unit, is_one ? "" : "s");
    }
    if (interval.micros == 0 && n > 0) return (struct str){out, n};
    if (n > 0) out[n++] = ' ';
    bool is_negative = interval.micros < 0;
    if (is_negative) out[n++] = '-';
    uint64_t micros = is_negative ? 0 - (uint64_t)interval.micros : (uint64_t)interval.micros;
    if (micros > INT64_MAX) micros = INT64_MAX;
    return (struct str){out, n + put_time((int64_t)micros, 1000000, out + n, VALUE_TEXT_MAX - n)};
}

struct str value_text_uuid(duckdb_huge uuid, char out[VALUE_TEXT_MAX]) {
    /* The top bit is stored flipped, so that signed order is the order of the texts. */
    uint64_t high = (uint64_t)uuid.upper ^ (UINT64_C(1) << 63);
    return print(out, snprintf(out, VALUE_TEXT_MAX, "%08x-%04x-%04x-%04x-%012" PRIx64,
                               (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xFFFF),
                               (unsigned)(high & 0xFFFF), (unsigned)(uuid.lower >> 48),
                               uuid.lower & UINT64_C(0xFFFFFFFFFFFF)));
}

/* Digits from the back of `out`; at least `least` of them. Returns where they begin. */
static size_t put_digits(uint128 value, unsigned least, char out[VALUE_TEXT_MAX]) {
    size_t at = VALUE_TEXT_MAX;
    for (unsigned n = 0; value > 0 || n < least; n++) {
        out[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    }
    return at;
}

struct str value_text_unsigned(uint128 value, char out[VALUE_TEXT_MAX]) {
    size_t at = put_digits(value, 1, out);
    return (struct str){out + at, VALUE_TEXT_MAX - at};
}

struct str value_text_decimal(int128 value, unsigned scale, char out[VALUE_TEXT_MAX]) {
    bool is_negative = value < 0;
    uint128 whole = is_negative ? 0 - (uint128)value : (uint128)value;
    size_t at = put_digits(whole, scale + 1, out);
    if (scale > 0) { /* the whole part moves one to the front, to make room for the point */
        size_t whole_len = VALUE_TEXT_MAX - scale - at;
        memmove(out + at - 1, out + at, whole_len);
        at--;
        out[at + whole_len] = '.';
    }
    if (is_negative) out[--at] = '-';
    return (struct str){out + at, VALUE_TEXT_MAX - at};
}
