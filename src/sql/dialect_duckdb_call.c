/* Functions of numbers with rules of their own. */
#include "sql/dialect_duckdb_inner.h"

enum { DIGITS_LEAST = -18, DIGITS_MOST = 27 }; /* of a DECIMAL(38,28) */

/* NULL is the smallest value. */
static void put_least(printer *p, const struct sql_expr *expr) {
    dialect_put_extreme(p, expr, "weir_least([", "])", 0);
}

static void put_ordinal(printer *p, const struct sql_expr *expr) {
    dialect_put_extreme(p, expr, "weir_ordinal([", "], ", 1);
    dialect_put_bigint(p, args_of(expr)->at[0]);
    sql_put_byte(p, ')');
}

/* -- numbers ---------------------------------------------------------------------------------- */

/* How many digits stay, which must be told by a constant. */
static int take_digits(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t digits = 0;
    if (args->n > 1 && (!dialect_constant_int(args->at[1], &digits) || digits < DIGITS_LEAST ||
                        digits > DIGITS_MOST))
        dialect_refuse(p, expr->span, "this function to a number of digits that is no constant");
    return digits < DIGITS_LEAST || digits > DIGITS_MOST ? 0 : (int)digits;
}

/* A DECIMAL stays one; all else, a BIGINT too, is a DOUBLE: by way of its shortest decimal text,
 * for 1.005 to two digits is 1.01, as people read it. To a whole number both ways are the same. */
static void put_round_as(printer *p, const struct sql_expr *expr, const char *name) {
    bool is_decimal = dialect_kind(p, args_of(expr)->at[0]) == SQL_TYPE_DECIMAL;
    int digits = take_digits(p, expr);
    bool is_own = !is_decimal && digits != 0;
    sql_putf(p, "%s%s(", is_own ? "weir_" : "", name);
    if (is_decimal)
        sql_put_expr(p, args_of(expr)->at[0]);
    else
        dialect_put_double(p, args_of(expr)->at[0]);
    sql_putf(p, ", %d)", digits);
}

static void put_round(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "round");
}

static void put_trunc(printer *p, const struct sql_expr *expr) {
    put_round_as(p, expr, "trunc");
}

/* Ties to the even digit. Of a DECIMAL, DuckDB's own gives a DOUBLE. */
static void put_bround(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    bool is_decimal = dialect_kind(p, of) == SQL_TYPE_DECIMAL;
    int digits = take_digits(p, expr);
    if (digits < 0) dialect_refuse(p, expr->span, "bround to digits before the point");
    if (digits == 0 && !is_decimal) {
        dialect_wrap(p, "round_even(", dialect_put_double, of, ", 0)");
        return;
    }
    dialect_wrap(p, is_decimal ? "weir_round_even(" : "weir_bround(",
                 is_decimal ? sql_put_expr : dialect_put_double, of, "");
    sql_putf(p, ", %d, CAST('0.", digits);
    for (int i = 0; i < digits; i++) sql_put_byte(p, '0');
    sql_put(p, STR("5' AS DECIMAL(38,28)))"));
}

static void put_log(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    if (args->n == 1) dialect_refuse(p, expr->span, "log without a base");
    if (args->n == 1) return;
    sql_put(p, STR("weir_log("));
    dialect_put_double(p, args->at[0]);
    sql_put(p, STR(", "));
    dialect_put_double(p, args->at[1]);
    sql_put_byte(p, ')');
}

static void put_hex(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *of = args_of(expr)->at[0];
    enum sql_type_kind kind = dialect_kind(p, of);
    if (!sql_type_is_integer(kind) && !sql_type_is_text(kind) && kind != SQL_TYPE_BINARY)
        dialect_refuse(p, expr->span, "hex of a value of type %s", sql_type_name(kind));
    sql_put(p, STR("hex("));
    sql_put_expr(p, of);
    sql_put_byte(p, ')');
}

/* Between bases that are written as constants; a digit that the first has not fails. */
static void put_conv(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    int64_t from = 0, to = 0;
    bool is_known = dialect_constant_int(args->at[1], &from) && from >= 2 && from <= 36 &&
                    dialect_constant_int(args->at[2], &to) && (to == 2 || to == 10 || to == 16);
    if (!is_known) {
        dialect_refuse(p, expr->span, "conv between these bases");
        return;
    }
    sql_put(p, to == 2 ? STR("bin(") : to == 16 ? STR("hex(") : STR("CAST("));
    sql_put(p, STR("weir_from_base("));
    dialect_put_text(p, args->at[0]);
    sql_putf(p, ", %d)%s", (int)from, to == 10 ? " AS VARCHAR)" : ")");
}

/* Both ends included; downwards when the end is less and no step is told. */
static void put_sequence(printer *p, const struct sql_expr *expr) {
    const struct sql_exprs *args = args_of(expr);
    for (size_t i = 0; i < args->n; i++)
        if (!sql_type_is_integer(dialect_kind(p, args->at[i])))
            dialect_refuse(p, expr->span, "a sequence of other than integers");
    sql_put(p, args->n == 3 ? STR("generate_series(") : STR("weir_sequence("));
    for (size_t i = 0; i < args->n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        dialect_put_bigint(p, args->at[i]);
    }
    sql_put_byte(p, ')');
}

static void put_format_number(printer *p, const struct sql_expr *expr) {
    int64_t digits;
    if (!dialect_constant_int(args_of(expr)->at[1], &digits) || digits < 0 || digits > 20) {
        dialect_refuse(p, expr->span, "format_number by a pattern");
        return;
    }
    sql_putf(p, "format('{:,.%lldf}', ", (long long)digits);
    dialect_put_double(p, args_of(expr)->at[0]);
    sql_put_byte(p, ')');
}

/* An INT would be moved within 32 bits. */
static void put_shift_unsigned(printer *p, const struct sql_expr *expr) {
    if (dialect_kind(p, args_of(expr)->at[0]) != SQL_TYPE_BIGINT)
        dialect_refuse(p, expr->span, "shiftrightunsigned of what is no BIGINT");
    dialect_wrap(p, "weir_shift_unsigned(", sql_put_expr, args_of(expr)->at[0], ", ");
    dialect_wrap(p, "", dialect_put_bigint, args_of(expr)->at[1], ")");
}

const struct dialect_hook duck_plain_hooks[] = {
    {"shiftrightunsigned", put_shift_unsigned},
    {"least", put_least},
    {"ordinal", put_ordinal},
    {"round", put_round},
    {"bround", put_bround},
    {"trunc", put_trunc},
    {"log", put_log},
    {"hex", put_hex},
    {"conv", put_conv},
    {"sequence", put_sequence},
    {"format_number", put_format_number},
    {NULL, NULL},
};
