/* Times, as PostgreSQL says them. */
#include "sql/dialect_postgres_inner.h"

/* -- units ------------------------------------------------------------------------------------ */

static const struct {
    const char *name; /* of date_trunc and extract */
    const char *move; /* argument of make_interval, which takes `times` of it */
    int times;
    int size; /* in months below a day, in milliseconds above */
} units[UNITS] = {
    [UNIT_YEAR] = {"year", "years", 1, 12},
    [UNIT_QUARTER] = {"quarter", "months", 3, 3},
    [UNIT_MONTH] = {"month", "months", 1, 1},
    [UNIT_WEEK] = {"week", "weeks", 1, 0},
    [UNIT_DAY] = {"day", "days", 1, 0},
    [UNIT_HOUR] = {"hour", "hours", 1, 3600000},
    [UNIT_MINUTE] = {"minute", "mins", 1, 60000},
    [UNIT_SECOND] = {"second", "secs", 1, 1000},
    [UNIT_MILLISECOND] = {"milliseconds", "secs", 1, 1},
};

void pg_put_amount(printer *p, enum dialect_unit unit, const struct sql_expr *n) {
    sql_putf(p, "make_interval(%s => ", units[unit].move);
    if (unit < UNIT_SECOND) {
        if (units[unit].times != 1) sql_putf(p, "%d * ", units[unit].times);
        pg_put_integer(p, n);
    } else {
        dialect_wrap(p, "CAST(", dialect_put_bigint, n, " AS float8)");
        if (unit == UNIT_MILLISECOND) sql_put(p, STR(" / 1000"));
    }
    sql_put_byte(p, ')');
}

/* Years and months since the beginning. */
static void put_months(printer *p, const struct sql_expr *of) {
    dialect_wrap(p, "(extract(year FROM ", dialect_put_time, of, ") * 12 + extract(month FROM ");
    dialect_wrap(p, "", dialect_put_time, of, ") - 1)");
}

static void put_months_between(printer *p, enum dialect_unit unit, const struct sql_expr *later,
                               const struct sql_expr *earlier) {
    dialect_wrap(p, "CAST(floor(", put_months, later, "");
    sql_putf(p, " / %d) - floor(", units[unit].size);
    put_months(p, earlier);
    sql_putf(p, " / %d) AS bigint)", units[unit].size);
}

static void put_cut_to(printer *p, enum dialect_unit unit, const struct sql_expr *of) {
    sql_putf(p, "date_trunc('%s', ", units[unit].name);
    dialect_put_time(p, of);
    sql_put_byte(p, ')');
}

void pg_put_difference(printer *p, enum dialect_unit unit, const struct sql_expr *later,
                       const struct sql_expr *earlier) {
    if (unit == UNIT_DAY) {
        dialect_wrap(p, "CAST(", dialect_put_date, later, " - ");
        dialect_wrap(p, "", dialect_put_date, earlier, " AS bigint)");
    } else if (dialect_is_of_days(unit)) {
        put_months_between(p, unit, later, earlier);
    } else {
        sql_put(p, STR("CAST(extract(epoch FROM "));
        put_cut_to(p, unit, later);
        sql_put(p, STR(" - "));
        put_cut_to(p, unit, earlier);
        sql_putf(p, ") * 1000 / %d AS bigint)", units[unit].size);
    }
}

void pg_put_part(printer *p, enum dialect_unit unit, const struct sql_expr *of) {
    sql_putf(p, "CAST(floor(extract(%s FROM ", units[unit].name);
    dialect_wrap(p, "", dialect_put_time, of,
                 unit == UNIT_MILLISECOND ? ")) % 1000 AS bigint)" : ")) AS bigint)");
}

void pg_put_truncated(printer *p, enum dialect_unit unit, const struct sql_expr *of) {
    bool is_date = dialect_keeps_date(p, unit, of);
    if (is_date) sql_put(p, STR("CAST("));
    put_cut_to(p, unit, of);
    if (is_date) sql_put(p, STR(" AS date)"));
}

/* '1-2' YEAR TO MONTH, '1 02:03:04' DAY TO SECOND: a number for each unit from the one to the
 * other. */
static bool put_compound(printer *p, const struct sql_interval *interval) {
    static const struct {
        enum sql_unit unit;
        char mark;
        unsigned most; /* of one that is not the first */
        const char *argument;
    } parts[] = {
        {SQL_UNIT_YEAR, '-', 0, "years"},   {SQL_UNIT_MONTH, '\0', 11, "months"},
        {SQL_UNIT_DAY, ' ', 0, "days"},     {SQL_UNIT_HOUR, ':', 23, "hours"},
        {SQL_UNIT_MINUTE, ':', 59, "mins"}, {SQL_UNIT_SECOND, '\0', 59, "secs"},
    };
    struct str rest;
    uint64_t n;
    size_t first = 0, last = 0;
    if (!dialect_constant_text(interval->value, &rest)) return false;
    bool is_negative = rest.len > 0 && rest.ptr[0] == '-';
    if (is_negative) rest = str_slice(rest, 1, rest.len);
    while (first < COUNT(parts) && parts[first].unit != interval->from) first++;
    while (last < COUNT(parts) && parts[last].unit != interval->to) last++;
    if (last == COUNT(parts) || first >= last || (first < 2) != (last < 2)) return false;
    sql_put(p, is_negative ? STR("-make_interval(") : STR("make_interval("));
    for (size_t i = first; i <= last; i++) {
        struct str number = i == last ? rest : str_cut(&rest, parts[i].mark);
        if (!str_to_u64(number, &n) || n > (i == first ? 1000000 : parts[i].most)) return false;
        sql_putf(p, "%s%s => %d", i == first ? "" : ", ", parts[i].argument, (int)n);
    }
    sql_put_byte(p, ')');
    return true;
}

bool pg_put_interval(printer *p, const struct sql_interval *interval,
                     const enum dialect_unit *unit) {
    struct str text;
    int64_t n = 0;
    bool is_text = dialect_constant_text(interval->value, &text);
    bool is_known = is_text ? str_to_i64(text, &n) : dialect_constant_int(interval->value, &n);
    if (unit == NULL) return put_compound(p, interval);
    if (is_text && !is_known) return false;
    if (!is_known)
        pg_put_amount(p, *unit, interval->value);
    else if (n <= 1000000 && n >= -1000000)
        sql_putf(p, "make_interval(%s => %d)", units[*unit].move, (int)n * units[*unit].times);
    else
        return false;
    return true;
}

/* -- texts ------------------------------------------------------------------------------------ */

void pg_put_formatted(printer *p, const struct sql_exprs *args, enum dialect_format kind) {
    dialect_wrap(p, "to_char(", dialect_put_time, args->at[0], ",");
    pg_put_format(p, args->at[1], kind);
    sql_put_byte(p, ')');
}

/* -- days of the week ------------------------------------------------------------------------- */

/* next_day(d, 'MO'): the first such day after d, by the first two letters or more of its name. */
static void put_next_day(printer *p, const struct sql_expr *expr) {
    static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    struct str day;
    size_t found = COUNT(days);
    bool is_constant = dialect_constant_text(args_of(expr)->at[1], &day) && day.len >= 2;
    for (size_t i = 0; i < COUNT(days) && is_constant; i++)
        if (str_istarts(str_of(days[i]), day)) found = i;
    if (found == COUNT(days)) {
        dialect_refuse(p, expr->span, "this day of the week");
        return;
    }
    dialect_put_pieces(p, args_of(expr), STR("to_char(${1!date} + ("));
    sql_putf(p, "%d", (int)found + 7);
    dialect_put_pieces(p, args_of(expr),
                       STR(" - CAST(extract(isodow FROM ${1!date}) AS integer)) % 7 + 1, "
                           "'YYYY-MM-DD')"));
}

const struct dialect_hook pg_time_hooks[] = {
    {"next_day", put_next_day},
    {NULL, NULL},
};
