/* Functions of numbers with rules of their own. */
#include "sql/dialect_postgres_inner.h"

/* NULL is the smallest value. */
static void put_least(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    for (size_t i = 0; i < args->n; i++)
        dialect_wrap(p, i == 0 ? "CASE WHEN " : " AND ", dialect_put_plain, args->at[i],
                     " IS NOT NULL");
    dialect_put_extreme(p, expr, " THEN least(", ") END", 0);
}

/* -- numbers ---------------------------------------------------------------------------------- */

/* By way of its shortest decimal text, as people read it, and ties away from zero; round(BIGINT) is
 * a DOUBLE too, and DECIMAL stays. */
static void put_round_as(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    int64_t digits = 0;
    bool is_decimal = dialect_kind(p, args->at[0]) == SQL_TYPE_DECIMAL;
    if (args->n > 1 && (!dialect_constant_int(args->at[1], &digits) || digits < -30 || digits > 30))
        dialect_refuse(p, expr->span, "%s to a number of digits that is no constant", name);
    if (!is_decimal) sql_put(p, STR("CAST("));
    sql_putf(p, "%s(", name);
    if (is_decimal)
        sql_put_expr(p, args->at[0]);
    else
        dialect_wrap(p, "CAST(CAST(", dialect_put_double, args->at[0], " AS text) AS numeric)");
    sql_putf(p, ", %d)", (int)digits);
    if (!is_decimal) sql_put(p, STR(" AS float8)"));
}

static void put_round(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "round");
}

static void put_trunc(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "trunc");
}

/* Of an integer itself: a double would lose digits. */
static void put_whole(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_expr *of = args_of(expr)->at[0];
    sql_put(p, STR("CAST("));
    if (sql_type_is_integer(dialect_kind(p, of)))
        dialect_put_bigint(p, of);
    else
        dialect_wrap(p, name, dialect_put_number, of, ")");
    sql_put(p, STR(" AS bigint)"));
}

static void put_ceil(printer *p, const struct sql_expr *expr) {
    put_whole(p, expr, "ceil(");
}

static void put_floor(printer *p, const struct sql_expr *expr) {
    put_whole(p, expr, "floor(");
}

static void put_mod(printer *p, const struct sql_expr *expr) {
    sql_put_byte(p, '(');
    pg_put_remainder(p, args_of(expr)->at[0], args_of(expr)->at[1]);
    sql_put_byte(p, ')');
}

/* NULL for what has no logarithm. */
static void put_log(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n == 1) dialect_refuse(p, expr->span, "log without a base");
    dialect_put_pieces(p, args_of(expr),
                       STR("CASE WHEN ${1!double} > 0 AND ${2!double} > 0 "
                           "THEN ln(${2!double}) / nullif(ln(${1!double}), 0) END"));
}

const struct dialect_hook pg_plain_hooks[] = {
    {"log", put_log},   {"least", put_least}, {"round", put_round}, {"trunc", put_trunc},
    {"ceil", put_ceil}, {"floor", put_floor}, {"mod", put_mod},     {NULL, NULL},
};
