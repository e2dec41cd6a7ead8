/* sql/resolve_expr.c - expressions and their types; see resolve_inner.h */
#include "sql/resolve_inner.h"

struct resolved_node *node_of(struct resolver *r, uint32_t id) {
    /* A node without an id did not come of the parser; its row is a place that nobody reads. */
    return &r->out->nodes[id < r->out->n_nodes ? id : 0];
}

struct sql_type type_of(const struct env *env, const struct sql_expr *expr) {
    return node_of(env->r, expr->id)->type;
}

result resolve_exprs(const struct env *env, const struct sql_exprs *exprs) {
    for (size_t i = 0; i < exprs->n; i++) TRY(resolve_expr(env, exprs->at[i]));
    return OK;
}

result resolve_orders(const struct env *env, const struct sql_order *orders, size_t n) {
    for (size_t i = 0; i < n; i++) TRY(resolve_expr(env, orders[i].expr));
    return OK;
}

/* -- types ------------------------------------------------------------------------------------ */

static enum sql_type_kind integer_kind(struct str digits) {
    int64_t value;
    return str_to_i64(digits, &value) ? SQL_TYPE_BIGINT : SQL_TYPE_DECIMAL;
}

static enum sql_type_kind literal_kind(const struct sql_literal *literal) {
    switch (literal->kind) {
    case SQL_NULL: return SQL_TYPE_NULL;
    case SQL_TRUE:
    case SQL_FALSE: return SQL_TYPE_BOOLEAN;
    case SQL_INTEGER: return integer_kind(literal->text);
    case SQL_BIGINT: return SQL_TYPE_BIGINT;
    case SQL_SMALLINT: return SQL_TYPE_SMALLINT;
    case SQL_TINYINT: return SQL_TYPE_TINYINT;
    case SQL_NUMBER: return SQL_TYPE_DOUBLE;
    case SQL_DECIMAL: return SQL_TYPE_DECIMAL;
    case SQL_STRING: return SQL_TYPE_STRING;
    case SQL_DATE: return SQL_TYPE_DATE;
    case SQL_DATETIME: return SQL_TYPE_DATETIME;
    case SQL_TIMESTAMP: return SQL_TYPE_TIMESTAMP;
    case SQL_TIMESTAMP_NTZ: return SQL_TYPE_TIMESTAMP_NTZ;
    }
    return SQL_TYPE_UNKNOWN;
}

static struct sql_type division_type(const struct sql_type *a, const struct sql_type *b) {
    bool has_real = a->kind == SQL_TYPE_FLOAT || a->kind == SQL_TYPE_DOUBLE ||
                    b->kind == SQL_TYPE_FLOAT || b->kind == SQL_TYPE_DOUBLE ||
                    sql_type_is_text(a->kind) || sql_type_is_text(b->kind);
    bool has_decimal = a->kind == SQL_TYPE_DECIMAL || b->kind == SQL_TYPE_DECIMAL;
    return has_decimal && !has_real ? SQL_TYPE(DECIMAL) : SQL_TYPE(DOUBLE);
}

static struct sql_type binary_type(enum sql_op op, struct sql_type left, struct sql_type right) {
    switch (op) {
    case SQL_OP_DIV: return division_type(&left, &right);
    case SQL_OP_MUL:
    case SQL_OP_MOD:
    case SQL_OP_ADD:
    case SQL_OP_SUB: return sql_type_arithmetic(&left, &right);
    case SQL_OP_INT_DIV:
    case SQL_OP_BIT_XOR:
    case SQL_OP_BIT_AND:
    case SQL_OP_BIT_OR: return SQL_TYPE(BIGINT);
    case SQL_OP_CONCAT: return SQL_TYPE(STRING);
    case SQL_OP_EQ:
    case SQL_OP_NULL_EQ:
    case SQL_OP_NE:
    case SQL_OP_LT:
    case SQL_OP_LE:
    case SQL_OP_GT:
    case SQL_OP_GE:
    case SQL_OP_LIKE:
    case SQL_OP_RLIKE:
    case SQL_OP_DISTINCT:
    case SQL_OP_AND:
    case SQL_OP_OR:
    case SQL_OP_NOT: return SQL_TYPE(BOOLEAN);
    case SQL_OP_NONE:
    case SQL_OP_MINUS:
    case SQL_OP_PLUS:
    case SQL_OP_BIT_NOT: break;
    }
    return SQL_TYPE(UNKNOWN);
}

static struct sql_type unary_type(enum sql_op op, struct sql_type operand) {
    if (op == SQL_OP_NOT) return SQL_TYPE(BOOLEAN);
    if (op == SQL_OP_BIT_NOT) return SQL_TYPE(BIGINT);
    return sql_type_is_text(operand.kind) ? SQL_TYPE(DOUBLE) : operand;
}

static struct sql_type interval_type(const struct sql_interval *interval) {
    bool is_months = interval->from == SQL_UNIT_YEAR || interval->from == SQL_UNIT_QUARTER ||
                     interval->from == SQL_UNIT_MONTH;
    return is_months ? SQL_TYPE(INTERVAL_YEAR_MONTH) : SQL_TYPE(INTERVAL_DAY_TIME);
}

static struct sql_type element_type(const struct sql_type *base) {
    if ((base->kind == SQL_TYPE_ARRAY || base->kind == SQL_TYPE_MAP) && base->element != NULL)
        return *base->element;
    return base->kind == SQL_TYPE_JSON ? SQL_TYPE(JSON) : SQL_TYPE(UNKNOWN);
}

/* -- the kinds that do more than ask their parts ---------------------------------------------- */

enum { FIELD_CHAIN_MAX = 16 }; /* deeper chains are taken in pieces */

/* e.f: fields over a plain name belong to the name's path, so that a denied field is told from the
 * rest of its struct however it is written. */
static result resolve_field(const struct env *env, struct sql_expr *expr, struct sql_type *type) {
    const struct sql_name *fields[FIELD_CHAIN_MAX];
    size_t n = 0;
    struct sql_expr *base = expr;
    for (; base->kind == SQL_FIELD && n < FIELD_CHAIN_MAX; base = base->field.base)
        fields[FIELD_CHAIN_MAX - ++n] = &base->field.name;
    if (base->kind == SQL_REF)
        return scope_resolve_ref(env, base, &fields[FIELD_CHAIN_MAX - n], n, type);
    TRY(resolve_expr(env, expr->field.base));
    struct sql_type inner = type_of(env, expr->field.base);
    const struct sql_field *field = sql_type_field(&inner, expr->field.name.text);
    if (field == NULL && inner.kind == SQL_TYPE_STRUCT)
        return absent_error(env->r, expr->span, "no field '" STR_FMT "' in the struct",
                            STR_ARG(utf8_clip(expr->field.name.text, 128)));
    *type = field != NULL ? field->type : SQL_TYPE(UNKNOWN);
    return OK;
}

static result resolve_case(const struct env *env, const struct sql_expr *expr,
                           struct sql_type *type) {
    *type = SQL_TYPE(NULL);
    if (expr->cases.operand != NULL) TRY(resolve_expr(env, expr->cases.operand));
    for (size_t i = 0; i < expr->cases.n_whens; i++) {
        TRY(resolve_expr(env, expr->cases.whens[i].when));
        TRY(resolve_expr(env, expr->cases.whens[i].then));
        struct sql_type then = type_of(env, expr->cases.whens[i].then);
        *type = sql_type_common(type, &then);
    }
    if (expr->cases.otherwise == NULL) return OK;
    TRY(resolve_expr(env, expr->cases.otherwise));
    struct sql_type otherwise = type_of(env, expr->cases.otherwise);
    *type = sql_type_common(type, &otherwise);
    return OK;
}

static size_t n_shown(const struct resolved_query *query) {
    size_t n = 0;
    for (size_t i = 0; i < query->n_outputs; i++) n += !query->outputs[i].hidden;
    return n;
}

static result resolve_inner_query(const struct env *env, struct sql_query *query,
                                  struct resolved_query **out) {
    if (env->no_query != NULL)
        return not_supported(env->r, query->span, "a subquery in %s", env->no_query);
    return resolve_query(env->r, query, env, env->ctes, out);
}

/* A subquery as a value: `wanted` columns. */
static result resolve_value_query(const struct env *env, struct sql_expr *expr,
                                  struct sql_query *query, size_t wanted, struct sql_type *type) {
    struct resolved_query *inner = NULL;
    TRY(resolve_inner_query(env, query, &inner));
    node_of(env->r, expr->id)->query = inner;
    if (n_shown(inner) != wanted)
        return name_error(env->r, query->span, "the subquery has %zu columns where %zu %s expected",
                          n_shown(inner), wanted, wanted == 1 ? "is" : "are");
    size_t first = 0;
    while (inner->outputs[first].hidden) first++;
    *type = inner->outputs[first].type;
    return OK;
}

/* One side of IN or of a comparison, where alone a row of values means something: it has no type
 * that a column could have, and said again as a key it would be several. */
static result resolve_side(const struct env *env, struct sql_expr *expr) {
    return expr->kind == SQL_ROW ? resolve_exprs(env, &expr->items) : resolve_expr(env, expr);
}

static result resolve_in_query(const struct env *env, struct sql_expr *expr) {
    const struct sql_expr *value = expr->in.value;
    struct sql_type ignored;
    TRY(resolve_side(env, expr->in.value));
    return resolve_value_query(env, expr, expr->in.query,
                               value->kind == SQL_ROW ? value->items.n : 1, &ignored);
}

/* A lambda that is no argument of a function has nothing to stand for. */
static result resolve_stray(const struct env *env, const struct sql_expr *expr) {
    const char *what = expr->kind == SQL_LAMBDA ? "a lambda" : "a star";
    return name_error(env->r, expr->span, "%s stands where a value is expected", what);
}

static result resolve_param(const struct env *env, const struct sql_expr *expr) {
    if (expr->param.text.ptr == NULL)
        return not_supported(env->r, expr->span, "the placeholder '?'");
    return not_supported(env->r, expr->span, "the placeholder ':" STR_FMT "'",
                         STR_ARG(utf8_clip(expr->param.text, 128)));
}

static result resolve_index(const struct env *env, const struct sql_expr *expr,
                            struct sql_type *type) {
    TRY(resolve_expr(env, expr->index.base));
    TRY(resolve_expr(env, expr->index.index));
    struct sql_type base = type_of(env, expr->index.base);
    *type = element_type(&base);
    return OK;
}

static result resolve_in_list(const struct env *env, const struct sql_expr *expr) {
    TRY(resolve_side(env, expr->in.value));
    for (size_t i = 0; i < expr->in.list.n; i++) TRY(resolve_side(env, expr->in.list.at[i]));
    return OK;
}

static bool is_comparison(enum sql_op op) {
    return (op >= SQL_OP_EQ && op <= SQL_OP_GE) || op == SQL_OP_DISTINCT;
}

static result resolve_binary(const struct env *env, const struct sql_expr *expr,
                             struct sql_type *type) {
    result (*resolve)(const struct env *, struct sql_expr *) =
        is_comparison(expr->op) ? resolve_side : resolve_expr;
    TRY(resolve(env, expr->binary.left));
    TRY(resolve(env, expr->binary.right));
    *type =
        binary_type(expr->op, type_of(env, expr->binary.left), type_of(env, expr->binary.right));
    return OK;
}

static result resolve_between(const struct env *env, const struct sql_expr *expr) {
    TRY(resolve_expr(env, expr->between.value));
    TRY(resolve_expr(env, expr->between.low));
    return resolve_expr(env, expr->between.high);
}

/* -- all of them ------------------------------------------------------------------------------ */

static result resolve_kind(const struct env *env, struct sql_expr *expr, struct sql_type *type) {
    struct resolved_query *query = NULL;
    switch (expr->kind) {
    case SQL_LITERAL: type->kind = literal_kind(&expr->literal); return OK;
    case SQL_INTERVAL:
        *type = interval_type(&expr->interval);
        return resolve_expr(env, expr->interval.value);
    case SQL_PARAM: return resolve_param(env, expr);
    case SQL_REF: return scope_resolve_ref(env, expr, NULL, 0, type);
    case SQL_STAR:
    case SQL_LAMBDA: return resolve_stray(env, expr);
    case SQL_FIELD: return resolve_field(env, expr, type);
    case SQL_INDEX: return resolve_index(env, expr, type);
    case SQL_CALL: return resolve_call(env, expr);
    case SQL_EXTRACT: type->kind = SQL_TYPE_BIGINT; return resolve_expr(env, expr->extract.from);
    case SQL_CAST: *type = expr->cast.type; return resolve_expr(env, expr->cast.value);
    case SQL_CASE: return resolve_case(env, expr, type);
    case SQL_UNARY:
        TRY(resolve_expr(env, expr->operand));
        *type = unary_type(expr->op, type_of(env, expr->operand));
        return OK;
    case SQL_BINARY: return resolve_binary(env, expr, type);
    case SQL_CHAIN:
        *type = binary_type(expr->op, SQL_TYPE(UNKNOWN), SQL_TYPE(UNKNOWN));
        return resolve_exprs(env, &expr->items);
    case SQL_ROW:
        return not_supported(env->r, expr->span, "a row of values outside IN and comparisons");
    case SQL_IS_NULL: type->kind = SQL_TYPE_BOOLEAN; return resolve_expr(env, expr->operand);
    case SQL_BETWEEN: type->kind = SQL_TYPE_BOOLEAN; return resolve_between(env, expr);
    case SQL_IN_LIST: type->kind = SQL_TYPE_BOOLEAN; return resolve_in_list(env, expr);
    case SQL_IN_QUERY: type->kind = SQL_TYPE_BOOLEAN; return resolve_in_query(env, expr);
    case SQL_EXISTS:
        type->kind = SQL_TYPE_BOOLEAN;
        TRY(resolve_inner_query(env, expr->query, &query));
        node_of(env->r, expr->id)->query = query;
        return OK;
    case SQL_SUBQUERY: return resolve_value_query(env, expr, expr->query, 1, type);
    }
    return not_supported(env->r, expr->span, "an expression of an unknown kind");
}

result resolve_expr(const struct env *env, struct sql_expr *expr) {
    struct sql_type type = {0};
    TRY(resolve_kind(env, expr, &type));
    /* These set their own node: a REF that is named in a FIELD has another type than the FIELD. */
    if (expr->kind != SQL_CALL && expr->kind != SQL_REF) node_of(env->r, expr->id)->type = type;
    return OK;
}
