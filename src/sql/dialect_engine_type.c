/* Types, and the casts that they ask for: those that are written and those that MaxCompute does
 * silently. Every rule is MaxCompute's (2.0 type system); the patterns that an engine gives for
 * texts fail where MaxCompute fails. */
#include "sql/dialect_engine.h"

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

/* What the table of functions does not tell. */
static struct sql_type made_type(const printer *p, const struct sql_expr *expr,
                                 struct sql_type type) {
    const struct sql_exprs *args = &expr->call.args;
    if (args->n == 0) return type;
    bool keeps =
        is_call_of(expr, "abs") || is_call_of(expr, "negative") || is_call_of(expr, "positive");
    if (keeps && sql_type_is_text(type.kind)) return SQL_TYPE(DOUBLE);
    bool is_shift = is_call_of(expr, "dateadd") || is_call_of(expr, "datetrunc");
    if (is_shift && dialect_kind(p, args->at[0]) == SQL_TYPE_DATE) {
        struct str word;
        enum dialect_unit unit;
        bool is_day = dialect_constant_text(args->at[args->n - 1], &word) &&
                      dialect_find_unit(word, &unit) && dialect_is_of_days(unit);
        return is_day ? SQL_TYPE(DATE) : type;
    }
    if (is_call_of(expr, "reverse") && type.kind != SQL_TYPE_ARRAY) return SQL_TYPE(STRING);
    if (is_call_of(expr, "to_date") && args->n == 1) return SQL_TYPE(DATE);
    bool is_percentile = is_call_of(expr, "percentile") || is_call_of(expr, "percentile_approx");
    if (is_percentile && args->n > 1 && sql_type_is_number(dialect_kind(p, args->at[1])))
        return SQL_TYPE(DOUBLE);
    return type;
}

struct sql_type dialect_type(const printer *p, const struct sql_expr *expr) {
    if (expr->kind == SQL_LITERAL) return literal_type(&expr->literal);
    if (expr->kind == SQL_CAST) return expr->cast.type;
    struct sql_type type = SQL_TYPE(UNKNOWN);
    if (p->with != NULL) type = ruled_type(p->with, expr);
    return expr->kind == SQL_CALL ? made_type(p, expr, type) : type;
}

enum sql_type_kind dialect_kind(const printer *p, const struct sql_expr *expr) {
    return dialect_type(p, expr).kind;
}

/* -- constants -------------------------------------------------------------------------------- */

bool dialect_constant_text(const struct sql_expr *expr, struct str *out) {
    *out = STR_NONE;
    if (expr->kind != SQL_LITERAL || expr->literal.kind != SQL_STRING) return false;
    *out = expr->literal.text;
    return true;
}

static bool is_integer_literal(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL &&
           (expr->literal.kind == SQL_INTEGER || expr->literal.kind == SQL_BIGINT);
}

bool dialect_constant_int(const struct sql_expr *expr, int64_t *out) {
    bool is_negative = expr->kind == SQL_UNARY && expr->op == SQL_OP_MINUS;
    if (is_negative) expr = expr->operand;
    *out = 0;
    if (!is_integer_literal(expr) || !str_to_i64(expr->literal.text, out)) return false;
    if (is_negative) *out = -*out;
    return true;
}

bool dialect_is_null(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL && expr->literal.kind == SQL_NULL;
}

/* -- patterns --------------------------------------------------------------------------------- */

static void put_bare(printer *p, const struct sql_expr *expr) {
    if (is_integer_literal(expr))
        sql_put(p, expr->literal.text);
    else
        sql_put_expr(p, expr);
}

void dialect_fill(printer *p, const char *pattern, const struct sql_expr *value) {
    struct str rest = str_of(pattern);
    for (;;) {
        size_t at = str_find_byte(rest, '@');
        sql_put(p, str_slice(rest, 0, at));
        if (at == rest.len) return;
        put_bare(p, value);
        rest = str_slice(rest, at + 1, rest.len);
    }
}

static void put_as_name(printer *p, const struct sql_expr *value, const char *type) {
    dialect_wrap(p, "CAST(", put_bare, value, " AS ");
    sql_put(p, str_of(type));
    sql_put_byte(p, ')');
}

static void put_as_kind(printer *p, const struct sql_expr *value, enum sql_type_kind kind) {
    put_as_name(p, value, p->dialect->engine->types[kind]);
}

void dialect_refuse_as(printer *p, const struct sql_expr *expr, enum sql_type_kind kind,
                       const char *as) {
    if (kind == SQL_TYPE_UNKNOWN)
        dialect_refuse(p, expr->span, "a value whose type is not known as %s", as);
    else
        dialect_refuse(p, expr->span, "a value of type %s as %s", sql_type_name(kind), as);
}

/* -- classes ---------------------------------------------------------------------------------- */

void dialect_put_text(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    const char *pattern = p->dialect->engine->as_text[kind];
    if (pattern == NULL)
        dialect_refuse_as(p, expr, kind, "text");
    else if (sql_type_is_text(kind))
        sql_put_operand(p, expr);
    else
        dialect_fill(p, pattern, expr);
}

void dialect_put_double(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    if (kind == SQL_TYPE_DOUBLE)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        dialect_fill(p, p->dialect->engine->text_as_double, expr);
    else if (sql_type_is_number(kind) || kind == SQL_TYPE_NULL)
        put_as_kind(p, expr, SQL_TYPE_DOUBLE);
    else
        dialect_refuse_as(p, expr, kind, "a number");
}

void dialect_put_number(printer *p, const struct sql_expr *expr) {
    if (sql_type_is_number(dialect_kind(p, expr)))
        sql_put_operand(p, expr);
    else
        dialect_put_double(p, expr);
}

void dialect_put_bigint(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    if (kind == SQL_TYPE_BIGINT) {
        sql_put_operand(p, expr);
    } else if (sql_type_is_text(kind)) {
        dialect_fill(p, p->dialect->engine->text_as_bigint, expr);
    } else if (sql_type_is_integer(kind) || kind == SQL_TYPE_NULL) {
        put_as_kind(p, expr, SQL_TYPE_BIGINT);
    } else if (sql_type_is_number(kind)) {
        dialect_wrap(p, "CAST(trunc(", put_bare, expr, ") AS ");
        sql_put(p, str_of(p->dialect->engine->types[SQL_TYPE_BIGINT]));
        sql_put_byte(p, ')');
    } else {
        dialect_refuse_as(p, expr, kind, "an integer");
    }
}

static bool is_binary_fraction(enum sql_type_kind kind) {
    return kind == SQL_TYPE_DOUBLE || kind == SQL_TYPE_FLOAT;
}

static void put_decimal_source(printer *p, const struct sql_expr *expr) {
    if (is_binary_fraction(dialect_kind(p, expr)))
        dialect_fill(p, p->dialect->engine->double_as_decimal, expr);
    else
        put_bare(p, expr);
}

void dialect_put_decimal(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    const struct dialect_engine *engine = p->dialect->engine;
    if (kind == SQL_TYPE_DECIMAL) {
        sql_put_operand(p, expr);
    } else if (sql_type_is_text(kind)) {
        dialect_fill(p, engine->text_as_decimal, expr);
    } else if (sql_type_is_number(kind) || kind == SQL_TYPE_NULL) {
        dialect_wrap(p, "CAST(", put_decimal_source, expr, " AS ");
        sql_put(p, str_of(engine->any_decimal));
        sql_put_byte(p, ')');
    } else {
        dialect_refuse_as(p, expr, kind, "a decimal");
    }
}

void dialect_put_time(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    if (kind == SQL_TYPE_DATE || kind == SQL_TYPE_NULL)
        put_as_kind(p, expr, SQL_TYPE_DATETIME);
    else if (sql_type_is_time(kind))
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        dialect_fill(p, p->dialect->engine->text_as_time, expr);
    else
        dialect_refuse_as(p, expr, kind, "a time");
}

void dialect_put_date(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    if (kind == SQL_TYPE_DATE)
        sql_put_operand(p, expr);
    else if (sql_type_is_time(kind) || kind == SQL_TYPE_NULL)
        put_as_kind(p, expr, SQL_TYPE_DATE);
    else if (sql_type_is_text(kind))
        dialect_put_as(p, expr, &SQL_TYPE(DATE), dialect_put_time);
    else
        dialect_refuse_as(p, expr, kind, "a date");
}

void dialect_put_boolean(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    if (kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_NULL || kind == SQL_TYPE_UNKNOWN)
        sql_put_operand(p, expr);
    else
        dialect_refuse_as(p, expr, kind, "a condition");
}

void dialect_put_plain(printer *p, const struct sql_expr *expr) {
    if (is_integer_literal(expr))
        sql_put(p, expr->literal.text);
    else
        sql_put_operand(p, expr);
}

void dialect_put_sorted(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    bool is_ordered = kind != SQL_TYPE_UNKNOWN && kind < SQL_TYPE_JSON;
    if (!is_ordered && p->dialect->engine->needs_types)
        dialect_refuse(p, expr->span, "the order of values of type %s", sql_type_name(kind));
    sql_put_operand(p, expr);
    if (sql_type_is_text(kind)) sql_put(p, str_of(p->dialect->engine->collation));
}

void dialect_put_common(printer *p, const struct sql_expr *expr, const struct sql_type *type) {
    enum sql_type_kind kind = dialect_kind(p, expr);
    if (kind == SQL_TYPE_NULL || kind == type->kind) {
        sql_put_expr(p, expr);
    } else if (sql_type_is_text(type->kind)) {
        dialect_put_text(p, expr);
    } else if (type->kind == SQL_TYPE_DOUBLE) {
        dialect_put_double(p, expr);
    } else if (sql_type_is_number(type->kind) && sql_type_is_number(kind)) {
        dialect_put_number(p, expr);
    } else if (sql_type_is_time(type->kind) && sql_type_is_time(kind)) {
        dialect_put_time(p, expr);
    } else if (kind == SQL_TYPE_UNKNOWN && type->kind == SQL_TYPE_UNKNOWN) {
        sql_put_expr(p, expr);
    } else {
        dialect_refuse_as(p, expr, kind, "one of values of several types");
    }
}

/* -- CAST ------------------------------------------------------------------------------------- */

void dialect_put_type(printer *p, const struct sql_type *type) {
    const char *name = p->dialect->engine->types[type->kind];
    if (type->kind == SQL_TYPE_DECIMAL) {
        bool given = type->precision > 0;
        sql_putf(p, "%s(%d,%d)", name, given ? type->precision : 38, given ? type->scale : 18);
    } else if (name != NULL) {
        sql_put(p, str_of(name));
    } else {
        dialect_refuse(p, (struct sql_span){SQL_NOWHERE, SQL_NOWHERE}, "a cast to type %s",
                       sql_type_name(type->kind));
    }
}

void dialect_put_as(printer *p, const struct sql_expr *value, const struct sql_type *type,
                    dialect_put put) {
    dialect_wrap(p, "CAST(", put, value, " AS ");
    dialect_put_type(p, type);
    sql_put_byte(p, ')');
}

static void cast_boolean(printer *p, const struct sql_expr *value) {
    enum sql_type_kind kind = dialect_kind(p, value);
    if (kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_NULL)
        put_as_kind(p, value, SQL_TYPE_BOOLEAN);
    else if (sql_type_is_text(kind))
        dialect_fill(p, p->dialect->engine->text_as_boolean, value);
    else if (sql_type_is_number(kind))
        dialect_fill(p, "((@) <> 0)", value);
    else
        dialect_refuse_as(p, value, kind, "boolean");
}

static void put_boolean_number(printer *p, const struct sql_expr *value) {
    dialect_fill(p, p->dialect->engine->boolean_as_number, value);
}

/* BOOLEAN is 1 or 0 where a number is wanted. */
static void cast_number(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    enum sql_type_kind kind = dialect_kind(p, value);
    bool is_decimal = type->kind == SQL_TYPE_DECIMAL;
    if (kind == SQL_TYPE_BOOLEAN && !is_decimal)
        dialect_put_as(p, value, type, put_boolean_number);
    else if (sql_type_is_integer(type->kind))
        dialect_put_as(p, value, type, dialect_put_bigint);
    else if (is_decimal && is_binary_fraction(kind))
        dialect_put_as(p, value, type, put_decimal_source);
    else if (is_decimal && sql_type_is_text(kind))
        dialect_put_as(p, value, type, dialect_put_decimal);
    else
        dialect_put_as(p, value, type, dialect_put_number);
}

void dialect_put_key_text(printer *p, const struct sql_expr *expr) {
    if (dialect_is_null(expr) || (expr->kind == SQL_LITERAL && expr->literal.kind == SQL_STRING))
        put_as_kind(p, expr, SQL_TYPE_STRING);
    else
        dialect_put_text(p, expr);
}

static void cast_text(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    bool is_cut = type->kind == SQL_TYPE_VARCHAR && type->precision > 0;
    if (is_cut) sql_put(p, STR("left("));
    dialect_put_key_text(p, value);
    if (is_cut) sql_putf(p, ", %u)", (unsigned)type->precision);
}

void dialect_put_cast(printer *p, const struct sql_expr *expr) {
    const struct dialect_engine *engine = p->dialect->engine;
    const struct sql_expr *value = expr->cast.value;
    const struct sql_type *type = &expr->cast.type;
    bool is_said = engine->types[type->kind] != NULL;
    switch (type->kind) {
    case SQL_TYPE_BOOLEAN: cast_boolean(p, value); return;
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_DECIMAL:
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_DOUBLE:
        if (!is_said) break;
        cast_number(p, value, type);
        return;
    case SQL_TYPE_STRING:
    case SQL_TYPE_VARCHAR: cast_text(p, value, type); return;
    case SQL_TYPE_DATE: dialect_put_as(p, value, type, dialect_put_date); return;
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP_NTZ: dialect_put_as(p, value, type, dialect_put_time); return;
    case SQL_TYPE_BINARY:
    case SQL_TYPE_JSON:
    case SQL_TYPE_ARRAY:
    case SQL_TYPE_MAP:
    case SQL_TYPE_STRUCT:
        if (engine->cast == NULL) break;
        engine->cast(p, value, type);
        return;
    case SQL_TYPE_CHAR: /* padded, and compared without its padding */
    case SQL_TYPE_UNKNOWN:
    case SQL_TYPE_NULL:
    case SQL_TYPE_INTERVAL_YEAR_MONTH:
    case SQL_TYPE_INTERVAL_DAY_TIME:
    case SQL_TYPE_KINDS: break;
    }
    dialect_refuse(p, expr->span, "a cast to type %s", sql_type_name(type->kind));
}
