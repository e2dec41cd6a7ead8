/* Types, and the casts that they ask for: those that are written and those that MaxCompute does
 * silently. Every rule is MaxCompute's (2.0 type system); texts that DuckDB would read too
 * generously go through macros, which fail where MaxCompute fails. */
#include "sql/dialect_duckdb_inner.h"

/* -- what is known ---------------------------------------------------------------------------- */

static struct sql_type literal_type(const struct sql_literal *literal) {
    int64_t value;
    switch (literal->kind) {
    case SQL_NULL: return SQL_TYPE(NULL);
    case SQL_TRUE:
    case SQL_FALSE: return SQL_TYPE(BOOLEAN);
    case SQL_INTEGER:
        return str_to_i64(literal->text, &value) ? SQL_TYPE(BIGINT) : SQL_TYPE(DECIMAL);
    case SQL_BIGINT: return SQL_TYPE(BIGINT);
    case SQL_SMALLINT: return SQL_TYPE(SMALLINT);
    case SQL_TINYINT: return SQL_TYPE(TINYINT);
    case SQL_NUMBER: return SQL_TYPE(DOUBLE);
    case SQL_DECIMAL: return SQL_TYPE(DECIMAL);
    case SQL_STRING: return SQL_TYPE(STRING);
    case SQL_DATE: return SQL_TYPE(DATE);
    case SQL_DATETIME: return SQL_TYPE(DATETIME);
    case SQL_TIMESTAMP: return SQL_TYPE(TIMESTAMP);
    case SQL_TIMESTAMP_NTZ: return SQL_TYPE(TIMESTAMP_NTZ);
    }
    return SQL_TYPE(UNKNOWN);
}

static bool is_call_of(const struct sql_expr *expr, const char *name) {
    return expr->kind == SQL_CALL && expr->call.name.n == 1 &&
           str_ieq(expr->call.name.at[0].text, str_of(name));
}

/* Where what we print has a narrower type than the table of functions tells. */
static struct sql_type made_type(const printer *p, const struct sql_expr *expr,
                                 struct sql_type type) {
    const struct sql_exprs *args = &expr->call.args;
    bool is_shift = is_call_of(expr, "dateadd") || is_call_of(expr, "datetrunc");
    if (is_shift && args->n > 0 && duck_kind(p, args->at[0]) == SQL_TYPE_DATE) {
        struct str unit;
        size_t at = args->n - 1;
        bool is_day = duck_constant_text(args->at[at], &unit) && unit.len > 0 &&
                      (unit.ptr[0] | 32) != 'h' && (unit.ptr[0] | 32) != 's' &&
                      !str_ieq(unit, STR("mi"));
        return is_day ? SQL_TYPE(DATE) : type;
    }
    if (is_call_of(expr, "to_date") && args->n == 1) return SQL_TYPE(DATE);
    bool is_percentile = is_call_of(expr, "percentile") || is_call_of(expr, "percentile_approx");
    if (is_percentile && args->n > 1 && sql_type_is_number(duck_kind(p, args->at[1])))
        return SQL_TYPE(DOUBLE);
    return type;
}

struct sql_type duck_type(const printer *p, const struct sql_expr *expr) {
    if (expr->kind == SQL_LITERAL) return literal_type(&expr->literal);
    if (expr->kind == SQL_CAST) return expr->cast.type;
    struct sql_type type = SQL_TYPE(UNKNOWN);
    if (p->with != NULL) type = ruled_type(p->with, expr);
    return expr->kind == SQL_CALL ? made_type(p, expr, type) : type;
}

enum sql_type_kind duck_kind(const printer *p, const struct sql_expr *expr) {
    return duck_type(p, expr).kind;
}

/* -- constants -------------------------------------------------------------------------------- */

/* Empty where there is none: who has refused the statement prints on. */
bool duck_constant_text(const struct sql_expr *expr, struct str *out) {
    *out = STR_NONE;
    if (expr->kind != SQL_LITERAL || expr->literal.kind != SQL_STRING) return false;
    *out = expr->literal.text;
    return true;
}

bool duck_constant_int(const struct sql_expr *expr, int64_t *out) {
    bool is_negative = expr->kind == SQL_UNARY && expr->op == SQL_OP_MINUS;
    if (is_negative) expr = expr->operand;
    if (expr->kind != SQL_LITERAL) return false;
    if (expr->literal.kind != SQL_INTEGER && expr->literal.kind != SQL_BIGINT) return false;
    if (!str_to_i64(expr->literal.text, out)) return false;
    if (is_negative) *out = -*out;
    return true;
}

bool duck_is_null(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL && expr->literal.kind == SQL_NULL;
}

/* -- classes ---------------------------------------------------------------------------------- */

static bool is_integer_literal(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL &&
           (expr->literal.kind == SQL_INTEGER || expr->literal.kind == SQL_BIGINT);
}

static void wrap(printer *p, const char *before, const struct sql_expr *expr, const char *after) {
    sql_put(p, str_of(before));
    if (is_integer_literal(expr))
        sql_put(p, expr->literal.text);
    else
        sql_put_expr(p, expr);
    sql_put(p, str_of(after));
}

static void refuse_as(printer *p, const struct sql_expr *expr, enum sql_type_kind kind,
                      const char *as) {
    if (kind == SQL_TYPE_UNKNOWN)
        duck_refuse(p, expr->span, "a value whose type is not known as %s", as);
    else
        duck_refuse(p, expr->span, "a value of type %s as %s", sql_type_name(kind), as);
}

void duck_put_text(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (sql_type_is_text(kind)) {
        sql_put_operand(p, expr);
        return;
    }
    switch ((int)kind) {
    case SQL_TYPE_NULL:
    case SQL_TYPE_BOOLEAN:
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_DATE: wrap(p, "CAST(", expr, " AS VARCHAR)"); return;
    case SQL_TYPE_DECIMAL: wrap(p, "weir_decimal_text(", expr, ")"); return;
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_DOUBLE: wrap(p, "weir_double_text(", expr, ")"); return;
    case SQL_TYPE_DATETIME: wrap(p, "strftime(", expr, ", '%Y-%m-%d %H:%M:%S')"); return;
    case SQL_TYPE_BINARY: wrap(p, "decode(", expr, ")"); return;
    default: refuse_as(p, expr, kind, "text"); return;
    }
}

void duck_put_double(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_DOUBLE)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "weir_to_double(", expr, ")");
    else if (sql_type_is_number(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS DOUBLE)");
    else
        refuse_as(p, expr, kind, "a number");
}

void duck_put_number(printer *p, const struct sql_expr *expr) {
    if (sql_type_is_number(duck_kind(p, expr)))
        sql_put_operand(p, expr);
    else
        duck_put_double(p, expr);
}

void duck_put_bigint(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_BIGINT)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "weir_to_bigint(", expr, ")");
    else if (sql_type_is_integer(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS BIGINT)");
    else if (sql_type_is_number(kind))
        wrap(p, "CAST(trunc(", expr, ") AS BIGINT)");
    else
        refuse_as(p, expr, kind, "an integer");
}

void duck_put_decimal(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_DECIMAL)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "weir_to_decimal(", expr, ")");
    else if (sql_type_is_number(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS DECIMAL(38,18))");
    else
        refuse_as(p, expr, kind, "a decimal");
}

void duck_put_time(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_DATE || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS TIMESTAMP)");
    else if (sql_type_is_time(kind))
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "weir_to_datetime(", expr, ")");
    else
        refuse_as(p, expr, kind, "a time");
}

void duck_put_date(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_DATE)
        sql_put_operand(p, expr);
    else if (sql_type_is_time(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS DATE)");
    else if (sql_type_is_text(kind))
        wrap(p, "CAST(weir_to_datetime(", expr, ") AS DATE)");
    else
        refuse_as(p, expr, kind, "a date");
}

void duck_put_boolean(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_NULL || kind == SQL_TYPE_UNKNOWN)
        sql_put_operand(p, expr);
    else
        refuse_as(p, expr, kind, "a condition");
}

void duck_put_plain(printer *p, const struct sql_expr *expr) {
    bool is_integer = expr->kind == SQL_LITERAL &&
                      (expr->literal.kind == SQL_INTEGER || expr->literal.kind == SQL_BIGINT);
    if (is_integer)
        sql_put(p, expr->literal.text);
    else
        sql_put_operand(p, expr);
}

void duck_put_common(printer *p, const struct sql_expr *expr, const struct sql_type *type) {
    enum sql_type_kind kind = duck_kind(p, expr);
    if (kind == SQL_TYPE_NULL || kind == type->kind) {
        sql_put_expr(p, expr);
    } else if (sql_type_is_text(type->kind)) {
        duck_put_text(p, expr);
    } else if (type->kind == SQL_TYPE_DOUBLE) {
        duck_put_double(p, expr);
    } else if (sql_type_is_number(type->kind) && sql_type_is_number(kind)) {
        duck_put_number(p, expr);
    } else if (sql_type_is_time(type->kind) && sql_type_is_time(kind)) {
        duck_put_time(p, expr);
    } else if (kind == SQL_TYPE_UNKNOWN && type->kind == SQL_TYPE_UNKNOWN) {
        sql_put_expr(p, expr);
    } else {
        refuse_as(p, expr, kind, "one of values of several types");
    }
}

/* -- CAST ------------------------------------------------------------------------------------- */

void duck_put_type(printer *p, const struct sql_type *type) {
    static const char *const names[SQL_TYPE_KINDS] = {
        [SQL_TYPE_BOOLEAN] = "BOOLEAN",     [SQL_TYPE_TINYINT] = "TINYINT",
        [SQL_TYPE_SMALLINT] = "SMALLINT",   [SQL_TYPE_INT] = "INTEGER",
        [SQL_TYPE_BIGINT] = "BIGINT",       [SQL_TYPE_FLOAT] = "FLOAT",
        [SQL_TYPE_DOUBLE] = "DOUBLE",       [SQL_TYPE_STRING] = "VARCHAR",
        [SQL_TYPE_VARCHAR] = "VARCHAR",     [SQL_TYPE_BINARY] = "BLOB",
        [SQL_TYPE_DATE] = "DATE",           [SQL_TYPE_DATETIME] = "TIMESTAMP",
        [SQL_TYPE_TIMESTAMP] = "TIMESTAMP", [SQL_TYPE_TIMESTAMP_NTZ] = "TIMESTAMP",
        [SQL_TYPE_JSON] = "JSON",
    };
    if (type->kind == SQL_TYPE_DECIMAL) {
        bool given = type->precision > 0;
        sql_putf(p, "DECIMAL(%d,%d)", given ? type->precision : 38, given ? type->scale : 18);
    } else if (type->kind == SQL_TYPE_ARRAY && type->element != NULL) {
        duck_put_type(p, type->element);
        sql_put(p, STR("[]"));
    } else if (names[type->kind] != NULL) {
        sql_put(p, str_of(names[type->kind]));
    } else {
        duck_refuse(p, (struct sql_span){SQL_NOWHERE, SQL_NOWHERE}, "a cast to type %s",
                    sql_type_name(type->kind));
    }
}

static void cast_as_type(printer *p, const struct sql_expr *value, const struct sql_type *type,
                         void (*put)(printer *p, const struct sql_expr *expr)) {
    sql_put(p, STR("CAST("));
    put(p, value);
    sql_put(p, STR(" AS "));
    duck_put_type(p, type);
    sql_put_byte(p, ')');
}

static void cast_boolean(printer *p, const struct sql_expr *value) {
    enum sql_type_kind kind = duck_kind(p, value);
    if (kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", value, " AS BOOLEAN)");
    else if (sql_type_is_text(kind))
        wrap(p, "weir_to_boolean(", value, ")");
    else if (sql_type_is_number(kind))
        wrap(p, "((", value, ") <> 0)");
    else
        refuse_as(p, value, kind, "boolean");
}

static void cast_binary(printer *p, const struct sql_expr *value) {
    enum sql_type_kind kind = duck_kind(p, value);
    if (sql_type_is_text(kind))
        wrap(p, "encode(", value, ")");
    else if (kind == SQL_TYPE_BINARY || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", value, " AS BLOB)");
    else
        refuse_as(p, value, kind, "binary");
}

/* BOOLEAN is 1 or 0 where a number is wanted. */
static void cast_number(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    enum sql_type_kind kind = duck_kind(p, value);
    bool is_decimal = type->kind == SQL_TYPE_DECIMAL;
    if (kind == SQL_TYPE_BOOLEAN && !is_decimal)
        cast_as_type(p, value, type, sql_put_expr);
    else if (sql_type_is_integer(type->kind))
        cast_as_type(p, value, type, duck_put_bigint);
    else if (is_decimal && sql_type_is_text(kind))
        cast_as_type(p, value, type, duck_put_decimal);
    else
        cast_as_type(p, value, type, duck_put_number);
}

/* Known to be the same, or NULL. */
static bool is_same(const struct sql_type *from, const struct sql_type *to) {
    if (from->kind == SQL_TYPE_NULL) return true;
    return from->kind >= SQL_TYPE_JSON && sql_type_eq(from, to);
}

static void cast_nested(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    struct sql_type from = duck_type(p, value);
    if (is_same(&from, type))
        sql_put_operand(p, value);
    else if (type->kind == SQL_TYPE_JSON && sql_type_is_text(from.kind))
        wrap(p, "CAST(", value, " AS JSON)");
    else
        refuse_as(p, value, from.kind, sql_type_name(type->kind));
}

static void cast_text(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    if (type->kind == SQL_TYPE_VARCHAR && type->precision > 0) sql_put(p, STR("left("));
    if (duck_is_null(value) || (value->kind == SQL_LITERAL && value->literal.kind == SQL_STRING))
        wrap(p, "CAST(", value, " AS VARCHAR)"); /* bare it would be no key to order by */
    else
        duck_put_text(p, value);
    if (type->kind == SQL_TYPE_VARCHAR && type->precision > 0)
        sql_putf(p, ", %u)", (unsigned)type->precision);
}

void duck_put_cast(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *value = expr->cast.value;
    const struct sql_type *type = &expr->cast.type;
    switch (type->kind) {
    case SQL_TYPE_BOOLEAN: cast_boolean(p, value); return;
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_DECIMAL:
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_DOUBLE: cast_number(p, value, type); return;
    case SQL_TYPE_STRING:
    case SQL_TYPE_VARCHAR: cast_text(p, value, type); return;
    case SQL_TYPE_BINARY: cast_binary(p, value); return;
    case SQL_TYPE_DATE: cast_as_type(p, value, type, duck_put_date); return;
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP_NTZ: cast_as_type(p, value, type, duck_put_time); return;
    case SQL_TYPE_JSON:
    case SQL_TYPE_ARRAY:
    case SQL_TYPE_MAP:
    case SQL_TYPE_STRUCT: cast_nested(p, value, type); return;
    case SQL_TYPE_CHAR: /* padded, and compared without its padding */
    case SQL_TYPE_UNKNOWN:
    case SQL_TYPE_NULL:
    case SQL_TYPE_INTERVAL_YEAR_MONTH:
    case SQL_TYPE_INTERVAL_DAY_TIME:
    case SQL_TYPE_KINDS: break;
    }
    duck_refuse(p, expr->span, "a cast to type %s", sql_type_name(type->kind));
}
