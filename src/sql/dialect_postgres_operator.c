/* Operators whose namesakes do something else in PostgreSQL. */
#include "sql/dialect_postgres_inner.h"

/* Integers give a double; of decimals a decimal comes out. */
void pg_put_quotient(printer *p, const struct sql_expr *expr) {
    bool is_decimal = dialect_kind(p, expr) == SQL_TYPE_DECIMAL;
    dialect_put put = is_decimal ? dialect_put_decimal : dialect_put_double;
    dialect_wrap(p, is_decimal ? "CAST(" : "", put, expr->binary.left, " / ");
    dialect_put_divisor(p, expr->binary.right, put);
    if (is_decimal) sql_put(p, STR(" AS numeric(38,12))"));
}

/* There is none of doubles. */
void pg_put_remainder(printer *p, const struct sql_expr *left, const struct sql_expr *right) {
    enum sql_type_kind a = dialect_kind(p, left), b = dialect_kind(p, right);
    bool is_exact = (sql_type_is_integer(a) || a == SQL_TYPE_DECIMAL) &&
                    (sql_type_is_integer(b) || b == SQL_TYPE_DECIMAL);
    if (!is_exact)
        dialect_refuse(p, left->span, "the remainder of other than integers and decimals");
    dialect_put_number(p, left);
    sql_put(p, STR(" % "));
    dialect_put_divisor(p, right, dialect_put_number);
}

void pg_put_whole_quotient(printer *p, const struct sql_expr *expr) {
    if (!dialect_are_integers(p, expr)) dialect_refuse(p, expr->span, "DIV of other than integers");
    dialect_put_bigint(p, expr->binary.left);
    sql_put(p, STR(" / "));
    dialect_put_divisor(p, expr->binary.right, dialect_put_number);
}

/* The usual escape is the backslash in both. */
void pg_put_like(printer *p, const struct sql_expr *expr) {
    dialect_put_text(p, expr->binary.left);
    sql_put(p, expr->negated ? STR(" NOT LIKE ") : STR(" LIKE "));
    dialect_put_text(p, expr->binary.right);
}

/* The classes of characters are those of ASCII, as in Java. */
void pg_put_rlike(printer *p, const struct sql_expr *expr) {
    dialect_put_text(p, expr->binary.left);
    sql_put(p, expr->negated ? STR(" COLLATE \"C\" !~ ") : STR(" COLLATE \"C\" ~ "));
    pg_put_regex(p, expr->binary.right);
}
