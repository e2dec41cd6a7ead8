/*
 * What may run beside a row filter. Engines order conditions as they like: one that is repeated
 * inside a filtered table may meet the rows that the filter hides, and were it to fail there, or
 * for there being a row at all, the failure would tell of them. So it must be one that cannot fail:
 * columns beside literals of their own class, the clock, the newest partition, and the few
 * functions by which partitions of other days are named.
 */
#include "base/always.h"
#include "sql/partition.h"

enum { DIGITS_MAX = 18, DAYS_MAX = 100000 };

static bool is_named(const struct sql_function *function, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(function->name, names[i]) == 0) return true;
    return false;
}

/* -- values ----------------------------------------------------------------------------------- */

/* In every engine a value of the type it looks like; 300Y, 1e400 and DATE'x' are not. */
static bool is_plain_literal(const struct sql_literal *literal) {
    if (literal->kind == SQL_INTEGER || literal->kind == SQL_BIGINT || literal->kind == SQL_NUMBER)
        return literal->text.len <= DIGITS_MAX &&
               str_find_byte(literal->text, 'e') >= literal->text.len &&
               str_find_byte(literal->text, 'E') >= literal->text.len;
    return literal->kind == SQL_STRING || literal->kind == SQL_TRUE || literal->kind == SQL_FALSE;
}

static bool is_few(const struct sql_expr *expr) {
    int64_t n = 0;
    if (expr->kind == SQL_UNARY && expr->op == SQL_OP_MINUS) expr = expr->operand;
    return expr->kind == SQL_LITERAL && expr->literal.kind == SQL_INTEGER &&
           str_to_i64(expr->literal.text, &n) && n <= DAYS_MAX;
}

static bool is_text_literal(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL && expr->literal.kind == SQL_STRING;
}

/* dateadd(getdate(), -1, 'dd'), to_char(…, 'yyyymmdd'): of a time that is none by conversion. */
static bool is_total_call(const struct resolved *r, const struct sql_expr *expr) {
    static const char *const clocks[] = {"current_date", "current_timestamp", "getdate",
                                         "localtimestamp", "now"};
    static const char *const steps[] = {"dateadd", "date_add", "date_sub"};
    static const char *const prints[] = {"to_char", "date_format"};
    const struct resolved_call *call = resolved_call(r, expr);
    const struct sql_exprs *args = &expr->call.args;
    /* What is asked of is constant, and so are its functions known. */
    if (NEVER(call == NULL || call->function == NULL)) return false;
    if ((call->function->flags & FUNCTION_METADATA) != 0 ||
        is_named(call->function, clocks, COUNT(clocks)))
        return true;
    if (args->n < 2 || !sql_type_is_time(resolved_type(r, args->at[0]).kind)) return false;
    if (is_named(call->function, prints, COUNT(prints))) return is_text_literal(args->at[1]);
    return is_named(call->function, steps, COUNT(steps)) && is_few(args->at[1]) &&
           (args->n == 2 || is_text_literal(args->at[2]));
}

/* -- conditions ------------------------------------------------------------------------------- */

/* Neither side is converted to be compared. */
static bool are_alike(const struct resolved *r, const struct sql_expr *a,
                      const struct sql_expr *b) {
    enum sql_type_kind left = resolved_type(r, a).kind, right = resolved_type(r, b).kind;
    if (sql_type_is_text(left)) return sql_type_is_text(right);
    if (sql_type_is_number(left)) return sql_type_is_number(right);
    return left == right && ALWAYS(left != SQL_TYPE_UNKNOWN);
}

/* A backslash that escapes nothing is an error. */
static bool is_plain_pattern(const struct sql_expr *expr) {
    return is_text_literal(expr) &&
           str_find_byte(expr->literal.text, '\\') == expr->literal.text.len;
}

static bool is_comparison(const struct resolved *r, const struct sql_expr *expr) {
    if (!are_alike(r, expr->binary.left, expr->binary.right)) return false;
    if (expr->op == SQL_OP_LIKE) return is_plain_pattern(expr->binary.right);
    return expr->op == SQL_OP_EQ || expr->op == SQL_OP_NE ||
           (expr->op >= SQL_OP_LT && expr->op <= SQL_OP_GE);
}

static bool is_list(const struct resolved *r, const struct sql_expr *expr) {
    for (size_t i = 0; i < expr->in.list.n; i++)
        if (!are_alike(r, expr->in.value, expr->in.list.at[i])) return false;
    return true;
}

static bool is_harmless(const struct resolved *r, const struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_REF:
    case SQL_IS_NULL: return true;
    case SQL_LITERAL: return is_plain_literal(&expr->literal);
    case SQL_UNARY: return expr->op == SQL_OP_MINUS && expr->operand->kind == SQL_LITERAL;
    case SQL_CHAIN: return expr->op == SQL_OP_AND || expr->op == SQL_OP_OR;
    case SQL_BINARY: return is_comparison(r, expr);
    case SQL_IN_LIST: return is_list(r, expr);
    case SQL_BETWEEN:
        return are_alike(r, expr->between.value, expr->between.low) &&
               are_alike(r, expr->between.value, expr->between.high);
    case SQL_CALL: return is_total_call(r, expr);
    case SQL_INTERVAL:
    case SQL_PARAM:
    case SQL_STAR:
    case SQL_FIELD:
    case SQL_INDEX:
    case SQL_EXTRACT:
    case SQL_CAST:
    case SQL_CASE:
    case SQL_IN_QUERY:
    case SQL_EXISTS:
    case SQL_SUBQUERY:
    case SQL_ROW:
    case SQL_LAMBDA: break;
    }
    return false;
}

static enum walk see(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    return is_harmless(with, expr) ? WALK_ON : WALK_STOP;
}

bool partition_is_harmless(const struct resolved *r, struct sql_expr *expr) {
    void *with = (void *)(uintptr_t)r; /* which the visitor only reads */
    return sql_walk_expr(expr, &(struct sql_visitor){.expr = see, .with = with}) != WALK_STOP;
}
