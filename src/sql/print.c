#include "sql/print.h"

#include "base/limits.h"

#include <assert.h>

/* What the rewriter adds to a parsed tree stays far below this. */
enum { PRINT_DEPTH_MAX = 4 * SQL_NESTING_MAX };

/* -- the hand -----------------------------------------------------------------------------------
 */

void sql_put(struct sql_printer *p, struct str text) {
    if (p->failed == FAIL_NONE) buf_add(p->out, text);
}

void sql_put_byte(struct sql_printer *p, char byte) {
    if (p->failed == FAIL_NONE) buf_add_byte(p->out, byte);
}

void sql_putf(struct sql_printer *p, const char *fmt, ...) {
    char text[128];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof text);
    sql_put(p, (struct str){text, (size_t)n});
}

void sql_put_refusal(struct sql_printer *p, struct sql_span span, const char *fmt, ...) {
    if (p->failed != FAIL_NONE) return;
    size_t at = span.from == SQL_NOWHERE ? REPORT_NO_OFFSET : span.from;
    va_list args;
    va_start(args, fmt);
    p->failed = fail_v(p->report, FAIL_INPUT, "SQL_NOT_SUPPORTED", at, fmt, args).why;
    va_end(args);
}

static void refuse_no_node(struct sql_printer *p, const char *what) {
    sql_put_refusal(p, (struct sql_span){SQL_NOWHERE, SQL_NOWHERE},
                    "a tree holds no %s where one belongs", what);
}

bool sql_put_descend(struct sql_printer *p, struct sql_span span) {
    if (p->failed != FAIL_NONE) return false;
    if (++p->depth <= PRINT_DEPTH_MAX) return true;
    size_t at = span.from == SQL_NOWHERE ? REPORT_NO_OFFSET : span.from;
    p->failed = fail(p->report, FAIL_LIMIT, "SQL_TOO_DEEP", at,
                     "the statement is nested deeper than %d levels", (int)PRINT_DEPTH_MAX)
                    .why;
    return false;
}

/* -- names and lists ----------------------------------------------------------------------------
 */

void sql_put_name(struct sql_printer *p, const struct sql_name *name) {
    p->dialect->identifier(p, name);
}

static void put_separated(struct sql_printer *p, const struct sql_names *names,
                          struct str separator) {
    for (size_t i = 0; i < names->n; i++) {
        if (i > 0) sql_put(p, separator);
        sql_put_name(p, &names->at[i]);
    }
}

void sql_put_path(struct sql_printer *p, const struct sql_names *names) {
    put_separated(p, names, STR("."));
}

void sql_put_names(struct sql_printer *p, const struct sql_names *names) {
    put_separated(p, names, STR(", "));
}

void sql_put_string(struct sql_printer *p, struct str text) {
    p->dialect->string(p, text);
}

void sql_put_exprs(struct sql_printer *p, const struct sql_exprs *exprs) {
    for (size_t i = 0; i < exprs->n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        sql_put_expr(p, exprs->at[i]);
    }
}

static enum sql_nulls nulls_of(const struct sql_printer *p, const struct sql_order *order) {
    if (order->nulls != SQL_NULLS_DEFAULT || !p->dialect->explicit_nulls) return order->nulls;
    return order->descending ? SQL_NULLS_LAST : SQL_NULLS_FIRST;
}

void sql_put_order(struct sql_printer *p, const struct sql_order *order, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        sql_put_expr(p, order[i].expr);
        if (order[i].descending) sql_put(p, STR(" DESC"));
        enum sql_nulls nulls = nulls_of(p, &order[i]);
        if (nulls == SQL_NULLS_FIRST) sql_put(p, STR(" NULLS FIRST"));
        if (nulls == SQL_NULLS_LAST) sql_put(p, STR(" NULLS LAST"));
    }
}

/* -- windows and calls --------------------------------------------------------------------------
 */

static void put_bound(struct sql_printer *p, const struct sql_bound *bound) {
    switch (bound->kind) {
    case SQL_UNBOUNDED_PRECEDING: sql_put(p, STR("UNBOUNDED PRECEDING")); return;
    case SQL_CURRENT_ROW: sql_put(p, STR("CURRENT ROW")); return;
    case SQL_UNBOUNDED_FOLLOWING: sql_put(p, STR("UNBOUNDED FOLLOWING")); return;
    case SQL_PRECEDING:
        sql_put_operand(p, bound->expr);
        sql_put(p, STR(" PRECEDING"));
        return;
    case SQL_FOLLOWING:
        sql_put_operand(p, bound->expr);
        sql_put(p, STR(" FOLLOWING"));
        return;
    }
    refuse_no_node(p, "frame bound");
}

static void put_exclude(struct sql_printer *p, enum sql_exclude exclude) {
    switch (exclude) {
    case SQL_EXCLUDE_NONE: return;
    case SQL_EXCLUDE_CURRENT_ROW: sql_put(p, STR(" EXCLUDE CURRENT ROW")); return;
    case SQL_EXCLUDE_GROUP: sql_put(p, STR(" EXCLUDE GROUP")); return;
    case SQL_EXCLUDE_TIES: sql_put(p, STR(" EXCLUDE TIES")); return;
    }
}

static void put_frame(struct sql_printer *p, const struct sql_frame *frame) {
    switch (frame->unit) {
    case SQL_FRAME_ROWS: sql_put(p, STR("ROWS BETWEEN ")); break;
    case SQL_FRAME_RANGE: sql_put(p, STR("RANGE BETWEEN ")); break;
    case SQL_FRAME_GROUPS: sql_put(p, STR("GROUPS BETWEEN ")); break;
    }
    put_bound(p, &frame->start);
    sql_put(p, STR(" AND "));
    put_bound(p, &frame->end);
    put_exclude(p, frame->exclude);
}

void sql_put_window(struct sql_printer *p, const struct sql_window *window) {
    static const struct sql_frame up_to_here = {
        .unit = SQL_FRAME_ROWS,
        .start = {.kind = SQL_UNBOUNDED_PRECEDING},
        .end = {.kind = SQL_CURRENT_ROW},
    };
    const struct sql_frame *frame = window->frame;
    if (frame == NULL && window->n_order > 0 && p->dialect->explicit_frame) frame = &up_to_here;
    const char *gap = "";
    if (sql_name_given(&window->base)) {
        sql_put_name(p, &window->base);
        gap = " ";
    }
    if (window->partition.n > 0) {
        sql_putf(p, "%sPARTITION BY ", gap);
        sql_put_exprs(p, &window->partition);
        gap = " ";
    }
    if (window->n_order > 0) {
        sql_putf(p, "%sORDER BY ", gap);
        sql_put_order(p, window->order, window->n_order);
        gap = " ";
    }
    if (frame == NULL) return;
    sql_put(p, str_of(gap));
    put_frame(p, frame);
}

static void put_over(struct sql_printer *p, const struct sql_window *window) {
    sql_put(p, STR(" OVER "));
    if (window->is_name) {
        sql_put_name(p, &window->base);
        return;
    }
    sql_put_byte(p, '(');
    sql_put_window(p, window);
    sql_put_byte(p, ')');
}

void sql_put_call_tail(struct sql_printer *p, const struct sql_call *call) {
    if (call->n_within > 0) {
        sql_put(p, STR(" WITHIN GROUP (ORDER BY "));
        sql_put_order(p, call->within, call->n_within);
        sql_put_byte(p, ')');
    }
    if (call->filter != NULL) {
        sql_put(p, STR(" FILTER (WHERE "));
        sql_put_expr(p, call->filter);
        sql_put_byte(p, ')');
    }
    if (call->over != NULL) put_over(p, call->over);
}

static void put_call(struct sql_printer *p, const struct sql_call *call) {
    p->dialect->function(p, call);
    sql_put(p, call->distinct ? STR("(DISTINCT ") : STR("("));
    sql_put_exprs(p, &call->args);
    sql_put_byte(p, ')');
    sql_put_call_tail(p, call);
}

/* -- expressions ------------------------------------------------------------------------------ */

static void put_op(struct sql_printer *p, const struct sql_expr *expr) {
    const char *op = expr->op <= SQL_OP_OR ? p->dialect->op[expr->op] : NULL;
    if (op == NULL) {
        sql_put_refusal(p, expr->span, "%s has no way to write this operator", p->dialect->name);
        return;
    }
    sql_put(p, str_of(op));
}

static void put_binary(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put_operand(p, expr->binary.left);
    sql_put_byte(p, ' ');
    if (expr->op == SQL_OP_DISTINCT && expr->negated) {
        sql_put(p, STR("IS NOT DISTINCT FROM"));
    } else {
        if (expr->negated) sql_put(p, STR("NOT "));
        put_op(p, expr);
    }
    sql_put_byte(p, ' ');
    sql_put_operand(p, expr->binary.right);
}

static void put_chain(struct sql_printer *p, const struct sql_expr *expr) {
    for (size_t i = 0; i < expr->items.n; i++) {
        if (i > 0) {
            sql_put_byte(p, ' ');
            put_op(p, expr);
            sql_put_byte(p, ' ');
        }
        sql_put_operand(p, expr->items.at[i]);
    }
}

static void put_unary(struct sql_printer *p, const struct sql_expr *expr) {
    put_op(p, expr);
    if (expr->op == SQL_OP_NOT) sql_put_byte(p, ' ');
    sql_put_operand(p, expr->operand);
}

static void put_case(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("CASE"));
    if (expr->cases.operand != NULL) {
        sql_put_byte(p, ' ');
        sql_put_operand(p, expr->cases.operand);
    }
    for (size_t i = 0; i < expr->cases.n_whens; i++) {
        sql_put(p, STR(" WHEN "));
        sql_put_expr(p, expr->cases.whens[i].when);
        sql_put(p, STR(" THEN "));
        sql_put_expr(p, expr->cases.whens[i].then);
    }
    if (expr->cases.otherwise != NULL) {
        sql_put(p, STR(" ELSE "));
        sql_put_expr(p, expr->cases.otherwise);
    }
    sql_put(p, STR(" END"));
}

static void put_between(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put_operand(p, expr->between.value);
    sql_put(p, expr->negated ? STR(" NOT BETWEEN ") : STR(" BETWEEN "));
    sql_put_operand(p, expr->between.low);
    sql_put(p, STR(" AND "));
    sql_put_operand(p, expr->between.high);
}

static void put_in(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put_operand(p, expr->in.value);
    sql_put(p, expr->negated ? STR(" NOT IN (") : STR(" IN ("));
    if (expr->kind == SQL_IN_QUERY)
        sql_put_query(p, expr->in.query);
    else
        sql_put_exprs(p, &expr->in.list);
    sql_put_byte(p, ')');
}

static void put_star(struct sql_printer *p, const struct sql_star *star) {
    if (star->qualifier.n > 0) {
        sql_put_path(p, &star->qualifier);
        sql_put_byte(p, '.');
    }
    sql_put_byte(p, '*');
    if (star->except.n > 0) {
        sql_put(p, STR(" EXCEPT ("));
        sql_put_names(p, &star->except);
        sql_put_byte(p, ')');
    }
    for (size_t i = 0; i < star->n_replace; i++) {
        sql_put(p, i == 0 ? STR(" REPLACE (") : STR(", "));
        sql_put_expr(p, star->replace[i].expr);
        sql_put(p, STR(" AS "));
        sql_put_name(p, &star->replace[i].name);
    }
    if (star->n_replace > 0) sql_put_byte(p, ')');
}

const char *sql_unit_name(enum sql_unit unit) {
    switch (unit) {
    case SQL_UNIT_NONE: return NULL;
    case SQL_UNIT_YEAR: return "YEAR";
    case SQL_UNIT_QUARTER: return "QUARTER";
    case SQL_UNIT_MONTH: return "MONTH";
    case SQL_UNIT_WEEK: return "WEEK";
    case SQL_UNIT_DAY: return "DAY";
    case SQL_UNIT_HOUR: return "HOUR";
    case SQL_UNIT_MINUTE: return "MINUTE";
    case SQL_UNIT_SECOND: return "SECOND";
    }
    return NULL;
}

static void put_unit(struct sql_printer *p, enum sql_unit unit, uint32_t precision) {
    const char *name = sql_unit_name(unit);
    if (name == NULL)
        refuse_no_node(p, "unit of time");
    else
        sql_put(p, str_of(name));
    if (precision > 0) sql_putf(p, "(%u)", (unsigned)precision);
}

static bool is_plain_value(const struct sql_expr *expr) {
    if (expr->kind != SQL_LITERAL) return false;
    return expr->literal.kind == SQL_STRING || expr->literal.kind == SQL_INTEGER ||
           expr->literal.kind == SQL_NUMBER;
}

static void put_interval(struct sql_printer *p, const struct sql_interval *interval) {
    bool plain = is_plain_value(interval->value);
    sql_put(p, plain ? STR("INTERVAL ") : STR("INTERVAL ("));
    sql_put_expr(p, interval->value);
    sql_put(p, plain ? STR(" ") : STR(") "));
    put_unit(p, interval->from, interval->precision);
    if (interval->to == SQL_UNIT_NONE) return;
    sql_put(p, STR(" TO "));
    put_unit(p, interval->to, interval->fraction);
}

static void put_extract(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("EXTRACT("));
    put_unit(p, expr->extract.unit, 0);
    sql_put(p, STR(" FROM "));
    sql_put_expr(p, expr->extract.from);
    sql_put_byte(p, ')');
}

static void put_cast(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("CAST("));
    sql_put_expr(p, expr->cast.value);
    sql_put(p, STR(" AS "));
    p->dialect->type(p, &expr->cast.type);
    sql_put_byte(p, ')');
}

/* (a.b).c is a field of something; a.b.c is a name. */
static void put_base(struct sql_printer *p, const struct sql_expr *base, bool names_may_stand) {
    bool stands = base->kind == SQL_FIELD || base->kind == SQL_INDEX ||
                  base->kind == SQL_SUBQUERY || base->kind == SQL_CAST ||
                  base->kind == SQL_EXTRACT || (base->kind == SQL_REF && names_may_stand) ||
                  (base->kind == SQL_CALL && base->call.over == NULL && base->call.n_within == 0 &&
                   base->call.filter == NULL);
    if (!stands) sql_put_byte(p, '(');
    sql_put_expr(p, base);
    if (!stands) sql_put_byte(p, ')');
}

static void put_field(struct sql_printer *p, const struct sql_expr *expr) {
    put_base(p, expr->field.base, false);
    sql_put_byte(p, '.');
    sql_put_name(p, &expr->field.name);
}

static void put_index(struct sql_printer *p, const struct sql_expr *expr) {
    put_base(p, expr->index.base, true);
    sql_put_byte(p, '[');
    sql_put_expr(p, expr->index.index);
    sql_put_byte(p, ']');
}

static void put_lambda(struct sql_printer *p, const struct sql_expr *expr) {
    bool one = expr->lambda.params.n == 1;
    if (!one) sql_put_byte(p, '(');
    sql_put_names(p, &expr->lambda.params);
    sql_put(p, one ? STR(" -> ") : STR(") -> "));
    sql_put_expr(p, expr->lambda.body);
}

static void put_param(struct sql_printer *p, const struct sql_name *param) {
    sql_put_byte(p, sql_name_given(param) ? ':' : '?');
    if (sql_name_given(param)) sql_put_name(p, param);
}

static void put_parens(struct sql_printer *p, struct str before, const struct sql_query *query) {
    sql_put(p, before);
    sql_put_byte(p, '(');
    sql_put_query(p, query);
    sql_put_byte(p, ')');
}

static void put_row(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put_byte(p, '(');
    sql_put_exprs(p, &expr->items);
    sql_put_byte(p, ')');
}

static void put_is_null(struct sql_printer *p, const struct sql_expr *expr) {
    sql_put_operand(p, expr->operand);
    sql_put(p, expr->negated ? STR(" IS NOT NULL") : STR(" IS NULL"));
}

static void put_kind(struct sql_printer *p, const struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_LITERAL: p->dialect->literal(p, &expr->literal); return;
    case SQL_INTERVAL: put_interval(p, &expr->interval); return;
    case SQL_PARAM: put_param(p, &expr->param); return;
    case SQL_REF: sql_put_path(p, &expr->ref); return;
    case SQL_STAR: put_star(p, &expr->star); return;
    case SQL_FIELD: put_field(p, expr); return;
    case SQL_INDEX: put_index(p, expr); return;
    case SQL_CALL: put_call(p, &expr->call); return;
    case SQL_EXTRACT: put_extract(p, expr); return;
    case SQL_CAST: put_cast(p, expr); return;
    case SQL_CASE: put_case(p, expr); return;
    case SQL_UNARY: put_unary(p, expr); return;
    case SQL_BINARY: put_binary(p, expr); return;
    case SQL_CHAIN: put_chain(p, expr); return;
    case SQL_IS_NULL: put_is_null(p, expr); return;
    case SQL_BETWEEN: put_between(p, expr); return;
    case SQL_IN_LIST:
    case SQL_IN_QUERY: put_in(p, expr); return;
    case SQL_EXISTS: put_parens(p, STR("EXISTS "), expr->query); return;
    case SQL_SUBQUERY: put_parens(p, STR(""), expr->query); return;
    case SQL_ROW: put_row(p, expr); return;
    case SQL_LAMBDA: put_lambda(p, expr); return;
    }
    refuse_no_node(p, "expression");
}

void sql_put_expr(struct sql_printer *p, const struct sql_expr *expr) {
    if (expr == NULL) {
        refuse_no_node(p, "expression");
        return;
    }
    if (!sql_put_descend(p, expr->span)) return;
    if (p->dialect->expr == NULL || !p->dialect->expr(p, expr)) put_kind(p, expr);
    p->depth--;
}

/* Closed on both sides, so that nothing next to it can take a part away. */
static bool is_atomic(const struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_LITERAL:
    case SQL_PARAM:
    case SQL_REF:
    case SQL_FIELD:
    case SQL_INDEX:
    case SQL_CALL:
    case SQL_EXTRACT:
    case SQL_CAST:
    case SQL_CASE:
    case SQL_EXISTS:
    case SQL_SUBQUERY:
    case SQL_ROW: return true;
    case SQL_INTERVAL:
    case SQL_STAR:
    case SQL_UNARY:
    case SQL_BINARY:
    case SQL_CHAIN:
    case SQL_IS_NULL:
    case SQL_BETWEEN:
    case SQL_IN_LIST:
    case SQL_IN_QUERY:
    case SQL_LAMBDA: return false;
    }
    return false;
}

void sql_put_operand(struct sql_printer *p, const struct sql_expr *expr) {
    bool atomic = expr == NULL || is_atomic(expr);
    if (!atomic) sql_put_byte(p, '(');
    sql_put_expr(p, expr);
    if (!atomic) sql_put_byte(p, ')');
}

/* -- doors ------------------------------------------------------------------------------------ */

static result finish(const struct sql_printer *p) {
    if (p->failed != FAIL_NONE) return (result){p->failed};
    return buf_failed(p->out, p->report);
}

result sql_print(const struct sql_query *query, const struct sql_dialect *dialect, void *with,
                 struct buf *out, struct report *report) {
    struct sql_printer p = {.out = out, .dialect = dialect, .with = with, .report = report};
    sql_put_query(&p, query);
    return finish(&p);
}

result sql_print_expr(const struct sql_expr *expr, const struct sql_dialect *dialect, void *with,
                      struct buf *out, struct report *report) {
    struct sql_printer p = {.out = out, .dialect = dialect, .with = with, .report = report};
    sql_put_expr(&p, expr);
    return finish(&p);
}
