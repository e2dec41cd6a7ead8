/* Dates and times, as far as both engines say them alike. A DATETIME is a TIMESTAMP in the
 * session's zone there, without a zone of its own; units must be constants, as MaxCompute demands.
 */
#include "sql/dialect_engine.h"

/* -- units ------------------------------------------------------------------------------------ */

static bool has_word(const char *words, struct str word) {
    for (const char *at = words; *at != '\0'; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (str_ieq((struct str){at, strcspn(at, " ")}, word)) return word.len > 0;
    }
    return false;
}

bool dialect_find_unit(struct str word, enum dialect_unit *out) {
    static const char *const words[UNITS] = {
        [UNIT_YEAR] = "yyyy year",   [UNIT_QUARTER] = "quarter q", [UNIT_MONTH] = "mm month mon",
        [UNIT_WEEK] = "week",        [UNIT_DAY] = "dd day",        [UNIT_HOUR] = "hh hour",
        [UNIT_MINUTE] = "mi minute", [UNIT_SECOND] = "ss second",  [UNIT_MILLISECOND] = "ff3",
    };
    for (size_t i = 0; i < UNITS; i++) {
        if (!has_word(words[i], word)) continue;
        *out = (enum dialect_unit)i;
        return true;
    }
    return false;
}

bool dialect_is_of_days(enum dialect_unit unit) {
    return unit <= UNIT_DAY;
}

/* False: refused. */
static bool take_unit(printer *p, const struct sql_expr *expr, enum dialect_unit *out) {
    struct str word;
    if (dialect_constant_text(expr, &word) && dialect_find_unit(word, out)) return true;
    dialect_refuse(p, expr->span, "this unit of time");
    return false;
}

/* Sources do not tell which week is the first. */
static bool take_counted(printer *p, const struct sql_expr *expr, enum dialect_unit *out) {
    if (!take_unit(p, expr, out)) return false;
    if (*out == UNIT_WEEK) dialect_refuse(p, expr->span, "weeks that are counted");
    return *out != UNIT_WEEK;
}

bool dialect_keeps_date(const printer *p, enum dialect_unit unit, const struct sql_expr *of) {
    return dialect_is_of_days(unit) && dialect_kind(p, of) == SQL_TYPE_DATE;
}

/* Months are added by clipping to the last day, as here. */
static void put_dateadd(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    enum dialect_unit unit;
    if (!take_unit(p, args->at[2], &unit)) return;
    bool is_date = dialect_keeps_date(p, unit, args->at[0]);
    dialect_wrap(p, is_date ? "CAST(" : "(", dialect_put_time, args->at[0], " + ");
    p->dialect->engine->amount(p, unit, args->at[1]);
    if (is_date) sql_put(p, STR(" AS "));
    if (is_date) dialect_put_type(p, &SQL_TYPE(DATE));
    sql_put_byte(p, ')');
}

/* Boundaries of the unit between the two, the later first; days when no unit is told. */
static void put_datediff(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    enum dialect_unit unit = UNIT_DAY;
    if (args->n > 2 && !take_counted(p, args->at[2], &unit)) return;
    p->dialect->engine->difference(p, unit, args->at[0], args->at[1]);
}

static void put_datepart(printer *p, const struct sql_expr *expr) {
    enum dialect_unit unit;
    if (take_counted(p, args_of(expr)->at[1], &unit))
        p->dialect->engine->part(p, unit, args_of(expr)->at[0]);
}

static void put_datetrunc(printer *p, const struct sql_expr *expr) {
    enum dialect_unit unit;
    if (take_unit(p, args_of(expr)->at[1], &unit))
        p->dialect->engine->truncate(p, unit, args_of(expr)->at[0]);
}

bool dialect_put_extract(printer *p, const struct sql_expr *expr) {
    const char *name = sql_unit_name(expr->extract.unit);
    enum dialect_unit unit;
    if (name != NULL && dialect_find_unit(str_of(name), &unit) && unit != UNIT_WEEK)
        p->dialect->engine->part(p, unit, expr->extract.from);
    else
        dialect_refuse(p, expr->span, "EXTRACT(%s)", name != NULL ? name : "nothing");
    return true;
}

bool dialect_put_interval(printer *p, const struct sql_expr *expr) {
    const struct sql_interval *interval = &expr->interval;
    const char *name = sql_unit_name(interval->from);
    enum dialect_unit unit;
    bool is_single =
        interval->to == SQL_UNIT_NONE && name != NULL && dialect_find_unit(str_of(name), &unit);
    if (!p->dialect->engine->interval(p, interval, is_single ? &unit : NULL))
        dialect_refuse(p, expr->span, "this interval");
    return true;
}

/* -- texts and seconds ------------------------------------------------------------------------ */

/* to_char(x) is CAST(x AS STRING). */
static void put_to_char(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n == 1)
        dialect_put_key_text(p, args_of(expr)->at[0]);
    else
        p->dialect->engine->format(p, args_of(expr), FORMAT_ORACLE);
}

static void put_date_format(printer *p, const struct sql_expr *expr) {
    p->dialect->engine->format(p, args_of(expr), FORMAT_JAVA);
}

static void put_to_date(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1)
        dialect_put_date(p, args->at[0]);
    else if (!sql_type_is_text(dialect_kind(p, args->at[0])) && !dialect_is_null(args->at[0]))
        dialect_refuse(p, expr->span, "to_date of what is no text");
    else
        p->dialect->engine->parse(p, expr);
}

static void put_from_unixtime(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n > 1) dialect_refuse(p, expr->span, "from_unixtime with a format");
    dialect_wrap(p, "CAST(to_timestamp(", dialect_put_bigint, args_of(expr)->at[0], ") AS ");
    dialect_put_type(p, &SQL_TYPE(DATETIME));
    sql_put_byte(p, ')');
}

static void put_unix_timestamp(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct dialect_engine *engine = p->dialect->engine;
    if (args->n > 1) dialect_refuse(p, expr->span, "unix_timestamp with a format");
    sql_put(p, str_of(engine->epoch[0]));
    if (args->n == 0)
        sql_put(p, str_of(engine->now));
    else
        dialect_put_time(p, args->at[0]);
    sql_put(p, str_of(engine->epoch[1]));
}

static void put_current_timezone(printer *p, const struct sql_expr *expr) {
    (void)expr;
    sql_put(p, STR("current_setting('TimeZone')"));
}

/* The zone is a constant name, which the engine knows or fails. */
static void put_zoned(printer *p, const struct sql_expr *expr, bool is_from) {
    struct str zone;
    bool is_good = dialect_constant_text(args_of(expr)->at[1], &zone) && zone.len > 0;
    for (size_t i = 0; i < zone.len; i++)
        is_good = is_good && (dialect_is_letter(zone.ptr[i]) || dialect_is_in(zone.ptr[i], "/_"));
    if (!is_good) dialect_refuse(p, expr->span, "a zone that is no constant name");
    dialect_wrap(p, "((", dialect_put_time, args_of(expr)->at[0], " AT TIME ZONE ");
    sql_put_string(p, is_from ? STR("UTC") : zone);
    sql_put(p, STR(") AT TIME ZONE "));
    sql_put_string(p, is_from ? zone : STR("UTC"));
    sql_put_byte(p, ')');
}

static void put_from_utc(printer *p, const struct sql_expr *expr) {
    put_zoned(p, expr, true);
}

static void put_to_utc(printer *p, const struct sql_expr *expr) {
    put_zoned(p, expr, false);
}

const struct dialect_hook dialect_time_hooks[] = {
    {"dateadd", put_dateadd},
    {"datediff", put_datediff},
    {"datepart", put_datepart},
    {"datetrunc", put_datetrunc},
    {"to_char", put_to_char},
    {"date_format", put_date_format},
    {"to_date", put_to_date},
    {"from_unixtime", put_from_unixtime},
    {"unix_timestamp", put_unix_timestamp},
    {"current_timezone", put_current_timezone},
    {"from_utc", put_from_utc},
    {"to_utc", put_to_utc},
    {NULL, NULL},
};
