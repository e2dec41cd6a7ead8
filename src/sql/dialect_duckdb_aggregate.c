/* Aggregates that have rules of their own. */
#include "sql/dialect_duckdb_inner.h"

static void put_of(printer *p, const struct sql_expr *expr, const char *name) {
    dialect_open(p, expr, name);
    dialect_put_number(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
}

/* Of decimals a decimal, as in a division, which DuckDB would do with doubles. */
static void put_avg(printer *p, const struct sql_expr *expr) {
    if (dialect_kind(p, args_of(expr)->at[0]) != SQL_TYPE_DECIMAL) {
        put_of(p, expr, "avg");
        return;
    }
    sql_put(p, STR("weir_divide("));
    put_of(p, expr, "sum");
    sql_put(p, STR(", nullif("));
    put_of(p, expr, "count");
    sql_put(p, STR(", 0))"));
}

/* An exact answer is an approximate one as well, and every engine gives the same. */
/* 0, 0.25, 1, 1.0: no more than one whole. */
static bool is_share(struct str text) {
    char copy[32];
    if (text.len == 0 || text.len >= sizeof copy) return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double share = strtod(copy, NULL);
    return share >= 0 && share <= 1;
}

static void put_percentile(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_expr *at = args->at[1];
    if (at->kind == SQL_LITERAL && !is_share(at->literal.text))
        dialect_refuse(p, at->span, "a percentile that is not between 0 and 1");
    dialect_open(p, expr, "quantile_cont");
    dialect_put_double(p, args->at[0]);
    sql_put(p, STR(", "));
    if (sql_type_is_number(dialect_kind(p, at)) && at->kind == SQL_LITERAL) {
        dialect_put_double(p, at);
    } else if (at->kind == SQL_CALL && at->call.args.n > 0) {
        sql_put_expr(p, at);
    } else {
        dialect_refuse(p, at->span, "a percentile that is no constant");
    }
    dialect_close(p, expr, false);
}

/* Keys that are NULL are left out; one that comes twice fails. */
static void put_map_agg(printer *p, const struct sql_expr *expr) {
    if (expr->call.distinct || expr->call.over != NULL)
        dialect_refuse(p, expr->span, "map_agg with DISTINCT or OVER");
    for (size_t i = 0; i < 2; i++) {
        sql_put(p, i == 0 ? STR("map(") : STR(", "));
        dialect_open(p, expr, "list");
        sql_put_expr(p, args_of(expr)->at[i]);
        dialect_close(p, expr, true);
    }
    sql_put_byte(p, ')');
}

void duck_put_ordered_distinct(printer *p, const struct sql_expr *expr, const struct sql_order *key,
                               struct str separator) {
    const struct sql_expr *value = args_of(expr)->at[1];
    enum sql_type_kind kind = dialect_kind(p, value);
    bool is_text = sql_type_is_text(kind);
    if (!is_text && !sql_type_is_integer(kind))
        dialect_refuse(p, expr->span, "an order of DISTINCT values of type %s",
                       sql_type_name(kind));
    sql_put(p, is_text ? STR("") : STR("weir_join(list_transform(list_filter("));
    dialect_open(p, expr, is_text ? "string_agg" : "list");
    sql_put_expr(p, value);
    if (is_text) sql_put(p, STR(", "));
    if (is_text) sql_put_string(p, separator);
    sql_put(p, STR(" ORDER BY "));
    sql_put_order(p, key, 1);
    dialect_close(p, expr, false);
    if (is_text) return;
    sql_put(p, STR(", lambda weir_e: weir_e IS NOT NULL), "
                   "lambda weir_e: CAST(weir_e AS VARCHAR)), "));
    sql_put_string(p, separator);
    sql_put_byte(p, ')');
}

const struct dialect_hook duck_aggregate_hooks[] = {
    {"avg", put_avg},
    {"map_agg", put_map_agg},
    {"percentile", put_percentile},
    {NULL, NULL},
};
