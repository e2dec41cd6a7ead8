/* Dates and times. A DATETIME is a TIMESTAMP in the session's zone here, without a zone of its own;
 * units must be constants, as MaxCompute demands. */
#include "sql/dialect_duckdb_inner.h"

static const struct sql_exprs *args_of(const struct sql_expr *expr) {
    return &expr->call.args;
}

/* -- units ------------------------------------------------------------------------------------ */

struct unit {
    const char *words; /* with blanks around each */
    const char *name;  /* of date_trunc and date_diff */
    const char *move;  /* makes an interval of a number */
    const char *part;  /* function that gives the part */
    bool is_int;       /* `move` takes an INTEGER */
    bool is_day;       /* moves a DATE to a DATE */
};

static const struct unit units[] = {
    {" yyyy year ", "year", "to_years", "year", true, true},
    {" quarter q ", "quarter", "weir_to_quarters", "quarter", true, true},
    {" mm month mon ", "month", "to_months", "month", true, true},
    {" dd day ", "day", "to_days", "day", true, true},
    {" hh hour ", "hour", "to_hours", "hour", false, false},
    {" mi minute ", "minute", "to_minutes", "minute", false, false},
    {" ss second ", "second", "to_seconds", "second", false, false},
    {" ff3 ", "millisecond", "to_milliseconds", "weir_millisecond", false, false},
};

static bool has_word(const char *words, struct str word) {
    for (const char *at = words; *at != '\0'; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (str_ieq((struct str){at, strcspn(at, " ")}, word)) return word.len > 0;
    }
    return false;
}

/* NULL: refused. */
static const struct unit *find_unit(printer *p, const struct sql_expr *expr) {
    struct str word;
    if (duck_constant_text(expr, &word))
        for (size_t i = 0; i < COUNT(units); i++)
            if (has_word(units[i].words, word)) return &units[i];
    duck_refuse(p, expr->span, "this unit of time");
    return NULL;
}

static void put_amount(printer *p, const struct unit *unit, const struct sql_expr *amount) {
    sql_put(p, str_of(unit->move));
    sql_put(p, unit->is_int ? STR("(CAST(") : STR("("));
    duck_put_bigint(p, amount);
    sql_put(p, unit->is_int ? STR(" AS INTEGER))") : STR(")"));
}

/* Months are added by clipping to the last day, as here. */
static void put_dateadd(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct unit *unit = find_unit(p, args->at[2]);
    if (unit == NULL) return;
    bool is_date = unit->is_day && duck_kind(p, args->at[0]) == SQL_TYPE_DATE;
    sql_put(p, is_date ? STR("CAST(") : STR("("));
    duck_put_time(p, args->at[0]);
    sql_put(p, STR(" + "));
    put_amount(p, unit, args->at[1]);
    sql_put(p, is_date ? STR(" AS DATE)") : STR(")"));
}

/* Boundaries of the unit between the two, the later first; days when no unit is told. */
static void put_datediff(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct unit *unit = args->n > 2 ? find_unit(p, args->at[2]) : &units[3];
    if (unit == NULL) return;
    sql_putf(p, "date_diff('%s', ", unit->name);
    duck_put_time(p, args->at[1]);
    sql_put(p, STR(", "));
    duck_put_time(p, args->at[0]);
    sql_put_byte(p, ')');
}

static void put_part(printer *p, const struct unit *unit, const struct sql_expr *of) {
    sql_putf(p, "%s(", unit->part);
    duck_put_time(p, of);
    sql_put_byte(p, ')');
}

static void put_datepart(printer *p, const struct sql_expr *expr) {
    const struct unit *unit = find_unit(p, args_of(expr)->at[1]);
    if (unit != NULL) put_part(p, unit, args_of(expr)->at[0]);
}

static void put_datetrunc(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct unit *unit = find_unit(p, args->at[1]);
    if (unit == NULL) return;
    bool is_date = unit->is_day && duck_kind(p, args->at[0]) == SQL_TYPE_DATE;
    sql_putf(p, "CAST(date_trunc('%s', ", unit->name);
    duck_put_time(p, args->at[0]);
    sql_put(p, is_date ? STR(") AS DATE)") : STR(") AS TIMESTAMP)"));
}

bool duck_put_extract(printer *p, const struct sql_expr *expr) {
    const char *name = sql_unit_name(expr->extract.unit);
    for (size_t i = 0; i < COUNT(units) && name != NULL; i++)
        if (has_word(units[i].words, str_of(name))) {
            put_part(p, &units[i], expr->extract.from);
            return true;
        }
    duck_refuse(p, expr->span, "EXTRACT(%s)", name != NULL ? name : "nothing");
    return true;
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

bool duck_put_interval(printer *p, const struct sql_expr *expr) {
    const struct sql_interval *interval = &expr->interval;
    const char *name = sql_unit_name(interval->from);
    struct str text;
    int64_t amount;
    if (put_year_to_month(p, interval)) return true;
    for (size_t i = 0; i < COUNT(units) && name != NULL && interval->to == SQL_UNIT_NONE; i++) {
        if (!has_word(units[i].words, str_of(name))) continue;
        if (!text_of_value(interval->value, &text))
            put_amount(p, &units[i], interval->value);
        else if (str_to_i64(text, &amount))
            sql_putf(p, "%s(%lld)", units[i].move, (long long)amount);
        else
            break;
        return true;
    }
    duck_refuse(p, expr->span, "this interval");
    return true;
}

/* -- texts ------------------------------------------------------------------------------------ */

static void put_strftime(printer *p, const struct sql_exprs *args, enum duck_format kind) {
    sql_put(p, STR("strftime("));
    duck_put_time(p, args->at[0]);
    sql_put(p, STR(", "));
    duck_put_format(p, args->at[1], kind);
    sql_put_byte(p, ')');
}

/* to_char(x) is CAST(x AS STRING). */
static void put_to_char(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1)
        duck_put_text(p, args->at[0]);
    else
        put_strftime(p, args, DUCK_FORMAT_ORACLE);
}

static void put_date_format(printer *p, const struct sql_expr *expr) {
    put_strftime(p, args_of(expr), DUCK_FORMAT_JAVA);
}

/* A text of another shape fails: strptime() alone would take 1 digit for 2. */
static void put_parsed(printer *p, const struct sql_exprs *args, const char *macro) {
    sql_put(p, str_of(macro));
    duck_put_text(p, args->at[0]);
    sql_put(p, STR(", "));
    if (duck_put_format_shape(p, args->at[1])) {
        sql_put(p, STR(", "));
        duck_put_format(p, args->at[1], DUCK_FORMAT_ORACLE);
    }
    sql_put_byte(p, ')');
}

static void put_to_date(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1)
        duck_put_date(p, args->at[0]);
    else if (!sql_type_is_text(duck_kind(p, args->at[0])) && !duck_is_null(args->at[0]))
        duck_refuse(p, expr->span, "to_date of what is no text");
    else
        put_parsed(p, args, "weir_to_date(");
}

static void put_isdate(printer *p, const struct sql_expr *expr) {
    put_parsed(p, args_of(expr), "weir_isdate(");
}

/* -- seconds ---------------------------------------------------------------------------------- */

static void put_from_unixtime(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 1) duck_refuse(p, expr->span, "from_unixtime with a format");
    sql_put(p, STR("CAST(to_timestamp("));
    duck_put_bigint(p, args_of(expr)->at[0]);
    sql_put(p, STR(") AS TIMESTAMP)"));
}

static void put_unix_timestamp(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n > 1) duck_refuse(p, expr->span, "unix_timestamp with a format");
    sql_put(p, STR("CAST(floor(epoch(CAST("));
    if (args->n == 0)
        sql_put(p, STR("current_timestamp"));
    else
        duck_put_time(p, args->at[0]);
    sql_put(p, STR(" AS TIMESTAMPTZ))) AS BIGINT)"));
}

/* next_day(d, 'MO'): the days of the week by their first two letters. */
static void put_next_day(printer *p, const struct sql_expr *expr) {
    static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    struct str day;
    size_t found = COUNT(days);
    bool is_constant = duck_constant_text(args_of(expr)->at[1], &day) && day.len >= 2;
    for (size_t i = 0; i < COUNT(days) && is_constant; i++)
        if (str_istarts(str_of(days[i]), day)) found = i;
    if (found == COUNT(days)) {
        duck_refuse(p, expr->span, "this day of the week");
        return;
    }
    sql_put(p, STR("weir_next_day("));
    duck_put_date(p, args_of(expr)->at[0]);
    sql_putf(p, ", %d)", (int)found + 1);
}

static void put_current_timezone(printer *p, const struct sql_expr *expr) {
    (void)expr;
    sql_put(p, STR("current_setting('TimeZone')"));
}

duck_hook duck_find_time(struct str name) {
    static const struct {
        const char *name;
        duck_hook put;
    } hooks[] = {
        {"dateadd", put_dateadd},
        {"datediff", put_datediff},
        {"datepart", put_datepart},
        {"datetrunc", put_datetrunc},
        {"to_char", put_to_char},
        {"date_format", put_date_format},
        {"to_date", put_to_date},
        {"isdate", put_isdate},
        {"from_unixtime", put_from_unixtime},
        {"unix_timestamp", put_unix_timestamp},
        {"next_day", put_next_day},
        {"current_timezone", put_current_timezone},
    };
    for (size_t i = 0; i < COUNT(hooks); i++)
        if (str_eq(str_of(hooks[i].name), name)) return hooks[i].put;
    return NULL;
}
