/* Aggregates and window functions: function(DISTINCT args) FILTER (…) OVER (…), and what is done
 * with the value stands around all of it. */
#include "sql/dialect_duckdb_inner.h"

static const struct sql_exprs *args_of(const struct sql_expr *expr) {
    return &expr->call.args;
}

static void put_open(printer *p, const struct sql_expr *expr, const char *name) {
    sql_put(p, str_of(name));
    sql_put(p, expr->call.distinct ? STR("(DISTINCT ") : STR("("));
}

/* -- OVER ------------------------------------------------------------------------------------- */

struct window_seeking {
    const struct sql_expr *expr;
    const struct sql_query *block;
};

static enum walk see_window_call(struct sql_expr *expr, const struct sql_place *place, void *with) {
    struct window_seeking *seeking = with;
    if (expr != seeking->expr) return WALK_ON;
    seeking->block = place->block;
    return WALK_STOP;
}

/* The block of a call, whose WINDOW clause its OVER may name. */
static const struct sql_select *block_of(const printer *p, const struct sql_expr *expr) {
    struct window_seeking seeking = {.expr = expr};
    const struct ruled *ruled = p->with;
    if (ruled != NULL)
        (void)sql_walk_query(ruled->query,
                             &(struct sql_visitor){.expr = see_window_call, .with = &seeking});
    bool is_select = seeking.block != NULL && seeking.block->kind == SQL_SELECT;
    return is_select ? seeking.block->select : NULL;
}

static const struct sql_window *find_window(const struct sql_select *select, struct str name) {
    for (size_t i = 0; select != NULL && i < select->n_windows; i++)
        if (str_ieq(select->windows[i].name.text, name)) return select->windows[i].window;
    return NULL;
}

/* Windows stand written out: one with a frame cannot be built upon, and each gets its frame, which
 * without one is the rows up to the current one. */
static void put_over(printer *p, const struct sql_expr *expr) {
    static const struct sql_frame up_to_here = {
        .unit = SQL_FRAME_ROWS,
        .start = {.kind = SQL_UNBOUNDED_PRECEDING},
        .end = {.kind = SQL_CURRENT_ROW},
    };
    struct sql_window whole = *expr->call.over;
    const struct sql_window *base = &whole;
    const struct sql_select *select = NULL;
    for (size_t i = 0; sql_name_given(&base->base); i++) {
        if (i == 0) select = block_of(p, expr);
        base = find_window(select, base->base.text);
        if (base == NULL || i > select->n_windows) {
            duck_refuse(p, expr->span, "a window that is not defined");
            return;
        }
        if (whole.partition.n == 0) whole.partition = base->partition;
        if (whole.n_order == 0) whole.order = base->order;
        if (whole.n_order == 0) whole.n_order = base->n_order;
        if (whole.frame == NULL) whole.frame = base->frame;
    }
    whole.base = (struct sql_name){0};
    if (whole.frame == NULL && whole.n_order > 0)
        whole.frame = (struct sql_frame *)(uintptr_t)&up_to_here;
    sql_put(p, STR(" OVER ("));
    sql_put_window(p, &whole);
    sql_put_byte(p, ')');
}

/* What follows the arguments; `not_null` adds that the first argument is not NULL. */
static void put_close(printer *p, const struct sql_expr *expr, bool not_null) {
    struct sql_call call = expr->call;
    sql_put_byte(p, ')');
    call.n_within = 0;
    call.over = NULL;
    if (not_null) {
        sql_put(p, STR(" FILTER (WHERE "));
        sql_put_operand(p, call.args.at[0]);
        sql_put(p, STR(" IS NOT NULL"));
        if (call.filter != NULL) sql_put(p, STR(" AND "));
        if (call.filter != NULL) sql_put_operand(p, call.filter);
        sql_put_byte(p, ')');
        call.filter = NULL;
    }
    sql_put_call_tail(p, &call);
    if (expr->call.over != NULL) put_over(p, expr);
}

/* -- counting --------------------------------------------------------------------------------- */

static bool is_star(const struct sql_exprs *args) {
    return args->n == 1 && args->at[0]->kind == SQL_STAR;
}

/* Rows with no NULL among the arguments. */
static void put_count(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    put_open(p, expr, "count");
    if (args->n == 0) {
        duck_refuse(p, expr->span, "count of nothing");
    } else if (is_star(args)) {
        sql_put_byte(p, '*');
    } else if (args->n == 1) {
        sql_put_expr(p, args->at[0]);
    } else {
        for (size_t i = 0; i < args->n; i++) {
            sql_put(p, i == 0 ? STR("CASE WHEN ") : STR(" AND "));
            sql_put_operand(p, args->at[i]);
            sql_put(p, STR(" IS NOT NULL"));
        }
        sql_put(p, STR(" THEN row("));
        sql_put_exprs(p, args);
        sql_put(p, STR(") END"));
    }
    put_close(p, expr, false);
}

static void put_count_if(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("count("));
    sql_put(p, STR("CASE WHEN "));
    duck_put_boolean(p, args_of(expr)->at[0]);
    sql_put(p, STR(" THEN 1 END"));
    put_close(p, expr, false);
}

/* -- sums and their like ---------------------------------------------------------------------- */

/* DuckDB widens sums of integers to 128 bits. */
static void put_sum(printer *p, const struct sql_expr *expr) {
    bool is_integer = sql_type_is_integer(duck_kind(p, args_of(expr)->at[0]));
    if (is_integer) sql_put(p, STR("CAST("));
    put_open(p, expr, "sum");
    duck_put_number(p, args_of(expr)->at[0]);
    put_close(p, expr, false);
    if (is_integer) sql_put(p, STR(" AS BIGINT)"));
}

/* Of decimals a decimal, as in a division. */
static void put_avg(printer *p, const struct sql_expr *expr) {
    bool is_decimal = duck_kind(p, args_of(expr)->at[0]) == SQL_TYPE_DECIMAL;
    if (is_decimal) sql_put(p, STR("CAST("));
    put_open(p, expr, "avg");
    duck_put_number(p, args_of(expr)->at[0]);
    put_close(p, expr, false);
    if (is_decimal) sql_put(p, STR(" AS DECIMAL(38,12))"));
}

/* An exact answer is an approximate one as well, and every engine gives the same. */
static void put_percentile(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_expr *at = args->at[1];
    put_open(p, expr, "quantile_cont");
    duck_put_double(p, args->at[0]);
    sql_put(p, STR(", "));
    if (sql_type_is_number(duck_kind(p, at)) && at->kind == SQL_LITERAL) {
        duck_put_double(p, at);
    } else if (at->kind == SQL_CALL && at->call.args.n > 0) {
        sql_put_expr(p, at);
    } else {
        duck_refuse(p, at->span, "a percentile that is no constant");
    }
    put_close(p, expr, false);
}

static void put_approx_distinct(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("count(DISTINCT "));
    sql_put_expr(p, args_of(expr)->at[0]);
    put_close(p, expr, false);
}

static void put_grouping(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n == 0) {
        duck_refuse(p, expr->span, "grouping_id of nothing");
        return;
    }
    sql_put(p, STR("CAST(grouping("));
    sql_put_exprs(p, args_of(expr));
    sql_put(p, STR(") AS BIGINT)"));
}

/* -- lists ------------------------------------------------------------------------------------ */

/* NULLs are left out, and no rows give an empty array. */
static void put_collect(printer *p, const struct sql_expr *expr, bool is_set) {
    sql_put(p, STR("coalesce(list("));
    if (is_set || expr->call.distinct) sql_put(p, STR("DISTINCT "));
    sql_put_expr(p, args_of(expr)->at[0]);
    put_close(p, expr, true);
    sql_put(p, STR(", [])"));
}

static void put_collect_list(printer *p, const struct sql_expr *expr) {
    put_collect(p, expr, false);
}

static void put_collect_set(printer *p, const struct sql_expr *expr) {
    put_collect(p, expr, true);
}

static void put_wm_concat(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    struct str separator;
    if (!duck_constant_text(args->at[0], &separator))
        duck_refuse(p, expr->span, "wm_concat by what is no constant");
    put_open(p, expr, "string_agg");
    duck_put_text(p, args->at[1]);
    sql_put(p, STR(", "));
    sql_put_string(p, separator);
    if (expr->call.n_within > 0) {
        sql_put(p, STR(" ORDER BY "));
        sql_put_order(p, expr->call.within, expr->call.n_within);
    }
    put_close(p, expr, false);
}

/* -- windows ---------------------------------------------------------------------------------- */

/* first_value(x, true) passes NULLs over; nth_value(x, n, true) too. */
static void put_value_at(printer *p, const struct sql_expr *expr, const char *name, size_t n_own) {
    const struct sql_exprs *args = args_of(expr);
    const struct sql_expr *ignore = args->n > n_own ? args->at[n_own] : NULL;
    bool is_true =
        ignore != NULL && ignore->kind == SQL_LITERAL && ignore->literal.kind == SQL_TRUE;
    bool is_false =
        ignore != NULL && ignore->kind == SQL_LITERAL && ignore->literal.kind == SQL_FALSE;
    if (ignore != NULL && !is_true && !is_false)
        duck_refuse(p, expr->span, "%s with a flag that is no constant", name);
    put_open(p, expr, name);
    sql_put_expr(p, args->at[0]);
    if (n_own > 1) sql_put(p, STR(", "));
    if (n_own > 1) duck_put_bigint(p, args->at[1]);
    if (is_true) sql_put(p, STR(" IGNORE NULLS"));
    put_close(p, expr, false);
}

static void put_first_value(printer *p, const struct sql_expr *expr) {
    put_value_at(p, expr, "first_value", 1);
}

static void put_last_value(printer *p, const struct sql_expr *expr) {
    put_value_at(p, expr, "last_value", 1);
}

static void put_nth_value(printer *p, const struct sql_expr *expr) {
    put_value_at(p, expr, "nth_value", 2);
}

static void put_neighbour(printer *p, const struct sql_expr *expr, const char *name) {
    const struct sql_exprs *args = args_of(expr);
    struct sql_type type = duck_type(p, args->at[0]);
    put_open(p, expr, name);
    sql_put_expr(p, args->at[0]);
    if (args->n > 1) sql_put(p, STR(", "));
    if (args->n > 1) duck_put_bigint(p, args->at[1]);
    if (args->n > 2) sql_put(p, STR(", "));
    if (args->n > 2) duck_put_common(p, args->at[2], &type);
    put_close(p, expr, false);
}

static void put_lag(printer *p, const struct sql_expr *expr) {
    put_neighbour(p, expr, "lag");
}

static void put_lead(printer *p, const struct sql_expr *expr) {
    put_neighbour(p, expr, "lead");
}

/* -- the table -------------------------------------------------------------------------------- */

typedef void (*put_arg)(printer *p, const struct sql_expr *expr);

static const struct aggregate {
    const char *name;
    const char *duckdb; /* with `arg` for each argument */
    put_arg arg;
    duck_hook hook; /* instead */
} aggregates[] = {
    {"any_value", "any_value", sql_put_expr, NULL},
    {"approx_distinct", NULL, NULL, put_approx_distinct},
    {"arg_max", "arg_max_null", sql_put_expr, NULL},
    {"arg_min", "arg_min_null", sql_put_expr, NULL},
    {"avg", NULL, NULL, put_avg},
    {"bitwise_and_agg", "bit_and", duck_put_bigint, NULL},
    {"bitwise_or_agg", "bit_or", duck_put_bigint, NULL},
    {"bitwise_xor_agg", "bit_xor", duck_put_bigint, NULL},
    {"bool_and", "bool_and", duck_put_boolean, NULL},
    {"bool_or", "bool_or", duck_put_boolean, NULL},
    {"collect_list", NULL, NULL, put_collect_list},
    {"collect_set", NULL, NULL, put_collect_set},
    {"corr", "corr", duck_put_double, NULL},
    {"count", NULL, NULL, put_count},
    {"count_if", NULL, NULL, put_count_if},
    {"covar_pop", "covar_pop", duck_put_double, NULL},
    {"covar_samp", "covar_samp", duck_put_double, NULL},
    {"cume_dist", "cume_dist", sql_put_expr, NULL},
    {"dense_rank", "dense_rank", sql_put_expr, NULL},
    {"first_value", NULL, NULL, put_first_value},
    {"grouping", NULL, NULL, put_grouping},
    {"grouping_id", NULL, NULL, put_grouping},
    {"lag", NULL, NULL, put_lag},
    {"last_value", NULL, NULL, put_last_value},
    {"lead", NULL, NULL, put_lead},
    {"max", "max", sql_put_expr, NULL},
    {"max_by", "arg_max_null", sql_put_expr, NULL},
    {"median", "median", duck_put_double, NULL},
    {"min", "min", sql_put_expr, NULL},
    {"min_by", "arg_min_null", sql_put_expr, NULL},
    {"nth_value", NULL, NULL, put_nth_value},
    {"ntile", "ntile", duck_put_bigint, NULL},
    {"percent_rank", "percent_rank", sql_put_expr, NULL},
    {"percentile", NULL, NULL, put_percentile},
    {"percentile_approx", NULL, NULL, put_percentile},
    {"rank", "rank", sql_put_expr, NULL},
    {"row_number", "row_number", sql_put_expr, NULL},
    {"stddev", "stddev_pop", duck_put_double, NULL},
    {"stddev_pop", "stddev_pop", duck_put_double, NULL},
    {"stddev_samp", "stddev_samp", duck_put_double, NULL},
    {"sum", NULL, NULL, put_sum},
    {"var_pop", "var_pop", duck_put_double, NULL},
    {"var_samp", "var_samp", duck_put_double, NULL},
    {"variance", "var_pop", duck_put_double, NULL},
    {"wm_concat", NULL, NULL, put_wm_concat},
};

static const struct aggregate *find_aggregate(struct str name) {
    for (size_t i = 0; i < COUNT(aggregates); i++)
        if (str_eq(str_of(aggregates[i].name), name)) return &aggregates[i];
    return NULL;
}

static void put_named(printer *p, const struct sql_expr *expr, const struct aggregate *aggregate) {
    put_open(p, expr, aggregate->duckdb);
    for (size_t i = 0; i < args_of(expr)->n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        aggregate->arg(p, args_of(expr)->at[i]);
    }
    put_close(p, expr, false);
}

bool duck_put_aggregate(printer *p, const struct sql_expr *expr,
                        const struct sql_function *function) {
    bool is_grouping = (function->flags & FUNCTION_GROUPING) != 0;
    if (function->kind == FUNCTION_SCALAR && !is_grouping) return false;
    const struct aggregate *aggregate = find_aggregate(str_of(function->name));
    if (aggregate == NULL)
        duck_refuse(p, expr->span, "the function %s", function->name);
    else if (expr->call.n_within > 0 && aggregate->hook != put_wm_concat)
        duck_refuse(p, expr->span, "%s WITHIN GROUP", function->name);
    else if (aggregate->hook != NULL)
        aggregate->hook(p, expr);
    else
        put_named(p, expr, aggregate);
    return true;
}
