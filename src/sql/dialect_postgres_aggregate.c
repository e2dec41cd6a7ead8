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
static void put_quantile(printer *p, const struct sql_expr *expr, const struct sql_expr *at,
                         dialect_put put) {
    if (expr->call.over != NULL || expr->call.distinct)
        dialect_refuse(p, expr->span, "a percentile as a window function or of DISTINCT values");
    sql_put(p, STR("percentile_cont("));
    if (at != NULL)
        put(p, at);
    else
        sql_put(p, STR("0.5"));
    dialect_wrap(p, ") WITHIN GROUP (ORDER BY ", dialect_put_double, args_of(expr)->at[0], "");
    dialect_close(p, expr, false);
}

static void put_median(printer *p, const struct sql_expr *expr) {
    put_quantile(p, expr, NULL, dialect_put_double);
}

static bool is_number_literal(const printer *p, const struct sql_expr *at) {
    return at->kind == SQL_LITERAL && sql_type_is_number(dialect_kind(p, at));
}

static bool is_number_array(const printer *p, const struct sql_expr *at) {
    bool is_array = at->kind == SQL_CALL && at->call.name.n == 1 && args_of(at)->n > 0 &&
                    str_ieq(at->call.name.at[0].text, STR("array"));
    for (size_t i = 0; is_array && i < args_of(at)->n; i++)
        is_array = is_number_literal(p, args_of(at)->at[i]);
    return is_array;
}

static void put_places(printer *p, const struct sql_expr *at) {
    sql_put(p, STR("ARRAY["));
    dialect_put_list(p, args_of(at), 0, dialect_put_double);
    sql_put_byte(p, ']');
}

/* An exact answer is an approximate one as well, and every engine gives the same. */
static void put_percentile(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *at = args_of(expr)->at[1];
    bool is_array = is_number_array(p, at);
    if (!is_array && !is_number_literal(p, at))
        dialect_refuse(p, at->span, "a percentile that is no constant");
    put_quantile(p, expr, at, is_array ? put_places : dialect_put_double);
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

/* -- values that differ ----------------------------------------------------------------------- */

static bool is_text_call(const printer *p, const struct sql_expr *expr) {
    return sql_type_is_text(dialect_kind(p, args_of(expr)->at[1]));
}

/* The key is the value itself, as it stands behind DISTINCT. */
void pg_put_ordered_distinct(printer *p, const struct sql_expr *expr, const struct sql_order *key,
                             struct str separator) {
    if (!is_text_call(p, expr))
        dialect_refuse(p, expr->span, "an order of DISTINCT values that are no texts");
    dialect_open(p, expr, "string_agg");
    dialect_put_sorted(p, args_of(expr)->at[1]);
    sql_put(p, STR(", "));
    sql_put_string(p, separator);
    sql_put(p, STR(" ORDER BY "));
    pg_put_order(p, key, 1);
    dialect_close(p, expr, false);
}

/* rank() of the value among its like, in the windows's partition. */
static void put_place_among(printer *p, const struct sql_expr *expr, bool descending) {
    const struct sql_window *over = expr->call.over;
    struct sql_order order = {.expr = args_of(expr)->at[0], .descending = descending};
    sql_put(p, STR("dense_rank() OVER ("));
    if (over->partition.n > 0) sql_put(p, STR("PARTITION BY "));
    sql_put_exprs(p, &over->partition);
    sql_put(p, over->partition.n > 0 ? STR(" ORDER BY ") : STR("ORDER BY "));
    pg_put_order(p, &order, 1);
    sql_put_byte(p, ')');
}

/* count(DISTINCT x) OVER (PARTITION BY …): as many as stand before and behind x, and x; one less
 * where one of them is NULL. */
static void put_distinct_count(printer *p, const struct sql_expr *expr) {
    const struct sql_window *over = expr->call.over;
    if (over->n_order > 0 || over->frame != NULL || sql_name_given(&over->base) ||
        expr->call.filter != NULL || args_of(expr)->n != 1)
        dialect_refuse(p, expr->span, "DISTINCT within such a window function");
    sql_put_byte(p, '(');
    put_place_among(p, expr, false);
    sql_put(p, STR(" + "));
    put_place_among(p, expr, true);
    dialect_wrap(p, " - 1 - max(CASE WHEN ", sql_put_operand, args_of(expr)->at[0],
                 " IS NULL THEN 1 ELSE 0 END) OVER (");
    if (over->partition.n > 0) sql_put(p, STR("PARTITION BY "));
    sql_put_exprs(p, &over->partition);
    sql_put(p, STR("))"));
}

static void put_count(printer *p, const struct sql_expr *expr) {
    if (expr->call.distinct && expr->call.over != NULL)
        put_distinct_count(p, expr);
    else
        dialect_put_count(p, expr);
}

/* -- windows ---------------------------------------------------------------------------------- */

/* A constant has its type told, which a function of any type asks for. */
static void put_typed(printer *p, const struct sql_expr *expr) {
    struct str text;
    if (dialect_is_null(expr) || dialect_constant_text(expr, &text))
        dialect_put_as(p, expr, &SQL_TYPE(STRING), sql_put_expr);
    else
        sql_put_expr(p, expr);
}

static bool is_flag(printer *p, const struct sql_exprs *args, size_t at) {
    if (args->n <= at) return false;
    const struct sql_expr *flag = args->at[at];
    bool is_true = flag->kind == SQL_LITERAL && flag->literal.kind == SQL_TRUE;
    if (!is_true && (flag->kind != SQL_LITERAL || flag->literal.kind != SQL_FALSE))
        dialect_refuse(p, flag->span, "a window function with a flag that is no constant");
    return is_true;
}

/* The values of the frame that are not NULL, in its order. */
static void put_given(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, args_of(expr)->at[0]);
    if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
        dialect_refuse(p, expr->span, "a window over values of type %s", sql_type_name(kind));
    sql_put(p, STR("(array_agg("));
    put_typed(p, args_of(expr)->at[0]);
    dialect_close(p, expr, true);
    sql_put_byte(p, ')');
}

static void put_first_value(printer *p, const struct sql_expr *expr) {
    if (is_flag(p, args_of(expr), 1)) {
        put_given(p, expr);
        sql_put(p, STR("[1]"));
        return;
    }
    dialect_open(p, expr, "first_value");
    put_typed(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
}

static void put_last_value(printer *p, const struct sql_expr *expr) {
    if (is_flag(p, args_of(expr), 1)) {
        put_given(p, expr);
        sql_put(p, STR("[cardinality"));
        put_given(p, expr);
        sql_put_byte(p, ']');
        return;
    }
    dialect_open(p, expr, "last_value");
    put_typed(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
}

static void put_nth_value(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (is_flag(p, args, 2)) {
        put_given(p, expr);
        sql_put_byte(p, '[');
        pg_put_integer(p, args->at[1]);
        sql_put_byte(p, ']');
        return;
    }
    dialect_open(p, expr, "nth_value");
    put_typed(p, args->at[0]);
    sql_put(p, STR(", "));
    pg_put_integer(p, args->at[1]);
    dialect_close(p, expr, false);
}

static void put_neighbour(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type type = dialect_type(p, args->at[0]);
    dialect_open(p, expr, name);
    put_typed(p, args->at[0]);
    if (args->n > 1) sql_put(p, STR(", "));
    if (args->n > 1) pg_put_integer(p, args->at[1]);
    if (args->n > 2) sql_put(p, STR(", "));
    if (args->n > 2) dialect_put_common(p, args->at[2], &type);
    dialect_close(p, expr, false);
}

static void put_lag(printer *p, const struct sql_expr *expr) {
    put_neighbour(p, expr, "lag");
}

static void put_lead(printer *p, const struct sql_expr *expr) {
    put_neighbour(p, expr, "lead");
}

const struct dialect_hook pg_aggregate_hooks[] = {
    {"avg", put_avg},
    {"count", put_count},
    {"median", put_median},
    {"percentile", put_percentile},
    {"min", put_min},
    {"max", put_max},
    {"max_by", put_max_by},
    {"min_by", put_min_by},
    {"first_value", put_first_value},
    {"last_value", put_last_value},
    {"nth_value", put_nth_value},
    {"lag", put_lag},
    {"lead", put_lead},
    {NULL, NULL},
};
