/* Operators: what they turn their operands into. Division by zero gives NULL. */
#include "sql/dialect_engine.h"

static void put_two(printer *p, const struct sql_expr *expr, dialect_put put, const char *op) {
    put(p, expr->binary.left);
    sql_put(p, str_of(op));
    put(p, expr->binary.right);
}

/* -- comparison ------------------------------------------------------------------------------- */

/* What both sides are compared as; NULL: it is refused. */
static dialect_put comparing(enum sql_type_kind a, enum sql_type_kind b) {
    if (a == SQL_TYPE_NULL || b == SQL_TYPE_NULL) return dialect_put_plain;
    if (sql_type_is_text(a) && sql_type_is_text(b)) return dialect_put_plain;
    if (sql_type_is_number(a) && sql_type_is_number(b)) return dialect_put_plain;
    if (sql_type_is_text(b)) {
        enum sql_type_kind swap = a;
        a = b;
        b = swap;
    }
    if (sql_type_is_text(a)) {
        if (b == SQL_TYPE_DECIMAL) return dialect_put_decimal;
        if (sql_type_is_number(b)) return dialect_put_double;
        if (sql_type_is_time(b)) return dialect_put_time;
        return NULL;
    }
    if (sql_type_is_time(a) && sql_type_is_time(b))
        return a == SQL_TYPE_DATE || b == SQL_TYPE_DATE ? dialect_put_time : dialect_put_plain;
    return a == b ? dialect_put_plain : NULL;
}

static dialect_put compared(printer *p, const struct sql_expr *left, const struct sql_expr *right) {
    enum sql_type_kind a = dialect_kind(p, left), b = dialect_kind(p, right);
    if (left->kind == SQL_ROW || right->kind == SQL_ROW) return dialect_put_plain;
    dialect_put put = comparing(a, b);
    if (put != NULL && a == SQL_TYPE_DATE && b == SQL_TYPE_DATE) put = dialect_put_plain;
    bool is_known = a != SQL_TYPE_UNKNOWN && b != SQL_TYPE_UNKNOWN;
    if (!is_known && p->dialect->engine->needs_types) put = NULL;
    if (put == NULL)
        dialect_refuse(p, left->span, "a comparison of %s with %s", sql_type_name(a),
                       sql_type_name(b));
    return put != NULL ? put : dialect_put_plain;
}

/* The order of texts is that of their bytes, in every database. */
static void put_collation(printer *p, const struct sql_expr *left, const struct sql_expr *right) {
    const char *collation = p->dialect->engine->collation;
    if (collation[0] == '\0') return;
    if (sql_type_is_text(dialect_kind(p, left)) || sql_type_is_text(dialect_kind(p, right)))
        sql_put(p, str_of(collation));
}

void dialect_put_compare(printer *p, const struct sql_expr *left, const char *op,
                         const struct sql_expr *right) {
    dialect_put put = compared(p, left, right);
    put(p, left);
    if (put == dialect_put_plain) put_collation(p, left, right);
    sql_put(p, str_of(op));
    put(p, right);
}

/* -- arithmetic ------------------------------------------------------------------------------- */

static bool is_nonzero_literal(const struct sql_expr *expr) {
    if (expr->kind != SQL_LITERAL) return false;
    if (expr->literal.kind != SQL_INTEGER && expr->literal.kind != SQL_BIGINT &&
        expr->literal.kind != SQL_NUMBER)
        return false;
    for (size_t i = 0; i < expr->literal.text.len; i++) {
        char c = expr->literal.text.ptr[i];
        if (c == 'e' || c == 'E') return false;
        if (c >= '1' && c <= '9') return true;
    }
    return false;
}

void dialect_put_divisor(printer *p, const struct sql_expr *expr, dialect_put put) {
    bool is_safe = is_nonzero_literal(expr);
    if (!is_safe) sql_put(p, STR("nullif("));
    put(p, expr);
    if (!is_safe) sql_put(p, STR(", 0)"));
}

bool dialect_are_integers(const printer *p, const struct sql_expr *expr) {
    return sql_type_is_integer(dialect_kind(p, expr->binary.left)) &&
           sql_type_is_integer(dialect_kind(p, expr->binary.right));
}

static bool is_interval(enum sql_type_kind kind) {
    return kind == SQL_TYPE_INTERVAL_YEAR_MONTH || kind == SQL_TYPE_INTERVAL_DAY_TIME;
}

static bool is_of_days(const struct sql_expr *expr) {
    bool is_mixed = expr->kind == SQL_INTERVAL && expr->interval.from == SQL_UNIT_DAY &&
                    expr->interval.to != SQL_UNIT_NONE;
    return expr->kind == SQL_INTERVAL && !is_mixed && expr->interval.from != SQL_UNIT_HOUR &&
           expr->interval.from != SQL_UNIT_MINUTE && expr->interval.from != SQL_UNIT_SECOND;
}

/* A time plus or minus an interval; a date stays one when it is moved by days. */
static void put_moved(printer *p, const struct sql_expr *expr, const char *op) {
    const struct sql_expr *left = expr->binary.left, *right = expr->binary.right;
    enum sql_type_kind a = dialect_kind(p, left), b = dialect_kind(p, right);
    bool is_swapped = is_interval(a) && sql_type_is_time(b) && expr->op == SQL_OP_ADD;
    const struct sql_expr *time = is_swapped ? right : left, *by = is_swapped ? left : right;
    if (!is_swapped && !(sql_type_is_time(a) && is_interval(b))) {
        dialect_refuse(p, expr->span, "arithmetic between %s and %s", sql_type_name(a),
                       sql_type_name(b));
        return;
    }
    bool is_date = dialect_kind(p, time) == SQL_TYPE_DATE && is_of_days(by);
    dialect_wrap(p, is_date ? "CAST(" : "", sql_put_operand, time, op);
    dialect_wrap(p, "", sql_put_operand, by, is_date ? " AS " : "");
    if (!is_date) return;
    dialect_put_type(p, &SQL_TYPE(DATE));
    sql_put_byte(p, ')');
}

static bool is_small(const printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    return sql_type_is_integer(kind) && kind != SQL_TYPE_BIGINT;
}

static void put_arithmetic(printer *p, const struct sql_expr *expr, const char *op) {
    enum sql_type_kind a = dialect_kind(p, expr->binary.left),
                       b = dialect_kind(p, expr->binary.right);
    bool is_moved = sql_type_is_time(a) || sql_type_is_time(b) || is_interval(a) || is_interval(b);
    if (is_moved && expr->op != SQL_OP_MUL)
        put_moved(p, expr, op);
    else if (is_small(p, expr->binary.left) && is_small(p, expr->binary.right))
        put_two(p, expr, dialect_put_bigint, op);
    else if ((a == SQL_TYPE_DECIMAL && b == SQL_TYPE_NULL) ||
             (a == SQL_TYPE_NULL && b == SQL_TYPE_DECIMAL))
        put_two(p, expr, dialect_put_decimal, op);
    else
        put_two(p, expr, dialect_put_number, op);
}

static void put_bit_xor(printer *p, const struct sql_expr *expr) {
    const char *const *words = p->dialect->engine->bit_xor;
    sql_put(p, str_of(words[0]));
    put_two(p, expr, dialect_put_bigint, words[1]);
    sql_put(p, str_of(words[2]));
}

bool dialect_put_binary(printer *p, const struct sql_expr *expr) {
    const struct dialect_engine *engine = p->dialect->engine;
    const struct sql_expr *left = expr->binary.left, *right = expr->binary.right;
    switch (expr->op) {
    case SQL_OP_BIT_XOR: put_bit_xor(p, expr); return true;
    case SQL_OP_BIT_AND: put_two(p, expr, dialect_put_bigint, " & "); return true;
    case SQL_OP_BIT_OR: put_two(p, expr, dialect_put_bigint, " | "); return true;
    case SQL_OP_MUL:
        if (engine->multiply == NULL || !engine->multiply(p, expr)) put_arithmetic(p, expr, " * ");
        return true;
    case SQL_OP_ADD: put_arithmetic(p, expr, " + "); return true;
    case SQL_OP_SUB: put_arithmetic(p, expr, " - "); return true;
    case SQL_OP_DIV: engine->divide(p, expr); return true;
    case SQL_OP_MOD: engine->remainder(p, left, right); return true;
    case SQL_OP_INT_DIV: engine->divide_whole(p, expr); return true;
    case SQL_OP_EQ: dialect_put_compare(p, left, " = ", right); return true;
    case SQL_OP_NULL_EQ: dialect_put_compare(p, left, " IS NOT DISTINCT FROM ", right); return true;
    case SQL_OP_NE: dialect_put_compare(p, left, " <> ", right); return true;
    case SQL_OP_LT: dialect_put_compare(p, left, " < ", right); return true;
    case SQL_OP_LE: dialect_put_compare(p, left, " <= ", right); return true;
    case SQL_OP_GT: dialect_put_compare(p, left, " > ", right); return true;
    case SQL_OP_GE: dialect_put_compare(p, left, " >= ", right); return true;
    case SQL_OP_DISTINCT:
        dialect_put_compare(p, left,
                            expr->negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ", right);
        return true;
    case SQL_OP_LIKE: engine->like(p, expr); return true;
    case SQL_OP_RLIKE: engine->rlike(p, expr); return true;
    case SQL_OP_NONE:
    case SQL_OP_NOT:
    case SQL_OP_MINUS:
    case SQL_OP_PLUS:
    case SQL_OP_BIT_NOT:
    case SQL_OP_CONCAT:
    case SQL_OP_AND:
    case SQL_OP_OR: break;
    }
    return false;
}

/* -- one operand, and chains ------------------------------------------------------------------ */

bool dialect_put_unary(printer *p, const struct sql_expr *expr) {
    switch ((int)expr->op) {
    case SQL_OP_NOT:
        sql_put(p, STR("NOT "));
        dialect_put_boolean(p, expr->operand);
        return true;
    case SQL_OP_MINUS:
        sql_put_byte(p, '-');
        dialect_put_number(p, expr->operand);
        return true;
    case SQL_OP_PLUS: dialect_put_number(p, expr->operand); return true;
    case SQL_OP_BIT_NOT:
        sql_put_byte(p, '~');
        dialect_put_bigint(p, expr->operand);
        return true;
    default: return false;
    }
}

bool dialect_put_chain(printer *p, const struct sql_expr *expr) {
    const char *op = expr->op == SQL_OP_AND ? " AND " : expr->op == SQL_OP_OR ? " OR " : " || ";
    for (size_t i = 0; i < expr->items.n; i++) {
        if (i > 0) sql_put(p, str_of(op));
        if (expr->op == SQL_OP_CONCAT)
            dialect_put_text(p, expr->items.at[i]);
        else
            dialect_put_boolean(p, expr->items.at[i]);
    }
    return true;
}

/* -- BETWEEN, IN, CASE ------------------------------------------------------------------------ */

/* Engines look at all values together: with NULL in front, the others must go together too. */
static bool go_together(const printer *p, const struct sql_expr *value, const struct sql_expr *a,
                        const struct sql_expr *b) {
    return dialect_kind(p, value) != SQL_TYPE_NULL ||
           comparing(dialect_kind(p, a), dialect_kind(p, b)) == dialect_put_plain;
}

bool dialect_put_between(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *value = expr->between.value;
    dialect_put low = compared(p, value, expr->between.low);
    dialect_put high = compared(p, value, expr->between.high);
    if (low == high && go_together(p, value, expr->between.low, expr->between.high)) {
        low(p, value);
        if (low == dialect_put_plain) put_collation(p, value, expr->between.low);
        sql_put(p, expr->negated ? STR(" NOT BETWEEN ") : STR(" BETWEEN "));
        low(p, expr->between.low);
        sql_put(p, STR(" AND "));
        low(p, expr->between.high);
        return true;
    }
    if (expr->negated) sql_put(p, STR("NOT "));
    sql_put_byte(p, '(');
    dialect_put_compare(p, value, " >= ", expr->between.low);
    sql_put(p, STR(" AND "));
    dialect_put_compare(p, value, " <= ", expr->between.high);
    sql_put_byte(p, ')');
    return true;
}

static enum sql_type_kind query_kind(const printer *p, const struct sql_query *query) {
    const struct ruled *ruled = p->with;
    if (ruled == NULL || query->id == 0 || query->id >= ruled->first_made) return SQL_TYPE_UNKNOWN;
    const struct resolved_query *resolved = resolved_query(ruled->resolved, query);
    for (size_t i = 0; i < resolved->n_outputs; i++)
        if (!resolved->outputs[i].hidden) return resolved->outputs[i].type.kind;
    return SQL_TYPE_UNKNOWN;
}

/* Only the left side can be turned into something else. */
static dialect_put left_of_query(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *value = expr->in.value;
    enum sql_type_kind a = dialect_kind(p, value), b = query_kind(p, expr->in.query);
    dialect_put put = comparing(a, b);
    if (put == dialect_put_double && !sql_type_is_text(b)) return put;
    if (put == dialect_put_time && !sql_type_is_text(b)) return put;
    if (put == dialect_put_plain) return put;
    dialect_refuse(p, expr->span, "%s IN a query of %s", sql_type_name(a), sql_type_name(b));
    return dialect_put_plain;
}

static void put_in_list(printer *p, const struct sql_expr *expr) {
    bool is_mixed = false;
    dialect_put put = NULL;
    for (size_t i = 0; i < expr->in.list.n; i++) {
        dialect_put one = compared(p, expr->in.value, expr->in.list.at[i]);
        bool is_null = dialect_kind(p, expr->in.list.at[i]) == SQL_TYPE_NULL;
        if (i > 0)
            is_mixed = is_mixed || !go_together(p, expr->in.value, expr->in.list.at[i - 1],
                                                expr->in.list.at[i]);
        if (is_mixed || (put != NULL && one != put && !is_null))
            dialect_refuse(p, expr->in.list.at[i]->span, "IN over values of several types");
        if (put == NULL || !is_null) put = one;
    }
    if (put == NULL) put = dialect_put_plain;
    put(p, expr->in.value);
    if (put == dialect_put_plain) put_collation(p, expr->in.value, expr->in.value);
    sql_put(p, expr->negated ? STR(" NOT IN (") : STR(" IN ("));
    for (size_t i = 0; i < expr->in.list.n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put(p, expr->in.list.at[i]);
    }
    sql_put_byte(p, ')');
}

/* -- rows of values: engines disagree about NULLs within them --------------------------------- */

/* a = x AND b = y, which is NULL where a NULL leaves it open. */
static void put_row_equation(printer *p, const struct sql_expr *left,
                             const struct sql_expr *right) {
    if (right->kind != SQL_ROW || left->items.n != right->items.n) {
        dialect_refuse(p, right->span, "a row of values beside something else");
        return;
    }
    sql_put_byte(p, '(');
    for (size_t i = 0; i < left->items.n; i++) {
        if (i > 0) sql_put(p, STR(" AND "));
        sql_put_byte(p, '(');
        dialect_put_compare(p, left->items.at[i], " = ", right->items.at[i]);
        sql_put_byte(p, ')');
    }
    sql_put_byte(p, ')');
}

static void put_row_in_list(printer *p, const struct sql_expr *expr) {
    sql_put(p, expr->negated ? STR("NOT (") : STR("("));
    for (size_t i = 0; i < expr->in.list.n; i++) {
        if (i > 0) sql_put(p, STR(" OR "));
        put_row_equation(p, expr->in.value, expr->in.list.at[i]);
    }
    sql_put_byte(p, ')');
}

static enum walk see_own_name(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    if (expr->kind == SQL_REF && str_istarts(expr->ref.at[0].text, STR("weir_")))
        *(bool *)with = true;
    return WALK_ON;
}

/* The nth column of a query, which must be of the value's own type. */
static void check_column(printer *p, const struct sql_expr *expr, size_t n) {
    const struct sql_query *query = expr->in.query;
    const struct ruled *ruled = p->with;
    bool is_known = ruled != NULL && query->id != 0 && query->id < ruled->first_made;
    const struct resolved_query *resolved =
        is_known ? resolved_query(ruled->resolved, query) : NULL;
    enum sql_type_kind own = dialect_kind(p, expr->in.value->items.at[n]), kind = SQL_TYPE_UNKNOWN;
    for (size_t i = 0, at = 0; is_known && i < resolved->n_outputs; i++)
        if (!resolved->outputs[i].hidden && at++ == n) kind = resolved->outputs[i].type.kind;
    bool is_open = own == SQL_TYPE_UNKNOWN || kind == SQL_TYPE_UNKNOWN;
    if (is_open || (own != kind && comparing(own, kind) != dialect_put_plain))
        dialect_refuse(p, expr->span, "%s in a row IN a query of %s", sql_type_name(own),
                       sql_type_name(kind));
}

/* TRUE when a row is equal, NULL when one may be, else FALSE. */
static void put_row_in_query(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *row = &expr->in.value->items;
    bool is_hidden = false;
    (void)sql_walk_expr(expr->in.value,
                        &(struct sql_visitor){.expr = see_own_name, .with = &is_hidden});
    if (is_hidden) dialect_refuse(p, expr->span, "a name that begins with weir_ there");
    if (expr->negated) sql_put(p, STR("NOT "));
    sql_put(p, STR("(SELECT CASE WHEN bool_or(weir_m.m) THEN TRUE WHEN count(weir_m.m) < count(*) "
                   "THEN NULL ELSE FALSE END FROM (SELECT "));
    for (size_t i = 0; i < row->n; i++) {
        check_column(p, expr, i);
        if (i > 0) sql_put(p, STR(" AND "));
        sql_put_byte(p, '(');
        sql_put_operand(p, row->at[i]);
        put_collation(p, row->at[i], row->at[i]);
        sql_putf(p, " = weir_r.c%zu)", i);
    }
    sql_put(p, STR(" AS m FROM ("));
    sql_put_query(p, expr->in.query);
    sql_put(p, STR(") AS weir_r("));
    for (size_t i = 0; i < row->n; i++) sql_putf(p, i == 0 ? "c%zu" : ", c%zu", i);
    sql_put(p, STR(")) AS weir_m)"));
}

bool dialect_put_in(printer *p, const struct sql_expr *expr) {
    bool is_row = expr->in.value->kind == SQL_ROW;
    if (expr->kind == SQL_IN_LIST && is_row) {
        put_row_in_list(p, expr);
        return true;
    }
    if (expr->kind == SQL_IN_LIST) {
        put_in_list(p, expr);
        return true;
    }
    if (is_row) {
        put_row_in_query(p, expr);
        return true;
    }
    dialect_put put = left_of_query(p, expr);
    put(p, expr->in.value);
    if (put == dialect_put_plain) put_collation(p, expr->in.value, expr->in.value);
    sql_put(p, expr->negated ? STR(" NOT IN (") : STR(" IN ("));
    sql_put_query(p, expr->in.query);
    sql_put_byte(p, ')');
    return true;
}

/* CASE x WHEN a is CASE WHEN x = a: each WHEN is compared by its own types. */
bool dialect_put_case(printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, expr);
    sql_put(p, STR("CASE"));
    for (size_t i = 0; i < expr->cases.n_whens; i++) {
        const struct sql_when *when = &expr->cases.whens[i];
        sql_put(p, STR(" WHEN "));
        if (expr->cases.operand != NULL)
            dialect_put_compare(p, expr->cases.operand, " = ", when->when);
        else
            dialect_put_boolean(p, when->when);
        sql_put(p, STR(" THEN "));
        dialect_put_common(p, when->then, &type);
    }
    if (expr->cases.otherwise != NULL) {
        sql_put(p, STR(" ELSE "));
        dialect_put_common(p, expr->cases.otherwise, &type);
    }
    sql_put(p, STR(" END"));
    return true;
}
