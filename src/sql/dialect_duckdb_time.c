/* Times, as DuckDB says them. */
#include "sql/dialect_duckdb_inner.h"

/* -- units ------------------------------------------------------------------------------------ */

static const struct {
    const char *name; /* of date_trunc and date_diff */
    const char *move; /* makes an interval of a number */
    const char *part; /* function that gives the part */
} units[UNITS] = {
    [UNIT_YEAR] = {"year", "to_years", "year"},
    [UNIT_QUARTER] = {"quarter", "weir_to_quarters", "quarter"},
    [UNIT_MONTH] = {"month", "to_months", "month"},
    [UNIT_WEEK] = {"week", "to_weeks", NULL},
    [UNIT_DAY] = {"day", "to_days", "day"},
    [UNIT_HOUR] = {"hour", "to_hours", "hour"},
    [UNIT_MINUTE] = {"minute", "to_minutes", "minute"},
    [UNIT_SECOND] = {"second", "to_seconds", "second"},
    [UNIT_MILLISECOND] = {"millisecond", "to_milliseconds", "weir_millisecond"},
};

/* Days and more are counted by an INTEGER. */
void duck_put_amount(printer *p, enum dialect_unit unit, const struct sql_expr *n) {
    bool is_int = dialect_is_of_days(unit);
    sql_put(p, str_of(units[unit].move));
    dialect_wrap(p, is_int ? "(CAST(" : "(", dialect_put_bigint, n, is_int ? " AS INTEGER))" : ")");
}

void duck_put_difference(printer *p, enum dialect_unit unit, const struct sql_expr *later,
                         const struct sql_expr *earlier) {
    sql_putf(p, "date_diff('%s', ", units[unit].name);
    dialect_wrap(p, "", dialect_put_time, earlier, ", ");
    dialect_wrap(p, "", dialect_put_time, later, ")");
}

void duck_put_part(printer *p, enum dialect_unit unit, const struct sql_expr *of) {
    sql_put(p, str_of(units[unit].part));
    dialect_wrap(p, "(", dialect_put_time, of, ")");
}

void duck_put_truncated(printer *p, enum dialect_unit unit, const struct sql_expr *of) {
    bool is_date = dialect_keeps_date(p, unit, of);
    sql_putf(p, "CAST(date_trunc('%s', ", units[unit].name);
    dialect_wrap(p, "", dialect_put_time, of, is_date ? ") AS DATE)" : ") AS TIMESTAMP)");
}

/* -- INTERVAL --------------------------------------------------------------------------------- */

static bool text_of_value(const struct sql_expr *expr, struct str *out) {
    if (expr->kind != SQL_LITERAL) return false;
    *out = expr->literal.text;
    return expr->literal.kind == SQL_STRING || expr->literal.kind == SQL_INTEGER;
}

/* '1-2' YEAR TO MONTH */
static bool put_year_to_month(printer *p, const struct sql_interval *interval) {
    struct str rest;
    int64_t years, months;
    if (interval->from != SQL_UNIT_YEAR || interval->to != SQL_UNIT_MONTH ||
        !text_of_value(interval->value, &rest))
        return false;
    bool is_negative = rest.len > 0 && rest.ptr[0] == '-';
    if (is_negative) rest = str_slice(rest, 1, rest.len);
    struct str first = str_cut(&rest, '-');
    if (!str_to_i64(first, &years) || !str_to_i64(rest, &months) || years < 0 || years > 9999 ||
        months < 0 || months > 11)
        return false;
    sql_putf(p, "to_months(%s%d)", is_negative ? "-" : "", (int)(years * 12 + months));
    return true;
}

/* Takes digits and the mark behind them off the front; the last has no mark. */
static bool take_number(struct str *rest, char mark, int64_t most, int64_t *out) {
    struct str digits = mark != '\0' ? str_cut(rest, mark) : *rest;
    if (mark == '\0') *rest = STR_NONE;
    return digits.len > 0 && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
           str_to_i64(digits, out) && *out <= most;
}

/* '1 02:03:04' DAY TO SECOND, '02:03' HOUR TO MINUTE and what lies between. */
static bool put_day_to_second(printer *p, const struct sql_interval *interval) {
    static const struct {
        enum sql_unit unit;
        char mark;
        int64_t seconds, most;
    } parts[] = {
        {SQL_UNIT_DAY, ' ', 86400, 999999},
        {SQL_UNIT_HOUR, ':', 3600, 23},
        {SQL_UNIT_MINUTE, ':', 60, 59},
        {SQL_UNIT_SECOND, '\0', 1, 59},
    };
    struct str rest;
    int64_t total = 0, n = 0;
    size_t i = 0, taken = 0;
    if (!text_of_value(interval->value, &rest)) return false;
    bool is_negative = rest.len > 0 && rest.ptr[0] == '-';
    if (is_negative) rest = str_slice(rest, 1, rest.len);
    while (i < COUNT(parts) && parts[i].unit != interval->from) i++;
    for (; i < COUNT(parts); i++, taken++) {
        bool is_last = parts[i].unit == interval->to;
        int64_t most = taken == 0 ? 999999 : parts[i].most;
        if (!take_number(&rest, is_last ? '\0' : parts[i].mark, most, &n)) return false;
        total += n * parts[i].seconds;
        if (is_last) break;
    }
    if (i == COUNT(parts) || taken == 0) return false;
    sql_putf(p, "to_seconds(%s%lld)", is_negative ? "-" : "", (long long)total);
    return true;
}

bool duck_put_interval(printer *p, const struct sql_interval *interval,
                       const enum dialect_unit *unit) {
    struct str text;
    int64_t amount;
    if (put_year_to_month(p, interval)) return true;
    if (interval->to != SQL_UNIT_NONE) return put_day_to_second(p, interval);
    if (unit == NULL) return false;
    if (!text_of_value(interval->value, &text))
        duck_put_amount(p, *unit, interval->value);
    else if (str_to_i64(text, &amount))
        sql_putf(p, "%s(%lld)", units[*unit].move, (long long)amount);
    else
        return false;
    return true;
}

/* -- texts ------------------------------------------------------------------------------------ */

void duck_put_formatted(printer *p, const struct sql_exprs *args, enum dialect_format kind) {
    sql_put(p, STR("strftime("));
    dialect_put_time(p, args->at[0]);
    sql_put(p, STR(", "));
    duck_put_format(p, args->at[1], kind);
    sql_put_byte(p, ')');
}

/* A text of another shape fails: strptime() alone would take 1 digit for 2. */
static void put_parsed(printer *p, const struct sql_exprs *args, const char *macro) {
    sql_put(p, str_of(macro));
    dialect_put_text(p, args->at[0]);
    sql_put(p, STR(", "));
    if (duck_put_format_shape(p, args->at[1])) {
        sql_put(p, STR(", "));
        duck_put_format(p, args->at[1], FORMAT_ORACLE);
    }
    sql_put_byte(p, ')');
}

void duck_put_parsed(printer *p, const struct sql_expr *expr) {
    put_parsed(p, args_of(expr), "weir_to_date(");
}

static void put_isdate(printer *p, const struct sql_expr *expr) {
    put_parsed(p, args_of(expr), "weir_isdate(");
}

/* next_day(d, 'MO'): the days of the week by their first two letters. */
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
    sql_put(p, STR("weir_next_day("));
    dialect_put_date(p, args_of(expr)->at[0]);
    sql_putf(p, ", %d)", (int)found + 1);
}

const struct dialect_hook duck_time_hooks[] = {
    {"isdate", put_isdate},
    {"next_day", put_next_day},
    {NULL, NULL},
};
