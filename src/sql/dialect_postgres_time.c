/* Dates and times. A DATETIME is a timestamp in the session's zone here, without a zone of its own;
 * units must be constants, as MaxCompute demands. */
#include "sql/dialect_postgres_inner.h"

static const struct sql_exprs *args_of(const struct sql_expr *expr) {
    return &expr->call.args;
}

/* -- units ------------------------------------------------------------------------------------ */

enum unit_kind { UNIT_MONTHS, UNIT_DAYS, UNIT_SECONDS };

struct unit {
    const char *words; /* with blanks around each */
    const char *name;  /* of date_trunc and extract */
    const char *move;  /* argument of make_interval, which takes `times` of it */
    int times;
    enum unit_kind kind;
    int size; /* in months, days or milliseconds */
};

static const struct unit units[] = {
    {" yyyy year ", "year", "years", 1, UNIT_MONTHS, 12},
    {" quarter q ", "quarter", "months", 3, UNIT_MONTHS, 3},
    {" mm month mon ", "month", "months", 1, UNIT_MONTHS, 1},
    {" dd day ", "day", "days", 1, UNIT_DAYS, 1},
    {" hh hour ", "hour", "hours", 1, UNIT_SECONDS, 3600000},
    {" mi minute ", "minute", "mins", 1, UNIT_SECONDS, 60000},
    {" ss second ", "second", "secs", 1, UNIT_SECONDS, 1000},
    {" ff3 ", "milliseconds", "secs", 1, UNIT_SECONDS, 1},
};

static bool has_word(const char *words, struct str word) {
    for (const char *at = words; *at != '\0'; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (str_ieq((struct str){at, strcspn(at, " ")}, word)) return word.len > 0;
    }
    return false;
}

static const struct unit *unit_of(struct str word) {
    for (size_t i = 0; i < COUNT(units); i++)
        if (has_word(units[i].words, word)) return &units[i];
    return NULL;
}

/* NULL: refused. */
static const struct unit *find_unit(printer *p, const struct sql_expr *expr) {
    struct str word;
    const struct unit *unit = pg_constant_text(expr, &word) ? unit_of(word) : NULL;
    if (unit == NULL) pg_refuse(p, expr->span, "this unit of time");
    return unit;
}

static bool keeps_date(const printer *p, const struct unit *unit, const struct sql_expr *of) {
    return unit->kind != UNIT_SECONDS && pg_kind(p, of) == SQL_TYPE_DATE;
}

/* As the interval of so many units. */
static void put_amount(printer *p, const struct unit *unit, const struct sql_expr *n) {
    sql_putf(p, "make_interval(%s => ", unit->move);
    if (strcmp(unit->move, "secs") != 0) {
        if (unit->times != 1) sql_putf(p, "%d * ", unit->times);
        pg_put_integer(p, n);
    } else {
        pg_wrap(p, "CAST(", pg_put_bigint, n, " AS float8)");
        if (unit->size == 1) sql_put(p, STR(" / 1000"));
    }
    sql_put_byte(p, ')');
}

/* Months are added by clipping to the last day, as here. */
static void put_dateadd(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct unit *unit = find_unit(p, args->at[2]);
    if (unit == NULL) return;
    bool is_date = keeps_date(p, unit, args->at[0]);
    pg_wrap(p, is_date ? "CAST(" : "(", pg_put_time, args->at[0], " + ");
    put_amount(p, unit, args->at[1]);
    sql_put(p, is_date ? STR(" AS date)") : STR(")"));
}

/* Years and months since the beginning. */
static void put_months(printer *p, const struct sql_expr *of) {
    pg_wrap(p, "(extract(year FROM ", pg_put_time, of, ") * 12 + extract(month FROM ");
    pg_wrap(p, "", pg_put_time, of, ") - 1)");
}

/* Boundaries of the unit between the two, the later first; days when no unit is told. */
static void put_datediff(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct unit *unit = args->n > 2 ? find_unit(p, args->at[2]) : &units[3];
    if (unit == NULL) return;
    switch (unit->kind) {
    case UNIT_DAYS:
        pg_wrap(p, "CAST(", pg_put_date, args->at[0], " - ");
        pg_wrap(p, "", pg_put_date, args->at[1], " AS bigint)");
        return;
    case UNIT_MONTHS:
        pg_wrap(p, "CAST(floor(", put_months, args->at[0], "");
        sql_putf(p, " / %d) - floor(", unit->size);
        pg_wrap(p, "", put_months, args->at[1], "");
        sql_putf(p, " / %d) AS bigint)", unit->size);
        return;
    case UNIT_SECONDS:
        sql_putf(p, "CAST(extract(epoch FROM date_trunc('%s', ", unit->name);
        pg_wrap(p, "", pg_put_time, args->at[0], "");
        sql_putf(p, ") - date_trunc('%s', ", unit->name);
        pg_wrap(p, "", pg_put_time, args->at[1], "");
        sql_putf(p, ")) * 1000 / %d AS bigint)", unit->size);
        return;
    }
}

static void put_part(printer *p, const struct unit *unit, const struct sql_expr *of) {
    sql_putf(p, "CAST(floor(extract(%s FROM ", unit->name);
    pg_put_time(p, of);
    sql_put(p, unit->size == 1 && unit->kind == UNIT_SECONDS ? STR(")) % 1000 AS bigint)")
                                                             : STR(")) AS bigint)"));
}

static void put_datepart(printer *p, const struct sql_expr *expr) {
    const struct unit *unit = find_unit(p, args_of(expr)->at[1]);
    if (unit != NULL) put_part(p, unit, args_of(expr)->at[0]);
}

static void put_datetrunc(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct unit *unit = find_unit(p, args->at[1]);
    if (unit == NULL) return;
    bool is_date = keeps_date(p, unit, args->at[0]);
    sql_putf(p, "%sdate_trunc('%s', ", is_date ? "CAST(" : "", unit->name);
    pg_put_time(p, args->at[0]);
    sql_put(p, is_date ? STR(") AS date)") : STR(")"));
}

bool pg_put_extract(printer *p, const struct sql_expr *expr) {
    const char *name = sql_unit_name(expr->extract.unit);
    const struct unit *unit = name != NULL ? unit_of(str_of(name)) : NULL;
    if (unit != NULL)
        put_part(p, unit, expr->extract.from);
    else
        pg_refuse(p, expr->span, "EXTRACT(%s)", name != NULL ? name : "nothing");
    return true;
}

/* -- INTERVAL --------------------------------------------------------------------------------- */

bool pg_put_interval(printer *p, const struct sql_expr *expr) {
    const struct sql_interval *interval = &expr->interval;
    const char *name = sql_unit_name(interval->from);
    const struct unit *unit = name != NULL ? unit_of(str_of(name)) : NULL;
    struct str text;
    int64_t amount = 0;
    bool is_known = pg_constant_text(interval->value, &text)
                        ? str_to_i64(text, &amount)
                        : pg_constant_int(interval->value, &amount);
    if (unit == NULL || interval->to != SQL_UNIT_NONE || !is_known || amount > 1000000 ||
        amount < -1000000)
        pg_refuse(p, expr->span, "this interval");
    else
        sql_putf(p, "make_interval(%s => %d)", unit->move, (int)amount * unit->times);
    return true;
}

/* -- texts ------------------------------------------------------------------------------------ */

/* to_char(x) is CAST(x AS STRING). */
static void put_to_char(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1) {
        pg_put_text(p, args->at[0]);
        return;
    }
    pg_wrap(p, "to_char(", pg_put_time, args->at[0], ",");
    pg_put_format(p, args->at[1], PG_FORMAT_ORACLE);
    sql_put_byte(p, ')');
}

static void put_date_format(printer *p, const struct sql_expr *expr) {
    pg_wrap(p, "to_char(", pg_put_time, args_of(expr)->at[0], ",");
    pg_put_format(p, args_of(expr)->at[1], PG_FORMAT_JAVA);
    sql_put_byte(p, ')');
}

static void put_to_date(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1)
        pg_put_date(p, args->at[0]);
    else if (!sql_type_is_text(pg_kind(p, args->at[0])) && !pg_is_null(args->at[0]))
        pg_refuse(p, expr->span, "to_date of what is no text");
    else
        pg_put_parsed(p, args->at[0], args->at[1]);
}

/* -- seconds ---------------------------------------------------------------------------------- */

static void put_from_unixtime(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 1) pg_refuse(p, expr->span, "from_unixtime with a format");
    pg_wrap(p, "CAST(to_timestamp(", pg_put_bigint, args_of(expr)->at[0], ") AS timestamp)");
}

static void put_unix_timestamp(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n > 1) pg_refuse(p, expr->span, "unix_timestamp with a format");
    sql_put(p, STR("CAST(floor(extract(epoch FROM CAST("));
    if (args->n == 0)
        sql_put(p, STR("localtimestamp"));
    else
        pg_put_time(p, args->at[0]);
    sql_put(p, STR(" AS timestamptz))) AS bigint)"));
}

pg_put pg_find_time(struct str name) {
    static const struct {
        const char *name;
        pg_put put;
    } hooks[] = {
        {"dateadd", put_dateadd},
        {"datediff", put_datediff},
        {"datepart", put_datepart},
        {"datetrunc", put_datetrunc},
        {"to_char", put_to_char},
        {"date_format", put_date_format},
        {"to_date", put_to_date},
        {"from_unixtime", put_from_unixtime},
        {"unix_timestamp", put_unix_timestamp},
    };
    for (size_t i = 0; i < COUNT(hooks); i++)
        if (str_eq(str_of(hooks[i].name), name)) return hooks[i].put;
    return NULL;
}
