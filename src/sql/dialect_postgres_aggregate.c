/* Aggregates that have rules of their own. */
#include "sql/dialect_postgres_inner.h"

/* Of decimals a decimal, as in a division. */
static void put_avg(printer *p, const struct sql_expr *expr) {
    bool is_decimal = dialect_kind(p, args_of(expr)->at[0]) == SQL_TYPE_DECIMAL;
    if (is_decimal) sql_put(p, STR("CAST("));
    dialect_open(p, expr, "avg");
    if (is_decimal)
        sql_put_expr(p, args_of(expr)->at[0]);
    else
        dialect_put_double(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
    if (is_decimal) sql_put(p, STR(" AS numeric(38,12))"));
}

/* Between the two values around the place, which an ordered set has and a window has not. */
static void put_quantile(printer *p, const struct sql_expr *expr, const struct sql_expr *at) {
    if (expr->call.over != NULL || expr->call.distinct)
        dialect_refuse(p, expr->span, "a percentile as a window function or of DISTINCT values");
    sql_put(p, STR("percentile_cont("));
    if (at != NULL)
        dialect_put_double(p, at);
    else
        sql_put(p, STR("0.5"));
    dialect_wrap(p, ") WITHIN GROUP (ORDER BY ", dialect_put_double, args_of(expr)->at[0], "");
    dialect_close(p, expr, false);
}

static void put_median(printer *p, const struct sql_expr *expr) {
    put_quantile(p, expr, NULL);
}

/* An exact answer is an approximate one as well, and every engine gives the same. */
static void put_percentile(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *at = args_of(expr)->at[1];
    if (at->kind != SQL_LITERAL || !sql_type_is_number(dialect_kind(p, at)))
        dialect_refuse(p, at->span, "a percentile that is no constant");
    put_quantile(p, expr, at);
}

/* Booleans have none here. */
static void put_extreme(printer *p, const struct sql_expr *expr, const char *name,
                        const char *of_boolean) {
    const struct sql_expr *of = args_of(expr)->at[0];
    enum sql_type_kind kind = dialect_kind(p, of);
    if (kind >= SQL_TYPE_JSON)
        dialect_refuse(p, expr->span, "%s of a value of type %s", name, sql_type_name(kind));
    dialect_open(p, expr, kind == SQL_TYPE_BOOLEAN ? of_boolean : name);
    dialect_put_sorted(p, of);
    dialect_close(p, expr, false);
}

static void put_min(printer *p, const struct sql_expr *expr) {
    put_extreme(p, expr, "min", "bool_and");
}

static void put_max(printer *p, const struct sql_expr *expr) {
    put_extreme(p, expr, "max", "bool_or");
}

/* The value beside the least or the greatest key; rows without a key do not count. */
static void put_by(printer *p, const struct sql_expr *expr, const char *direction) {
    const struct sql_exprs *args = args_of(expr);
    if (expr->call.over != NULL || expr->call.distinct || expr->call.filter != NULL)
        dialect_refuse(p, expr->span, "this function with OVER, DISTINCT or FILTER");
    if (dialect_kind(p, args->at[0]) == SQL_TYPE_ARRAY)
        dialect_refuse(p, expr->span, "the array beside an extreme");
    dialect_wrap(p, "(array_agg(", sql_put_expr, args->at[0], " ORDER BY ");
    dialect_put_sorted(p, args->at[1]);
    sql_put(p, str_of(direction));
    dialect_wrap(p, ") FILTER (WHERE ", sql_put_operand, args->at[1], " IS NOT NULL))[1]");
}

static void put_max_by(printer *p, const struct sql_expr *expr) {
    put_by(p, expr, " DESC");
}

static void put_min_by(printer *p, const struct sql_expr *expr) {
    put_by(p, expr, "");
}

const struct dialect_hook pg_aggregate_hooks[] = {
    {"avg", put_avg}, {"median", put_median}, {"percentile", put_percentile}, {"min", put_min},
    {"max", put_max}, {"max_by", put_max_by}, {"min_by", put_min_by},         {NULL, NULL},
};
