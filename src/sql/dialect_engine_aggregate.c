/* Aggregates and window functions: function(DISTINCT args) FILTER (…) OVER (…), and what is done
 * with the value stands around all of it. */
#include "sql/dialect_engine.h"

enum { WITHIN_MOST = 16, KEYS_MOST = 32 }; /* keys of one WITHIN GROUP, and of GROUPING__ID */

static void open_as(printer *p, const struct sql_expr *expr, struct str name) {
    sql_put(p, name);
    sql_put(p, expr->call.distinct ? STR("(DISTINCT ") : STR("("));
}

void dialect_open(printer *p, const struct sql_expr *expr, const char *name) {
    open_as(p, expr, str_of(name));
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

static void put_window(printer *p, const struct sql_window *window) {
    struct sql_window rest = {.span = window->span, .frame = window->frame};
    if (window->partition.n > 0) sql_put(p, STR("PARTITION BY "));
    sql_put_exprs(p, &window->partition);
    if (window->n_order > 0)
        sql_put(p, window->partition.n > 0 ? STR(" ORDER BY ") : STR("ORDER BY "));
    p->dialect->engine->order(p, window->order, window->n_order);
    if (window->frame != NULL) sql_put_byte(p, ' ');
    sql_put_window(p, &rest);
}

static bool reads_outer(const printer *p, const struct sql_expr *expr,
                        const struct sql_window *window) {
    bool is_outer = dialect_reads(p, expr).outer;
    for (size_t i = 0; i < window->partition.n; i++)
        is_outer = is_outer || dialect_reads(p, window->partition.at[i]).outer;
    for (size_t i = 0; i < window->n_order; i++)
        is_outer = is_outer || dialect_reads(p, window->order[i].expr).outer;
    return is_outer;
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
            dialect_refuse(p, expr->span, "a window that is not defined");
            return;
        }
        if (whole.partition.n == 0) whole.partition = base->partition;
        if (whole.n_order == 0) whole.order = base->order;
        if (whole.n_order == 0) whole.n_order = base->n_order;
        if (whole.frame == NULL) whole.frame = base->frame;
    }
    whole.base = (struct sql_name){0};
    if (!p->dialect->engine->has_outer_windows && reads_outer(p, expr, &whole))
        dialect_refuse(p, expr->span, "a window function over columns of a query around");
    if (whole.frame == NULL && whole.n_order > 0)
        whole.frame = (struct sql_frame *)(uintptr_t)&up_to_here;
    sql_put(p, STR(" OVER ("));
    put_window(p, &whole);
    sql_put_byte(p, ')');
}

/* What follows the arguments; `not_null` adds that the first argument is not NULL. */
void dialect_close(printer *p, const struct sql_expr *expr, bool not_null) {
    struct sql_call call = expr->call;
    if (call.distinct && call.over != NULL && !p->dialect->engine->has_distinct_over)
        dialect_refuse(p, expr->span, "DISTINCT within a window function");
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

/* Told its type where an engine asks every value for one. False: no constant. */
static bool put_constant(printer *p, const struct sql_expr *expr) {
    bool is_text = expr->kind == SQL_LITERAL && expr->literal.kind == SQL_STRING;
    if (!is_text || !p->dialect->engine->needs_types) return false;
    dialect_put_key_text(p, expr);
    return true;
}

/* Rows with no NULL among the arguments. */
void dialect_put_count(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    dialect_open(p, expr, "count");
    if (args->n == 0) {
        dialect_refuse(p, expr->span, "count of nothing");
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
        for (size_t i = 0; i < args->n; i++) {
            sql_put(p, i == 0 ? STR(" THEN row(") : STR(", "));
            if (!put_constant(p, args->at[i])) sql_put_expr(p, args->at[i]);
        }
        sql_put(p, STR(") END"));
    }
    dialect_close(p, expr, false);
}

static void put_count_if(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("count("));
    sql_put(p, STR("CASE WHEN "));
    dialect_put_boolean(p, args_of(expr)->at[0]);
    sql_put(p, STR(" THEN 1 END"));
    dialect_close(p, expr, false);
}

/* -- sums and their like ---------------------------------------------------------------------- */

/* Engines widen sums of integers. */
static void put_sum(printer *p, const struct sql_expr *expr) {
    bool is_integer = sql_type_is_integer(dialect_kind(p, args_of(expr)->at[0]));
    if (is_integer) sql_put(p, STR("CAST("));
    dialect_open(p, expr, "sum");
    dialect_put_number(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
    if (!is_integer) return;
    sql_put(p, STR(" AS "));
    dialect_put_type(p, &SQL_TYPE(BIGINT));
    sql_put_byte(p, ')');
}

/* An exact answer is an approximate one as well, and every engine gives the same. */
static void put_approx_distinct(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("count(DISTINCT "));
    sql_put_expr(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
}

static void put_grouping(printer *p, const struct sql_expr *expr) {
    if (args_of(expr)->n == 0) {
        dialect_refuse(p, expr->span, "grouping_id of nothing");
        return;
    }
    const struct sql_select *select = block_of(p, expr);
    if (select != NULL && select->group_by.n_items == 0 && select->group_by.n_sets == 0)
        dialect_refuse(p, expr->span, "grouping without GROUP BY");
    sql_put(p, STR("CAST(grouping("));
    sql_put_exprs(p, args_of(expr));
    sql_put(p, STR(") AS "));
    dialect_put_type(p, &SQL_TYPE(BIGINT));
    sql_put_byte(p, ')');
}

/* Each key once: a set may name it again. */
static void add_key(const struct sql_expr *key, struct sql_exprs *keys) {
    for (size_t i = 0; i < keys->n; i++)
        if (sql_expr_equal(keys->at[i], key)) return;
    if (keys->n <= KEYS_MOST) keys->at[keys->n++] = (struct sql_expr *)(uintptr_t)key;
}

static void add_keys(const struct sql_group *groups, size_t n, struct sql_exprs *keys) {
    for (size_t i = 0; i < n; i++) {
        if (groups[i].kind == SQL_GROUP_EXPR) add_key(groups[i].expr, keys);
        for (size_t j = 0; j < groups[i].n_items; j++) { /* (a, b) in ROLLUP, CUBE or SETS */
            const struct sql_group *inner = &groups[i].items[j];
            if (inner->kind == SQL_GROUP_EXPR) add_key(inner->expr, keys);
            for (size_t k = 0; k < inner->n_items; k++)
                if (inner->items[k].kind == SQL_GROUP_EXPR) add_key(inner->items[k].expr, keys);
        }
    }
}

void dialect_put_grouping_id(printer *p, const struct sql_expr *expr) {
    const struct sql_select *select = block_of(p, expr);
    struct sql_expr *at[KEYS_MOST + 1];
    struct sql_exprs keys = {at, 0};
    if (select != NULL) add_keys(select->group_by.items, select->group_by.n_items, &keys);
    if (keys.n == 0 || keys.n > KEYS_MOST) {
        dialect_refuse(p, expr->span, "grouping__id of these keys");
        return;
    }
    sql_put(p, STR("CAST(grouping("));
    sql_put_exprs(p, &keys);
    sql_put(p, STR(") AS "));
    dialect_put_type(p, &SQL_TYPE(BIGINT));
    sql_put_byte(p, ')');
}

/* -- lists ------------------------------------------------------------------------------------ */

/* NULLs are left out, and no rows give an empty array. */
static void put_collect(printer *p, const struct sql_expr *expr, bool is_set) {
    const struct dialect_engine *engine = p->dialect->engine;
    enum sql_type_kind kind = dialect_kind(p, args_of(expr)->at[0]);
    bool is_plain = kind != SQL_TYPE_UNKNOWN && kind < SQL_TYPE_JSON;
    bool is_distinct = is_set || expr->call.distinct;
    if (!is_plain && engine->needs_types)
        dialect_refuse(p, expr->span, "an array of values of type %s", sql_type_name(kind));
    if (is_distinct && expr->call.over != NULL && !engine->has_distinct_over)
        dialect_refuse(p, expr->span, "DISTINCT within a window function");
    sql_putf(p, "coalesce(%s(%s", engine->collect, is_distinct ? "DISTINCT " : "");
    if (!put_constant(p, args_of(expr)->at[0])) dialect_put_sorted(p, args_of(expr)->at[0]);
    dialect_close(p, expr, true);
    sql_putf(p, ", %s)", engine->empty_array);
}

static void put_collect_list(printer *p, const struct sql_expr *expr) {
    put_collect(p, expr, false);
}

static void put_collect_set(printer *p, const struct sql_expr *expr) {
    put_collect(p, expr, true);
}

/* A constant is no key: it leaves every order as it is, and engines do not take it. */
static size_t keep_keys(const struct sql_call *call, struct sql_order *out, size_t most) {
    size_t n = 0;
    for (size_t i = 0; i < call->n_within && n < most; i++)
        if (call->within[i].expr->kind != SQL_LITERAL) out[n++] = call->within[i];
    return n;
}

static void put_wm_concat(printer *p, const struct sql_expr *expr) {
    const struct dialect_engine *engine = p->dialect->engine;
    const struct sql_exprs *args = args_of(expr);
    struct sql_order keys[WITHIN_MOST];
    struct str separator;
    size_t n = keep_keys(&expr->call, keys, WITHIN_MOST);
    if (expr->call.n_within > WITHIN_MOST)
        dialect_refuse(p, expr->span, "WITHIN GROUP by more than %d keys", (int)WITHIN_MOST);
    if (!dialect_constant_text(args->at[0], &separator))
        dialect_refuse(p, expr->span, "wm_concat by what is no constant");
    if (expr->call.distinct && n > 0) {
        bool is_own = n == 1 && sql_expr_equal(args->at[1], keys[0].expr);
        if (is_own && engine->ordered_distinct != NULL)
            engine->ordered_distinct(p, expr, &keys[0], separator);
        else
            dialect_refuse(p, expr->span, "an order of DISTINCT values");
        return;
    }
    dialect_open(p, expr, "string_agg");
    dialect_wrap(p, "", dialect_put_text, args->at[1], ", ");
    sql_put_string(p, separator);
    if (n > 0) sql_put(p, STR(" ORDER BY "));
    engine->order(p, keys, n);
    dialect_close(p, expr, false);
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
        dialect_refuse(p, expr->span, "%s with a flag that is no constant", name);
    dialect_open(p, expr, name);
    sql_put_expr(p, args->at[0]);
    if (n_own > 1) sql_put(p, STR(", "));
    if (n_own > 1) p->dialect->engine->argument(p, args->at[1]);
    if (is_true && !p->dialect->engine->has_ignore_nulls)
        dialect_refuse(p, expr->span, "%s that passes NULLs over", name);
    if (is_true) sql_put(p, STR(" IGNORE NULLS"));
    dialect_close(p, expr, false);
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
    struct sql_type type = dialect_type(p, args->at[0]);
    dialect_open(p, expr, name);
    sql_put_expr(p, args->at[0]);
    if (args->n > 1) sql_put(p, STR(", "));
    if (args->n > 1) p->dialect->engine->argument(p, args->at[1]);
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

static void put_ntile(printer *p, const struct sql_expr *expr) {
    dialect_open(p, expr, "ntile");
    p->dialect->engine->argument(p, args_of(expr)->at[0]);
    dialect_close(p, expr, false);
}

const struct dialect_hook dialect_aggregate_hooks[] = {
    {"approx_distinct", put_approx_distinct},
    {"collect_list", put_collect_list},
    {"collect_set", put_collect_set},
    {"count", dialect_put_count},
    {"count_if", put_count_if},
    {"first_value", put_first_value},
    {"grouping", put_grouping},
    {"grouping__id", dialect_put_grouping_id},
    {"lag", put_lag},
    {"last_value", put_last_value},
    {"lead", put_lead},
    {"nth_value", put_nth_value},
    {"ntile", put_ntile},
    {"sum", put_sum},
    {"wm_concat", put_wm_concat},
    {NULL, NULL},
};

/* -- the door --------------------------------------------------------------------------------- */

/* f or f(${1!double}): DISTINCT, FILTER and OVER belong to f. */
static void put_spelling(printer *p, const struct sql_expr *expr,
                         const struct sql_function *function) {
    struct spelling spelling =
        sql_spelling(function, p->dialect->engine->spelling(function), args_of(expr)->n);
    dialect_put hook = NULL;
    size_t open = str_find_byte(spelling.text, '(');
    switch (spelling.kind) {
    case SPELLING_HOOK: hook = dialect_find_hook(p, spelling.text); break;
    case SPELLING_NAME:
        open_as(p, expr, spelling.text);
        dialect_put_list(p, args_of(expr), 0, sql_put_expr);
        dialect_close(p, expr, false);
        return;
    case SPELLING_TEMPLATE:
        open_as(p, expr, str_slice(spelling.text, 0, open));
        dialect_put_pieces(p, args_of(expr),
                           str_slice(spelling.text, open + 1, spelling.text.len - 1));
        dialect_close(p, expr, false);
        return;
    case SPELLING_REFUSED: break;
    }
    if (hook != NULL)
        hook(p, expr);
    else
        dialect_refuse(p, expr->span, "the function %s", function->name);
}

/* An aggregate that reads only columns of a query around would be one of that query. */
static bool is_of_outer(const printer *p, const struct sql_expr *expr) {
    struct dialect_reads reads = dialect_reads(p, expr->call.filter);
    for (size_t i = 0; i < args_of(expr)->n; i++) {
        struct dialect_reads arg = dialect_reads(p, args_of(expr)->at[i]);
        reads.own = reads.own || arg.own;
        reads.outer = reads.outer || arg.outer;
    }
    return reads.outer && !reads.own;
}

bool dialect_put_aggregate(printer *p, const struct sql_expr *expr,
                           const struct sql_function *function) {
    bool is_grouping = (function->flags & FUNCTION_GROUPING) != 0;
    if (function->kind == FUNCTION_SCALAR && !is_grouping) return false;
    if (expr->call.n_within > 0 && (function->flags & FUNCTION_ORDERED) == 0)
        dialect_refuse(p, expr->span, "%s WITHIN GROUP", function->name);
    else if (expr->call.over == NULL && is_of_outer(p, expr))
        dialect_refuse(p, expr->span, "%s of columns of a query around", function->name);
    else
        put_spelling(p, expr, function);
    return true;
}
