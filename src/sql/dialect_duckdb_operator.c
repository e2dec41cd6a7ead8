/* Operators whose namesakes do something else in DuckDB. Its integers divided by zero give NULL. */
#include "sql/dialect_duckdb_inner.h"

static void put_division(printer *p, const struct sql_expr *expr, const char *op) {
    dialect_put_number(p, expr->binary.left);
    sql_put(p, str_of(op));
    dialect_put_divisor(p, expr->binary.right, dialect_put_number);
}

/* DuckDB divides decimals as doubles. */
void duck_put_quotient(printer *p, const struct sql_expr *expr) {
    if (dialect_kind(p, expr) != SQL_TYPE_DECIMAL) {
        put_division(p, expr, " / ");
        return;
    }
    dialect_wrap(p, "weir_divide(", dialect_put_decimal, expr->binary.left, ", ");
    dialect_put_divisor(p, expr->binary.right, dialect_put_decimal);
    sql_put_byte(p, ')');
}

/* As many digits behind the point as MaxCompute has, or nearly: two such overflow when DuckDB
 * multiplies them, which adds the scales. */
static bool is_wide(const printer *p, const struct sql_expr *expr) {
    struct sql_type type = dialect_type(p, expr);
    bool is_bare = expr->kind == SQL_LITERAL &&
                   str_find_byte(expr->literal.text, '.') < expr->literal.text.len;
    return type.kind == SQL_TYPE_DECIMAL && !is_bare && (type.precision == 0 || type.scale > 9);
}

bool duck_put_product(printer *p, const struct sql_expr *expr) {
    if (!is_wide(p, expr->binary.left) || !is_wide(p, expr->binary.right)) return false;
    dialect_wrap(p, "weir_multiply(", sql_put_expr, expr->binary.left, ", ");
    dialect_wrap(p, "", sql_put_expr, expr->binary.right, ")");
    return true;
}

static bool is_exact(const printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    return kind == SQL_TYPE_DECIMAL || sql_type_is_integer(kind);
}

void duck_put_whole_quotient(printer *p, const struct sql_expr *expr) {
    if (dialect_are_integers(p, expr)) {
        dialect_wrap(p, "", sql_put_operand, expr->binary.left, " // ");
        sql_put_operand(p, expr->binary.right);
        return;
    }
    if (is_exact(p, expr->binary.left) && is_exact(p, expr->binary.right)) {
        dialect_wrap(p, "CAST(weir_units(", dialect_put_number, expr->binary.left, ") // ");
        sql_put(p, STR("nullif(weir_units("));
        dialect_wrap(p, "", dialect_put_number, expr->binary.right, "), 0) AS BIGINT)");
        return;
    }
    sql_put(p, STR("CAST(trunc("));
    put_division(p, expr, " / ");
    sql_put(p, STR(") AS BIGINT)"));
}

void duck_put_remainder(printer *p, const struct sql_expr *left, const struct sql_expr *right) {
    dialect_wrap(p, "", dialect_put_number, left, " % ");
    dialect_put_divisor(p, right, dialect_put_number);
}

void duck_put_like(printer *p, const struct sql_expr *expr) {
    struct str pattern;
    bool is_simple = dialect_constant_text(expr->binary.right, &pattern) &&
                     str_find_byte(pattern, '\\') == pattern.len;
    dialect_put_text(p, expr->binary.left);
    sql_put(p, expr->negated ? STR(" NOT LIKE ") : STR(" LIKE "));
    dialect_put_text(p, expr->binary.right);
    if (!is_simple) sql_put(p, STR(" ESCAPE '\\'"));
}

void duck_put_rlike(printer *p, const struct sql_expr *expr) {
    if (expr->negated) sql_put(p, STR("NOT "));
    sql_put(p, STR("regexp_matches("));
    dialect_put_text(p, expr->binary.left);
    sql_put(p, STR(", "));
    duck_put_regex(p, expr->binary.right);
    sql_put_byte(p, ')');
}
