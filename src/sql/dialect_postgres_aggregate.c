/* Aggregates and window functions: function(DISTINCT args) FILTER (…) OVER (…), and what is done
 * with the value stands around all of it. */
#include "sql/dialect_postgres_inner.h"

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

/* Each with the order that MaxCompute means. */
static void put_window(printer *p, const struct sql_window *window) {
    struct sql_window rest = {.span = window->span, .frame = window->frame};
    if (window->partition.n > 0) sql_put(p, STR("PARTITION BY "));
    sql_put_exprs(p, &window->partition);
    if (window->n_order > 0)
        sql_put(p, window->partition.n > 0 ? STR(" ORDER BY ") : STR("ORDER BY "));
    pg_put_order(p, window->order, window->n_order);
    if (window->frame != NULL) sql_put_byte(p, ' ');
    sql_put_window(p, &rest);
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
            pg_refuse(p, expr->span, "a window that is not defined");
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
    put_window(p, &whole);
    sql_put_byte(p, ')');
}

/* What follows the arguments; `not_null` adds that the first argument is not NULL. */
static void put_close(printer *p, const struct sql_expr *expr, bool not_null) {
    struct sql_call call = expr->call;
    if (call.distinct && call.over != NULL)
        pg_refuse(p, expr->span, "DISTINCT within a window function");
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
        pg_refuse(p, expr->span, "count of nothing");
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
    pg_put_boolean(p, args_of(expr)->at[0]);
    sql_put(p, STR(" THEN 1 END"));
    put_close(p, expr, false);
}

/* -- sums and their like ---------------------------------------------------------------------- */

/* PostgreSQL widens sums of integers to numeric. */
static void put_sum(printer *p, const struct sql_expr *expr) {
    bool is_integer = sql_type_is_integer(pg_kind(p, args_of(expr)->at[0]));
    if (is_integer) sql_put(p, STR("CAST("));
    put_open(p, expr, "sum");
    pg_put_number(p, args_of(expr)->at[0]);
    put_close(p, expr, false);
    if (is_integer) sql_put(p, STR(" AS bigint)"));
}

/* Of decimals a decimal, as in a division. */
static void put_avg(printer *p, const struct sql_expr *expr) {
    bool is_decimal = pg_kind(p, args_of(expr)->at[0]) == SQL_TYPE_DECIMAL;
    if (is_decimal) sql_put(p, STR("CAST("));
    put_open(p, expr, "avg");
    if (is_decimal)
        sql_put_expr(p, args_of(expr)->at[0]);
    else
        pg_put_double(p, args_of(expr)->at[0]);
    put_close(p, expr, false);
    if (is_decimal) sql_put(p, STR(" AS numeric(38,12))"));
}

/* Between the two values around the place, which an ordered set has and a window has not. */
static void put_quantile(printer *p, const struct sql_expr *expr, const struct sql_expr *at) {
    if (expr->call.over != NULL || expr->call.distinct)
        pg_refuse(p, expr->span, "a percentile as a window function or of DISTINCT values");
    sql_put(p, STR("percentile_cont("));
    if (at != NULL)
        pg_put_double(p, at);
    else
        sql_put(p, STR("0.5"));
    pg_wrap(p, ") WITHIN GROUP (ORDER BY ", pg_put_double, args_of(expr)->at[0], "");
    put_close(p, expr, false);
}

static void put_median(printer *p, const struct sql_expr *expr) {
    put_quantile(p, expr, NULL);
}

/* An exact answer is an approximate one as well, and every engine gives the same. */
static void put_percentile(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *at = args_of(expr)->at[1];
    if (at->kind != SQL_LITERAL || !sql_type_is_number(pg_kind(p, at)))
        pg_refuse(p, at->span, "a percentile that is no constant");
    put_quantile(p, expr, at);
}

/* Booleans have none here. */
static void put_extreme(printer *p, const struct sql_expr *expr, const char *name,
                        const char *of_boolean) {
    const struct sql_expr *of = args_of(expr)->at[0];
    enum sql_type_kind kind = pg_kind(p, of);
    if (kind >= SQL_TYPE_JSON)
        pg_refuse(p, expr->span, "%s of a value of type %s", name, sql_type_name(kind));
    put_open(p, expr, kind == SQL_TYPE_BOOLEAN ? of_boolean : name);
    pg_put_sorted(p, of);
    put_close(p, expr, false);
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
        pg_refuse(p, expr->span, "this function with OVER, DISTINCT or FILTER");
    if (pg_kind(p, args->at[0]) == SQL_TYPE_ARRAY)
        pg_refuse(p, expr->span, "the array beside an extreme");
    pg_wrap(p, "(array_agg(", sql_put_expr, args->at[0], " ORDER BY ");
    pg_put_sorted(p, args->at[1]);
    sql_put(p, str_of(direction));
    pg_wrap(p, ") FILTER (WHERE ", sql_put_operand, args->at[1], " IS NOT NULL))[1]");
}

static void put_max_by(printer *p, const struct sql_expr *expr) {
    put_by(p, expr, " DESC");
}

static void put_min_by(printer *p, const struct sql_expr *expr) {
    put_by(p, expr, "");
}

static void put_approx_distinct(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("count(DISTINCT "));
    sql_put_expr(p, args_of(expr)->at[0]);
    put_close(p, expr, false);
}

static void put_grouping(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n == 0) {
        pg_refuse(p, expr->span, "grouping_id of nothing");
        return;
    }
    sql_put(p, STR("CAST(grouping("));
    sql_put_exprs(p, args_of(expr));
    sql_put(p, STR(") AS bigint)"));
}

/* -- lists ------------------------------------------------------------------------------------ */

/* NULLs are left out, and no rows give an empty array. */
static void put_collect(printer *p, const struct sql_expr *expr, bool is_set) {
    enum sql_type_kind kind = pg_kind(p, args_of(expr)->at[0]);
    bool is_distinct = is_set || expr->call.distinct;
    if (kind >= SQL_TYPE_JSON || kind == SQL_TYPE_UNKNOWN)
        pg_refuse(p, expr->span, "an array of values of type %s", sql_type_name(kind));
    if (is_distinct && expr->call.over != NULL)
        pg_refuse(p, expr->span, "DISTINCT within a window function");
    sql_put(p, is_distinct ? STR("coalesce(array_agg(DISTINCT ") : STR("coalesce(array_agg("));
    pg_put_sorted(p, args_of(expr)->at[0]);
    put_close(p, expr, true);
    sql_put(p, STR(", '{}')"));
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
    if (!pg_constant_text(args->at[0], &separator))
        pg_refuse(p, expr->span, "wm_concat by what is no constant");
    put_open(p, expr, "string_agg");
    pg_put_text(p, args->at[1]);
    sql_put(p, STR(", "));
    sql_put_string(p, separator);
    if (expr->call.n_within > 0 && expr->call.distinct)
        pg_refuse(p, expr->span, "an order of DISTINCT values");
    if (expr->call.n_within > 0) {
        sql_put(p, STR(" ORDER BY "));
        pg_put_order(p, expr->call.within, expr->call.n_within);
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
        pg_refuse(p, expr->span, "%s with a flag that is no constant", name);
    put_open(p, expr, name);
    sql_put_expr(p, args->at[0]);
    if (n_own > 1) sql_put(p, STR(", "));
    if (n_own > 1) pg_put_integer(p, args->at[1]);
    if (is_true) pg_refuse(p, expr->span, "%s that passes NULLs over", name);
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
    struct sql_type type = pg_type(p, args->at[0]);
    put_open(p, expr, name);
    sql_put_expr(p, args->at[0]);
    if (args->n > 1) sql_put(p, STR(", "));
    if (args->n > 1) pg_put_integer(p, args->at[1]);
    if (args->n > 2) sql_put(p, STR(", "));
    if (args->n > 2) pg_put_common(p, args->at[2], &type);
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
    const char *postgres; /* with `arg` for each argument */
    put_arg arg;
    pg_put hook; /* instead */
} aggregates[] = {
    {"any_value", NULL, NULL, put_min},
    {"approx_distinct", NULL, NULL, put_approx_distinct},
    {"arg_max", NULL, NULL, put_max_by},
    {"arg_min", NULL, NULL, put_min_by},
    {"avg", NULL, NULL, put_avg},
    {"bitwise_and_agg", "bit_and", pg_put_bigint, NULL},
    {"bitwise_or_agg", "bit_or", pg_put_bigint, NULL},
    {"bitwise_xor_agg", "bit_xor", pg_put_bigint, NULL},
    {"bool_and", "bool_and", pg_put_boolean, NULL},
    {"bool_or", "bool_or", pg_put_boolean, NULL},
    {"collect_list", NULL, NULL, put_collect_list},
    {"collect_set", NULL, NULL, put_collect_set},
    {"count", NULL, NULL, put_count},
    {"count_if", NULL, NULL, put_count_if},
    {"covar_pop", "covar_pop", pg_put_double, NULL},
    {"covar_samp", "covar_samp", pg_put_double, NULL},
    {"cume_dist", "cume_dist", sql_put_expr, NULL},
    {"dense_rank", "dense_rank", sql_put_expr, NULL},
    {"first_value", NULL, NULL, put_first_value},
    {"grouping", NULL, NULL, put_grouping},
    {"grouping_id", NULL, NULL, put_grouping},
    {"lag", NULL, NULL, put_lag},
    {"last_value", NULL, NULL, put_last_value},
    {"lead", NULL, NULL, put_lead},
    {"max", NULL, NULL, put_max},
    {"max_by", NULL, NULL, put_max_by},
    {"median", NULL, NULL, put_median},
    {"min", NULL, NULL, put_min},
    {"min_by", NULL, NULL, put_min_by},
    {"nth_value", NULL, NULL, put_nth_value},
    {"ntile", "ntile", pg_put_integer, NULL},
    {"percent_rank", "percent_rank", sql_put_expr, NULL},
    {"percentile", NULL, NULL, put_percentile},
    {"percentile_approx", NULL, NULL, put_percentile},
    {"rank", "rank", sql_put_expr, NULL},
    {"row_number", "row_number", sql_put_expr, NULL},
    {"stddev", "stddev_pop", pg_put_double, NULL},
    {"stddev_pop", "stddev_pop", pg_put_double, NULL},
    {"stddev_samp", "stddev_samp", pg_put_double, NULL},
    {"sum", NULL, NULL, put_sum},
    {"var_pop", "var_pop", pg_put_double, NULL},
    {"var_samp", "var_samp", pg_put_double, NULL},
    {"variance", "var_pop", pg_put_double, NULL},
    {"wm_concat", NULL, NULL, put_wm_concat},
};

static const struct aggregate *find_aggregate(struct str name) {
    for (size_t i = 0; i < COUNT(aggregates); i++)
        if (str_eq(str_of(aggregates[i].name), name)) return &aggregates[i];
    return NULL;
}

static void put_named(printer *p, const struct sql_expr *expr, const struct aggregate *aggregate) {
    put_open(p, expr, aggregate->postgres);
    for (size_t i = 0; i < args_of(expr)->n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        aggregate->arg(p, args_of(expr)->at[i]);
    }
    put_close(p, expr, false);
}

bool pg_put_aggregate(printer *p, const struct sql_expr *expr,
                      const struct sql_function *function) {
    bool is_grouping = (function->flags & FUNCTION_GROUPING) != 0;
    if (function->kind == FUNCTION_SCALAR && !is_grouping) return false;
    const struct aggregate *aggregate = find_aggregate(str_of(function->name));
    if (aggregate == NULL)
        pg_refuse(p, expr->span, "the function %s", function->name);
    else if (expr->call.n_within > 0 && aggregate->hook != put_wm_concat)
        pg_refuse(p, expr->span, "%s WITHIN GROUP", function->name);
    else if (aggregate->hook != NULL)
        aggregate->hook(p, expr);
    else
        put_named(p, expr, aggregate);
    return true;
}
