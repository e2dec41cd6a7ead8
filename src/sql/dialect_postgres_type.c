/* Types, and casts: those that are written and those that MaxCompute does silently. Casts of texts
 * take the forms that MaxCompute takes; another text becomes the empty one, whose cast fails. */
#include "sql/dialect_postgres_inner.h"

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
    return expr->call.name.n == 1 && str_ieq(expr->call.name.at[0].text, str_of(name));
}

/* What the table of functions does not tell. */
static struct sql_type made_type(const printer *p, const struct sql_expr *expr,
                                 struct sql_type type) {
    const struct sql_exprs *args = &expr->call.args;
    bool keeps =
        is_call_of(expr, "abs") || is_call_of(expr, "negative") || is_call_of(expr, "positive");
    if (keeps && sql_type_is_text(type.kind)) return SQL_TYPE(DOUBLE);
    if (is_call_of(expr, "to_date") && args->n == 1) return SQL_TYPE(DATE);
    bool is_percentile = is_call_of(expr, "percentile") || is_call_of(expr, "percentile_approx");
    if (is_percentile && args->n > 1 && sql_type_is_number(pg_kind(p, args->at[1])))
        return SQL_TYPE(DOUBLE);
    return type;
}

struct sql_type pg_type(const printer *p, const struct sql_expr *expr) {
    if (expr->kind == SQL_LITERAL) return literal_type(&expr->literal);
    if (expr->kind == SQL_CAST) return expr->cast.type;
    struct sql_type type = SQL_TYPE(UNKNOWN);
    if (p->with != NULL) type = ruled_type(p->with, expr);
    return expr->kind == SQL_CALL ? made_type(p, expr, type) : type;
}

enum sql_type_kind pg_kind(const printer *p, const struct sql_expr *expr) {
    return pg_type(p, expr).kind;
}

/* -- constants -------------------------------------------------------------------------------- */

/* Empty where there is none: who has refused the statement prints on. */
bool pg_constant_text(const struct sql_expr *expr, struct str *out) {
    *out = STR_NONE;
    if (expr->kind != SQL_LITERAL || expr->literal.kind != SQL_STRING) return false;
    *out = expr->literal.text;
    return true;
}

static bool is_integer_literal(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL &&
           (expr->literal.kind == SQL_INTEGER || expr->literal.kind == SQL_BIGINT);
}

bool pg_constant_int(const struct sql_expr *expr, int64_t *out) {
    bool is_negative = expr->kind == SQL_UNARY && expr->op == SQL_OP_MINUS;
    if (is_negative) expr = expr->operand;
    *out = 0;
    if (!is_integer_literal(expr) || !str_to_i64(expr->literal.text, out)) return false;
    if (is_negative) *out = -*out;
    return true;
}

bool pg_is_null(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL && expr->literal.kind == SQL_NULL;
}

/* -- classes ---------------------------------------------------------------------------------- */

void pg_wrap(printer *p, const char *before, pg_put put, const struct sql_expr *expr,
             const char *after) {
    sql_put(p, str_of(before));
    put(p, expr);
    sql_put(p, str_of(after));
}

static void put_bare(printer *p, const struct sql_expr *expr) {
    if (is_integer_literal(expr))
        sql_put(p, expr->literal.text);
    else
        sql_put_expr(p, expr);
}

static void wrap(printer *p, const char *before, const struct sql_expr *expr, const char *after) {
    pg_wrap(p, before, put_bare, expr, after);
}

static void refuse_as(printer *p, const struct sql_expr *expr, enum sql_type_kind kind,
                      const char *as) {
    if (kind == SQL_TYPE_UNKNOWN)
        pg_refuse(p, expr->span, "a value whose type is not known as %s", as);
    else
        pg_refuse(p, expr->span, "a value of type %s as %s", sql_type_name(kind), as);
}

/* 1.5 and 100.0, as Java writes them; from 10^7 on and below 10^-3, where Java writes an exponent,
 * it fails. */
static void put_double_text(printer *p, const struct sql_expr *expr) {
    wrap(p, "CASE WHEN abs(", expr, ") >= 1e7 OR (abs(");
    wrap(p, "", expr, ") < 1e-3 AND (");
    wrap(p, "", expr, ") <> 0) THEN CAST(CAST(left(CAST(");
    wrap(p, "", expr, " AS text), 0) AS float8) AS text) ELSE regexp_replace(CAST(CAST(");
    wrap(p, "", expr, " AS float8) AS text), '^(-?[0-9]+)$', E'\\\\1.0') END");
}

void pg_put_text(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    switch ((int)kind) {
    case SQL_TYPE_STRING:
    case SQL_TYPE_VARCHAR: sql_put_operand(p, expr); return;
    case SQL_TYPE_NULL: sql_put(p, STR("CAST(NULL AS text)")); return;
    case SQL_TYPE_BOOLEAN:
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT: wrap(p, "CAST(", expr, " AS text)"); return;
    case SQL_TYPE_DATE: wrap(p, "to_char(", expr, ", 'YYYY-MM-DD')"); return;
    case SQL_TYPE_DECIMAL: wrap(p, "CAST(trim_scale(", expr, ") AS text)"); return;
    case SQL_TYPE_DOUBLE: put_double_text(p, expr); return;
    case SQL_TYPE_DATETIME: wrap(p, "to_char(", expr, ", 'YYYY-MM-DD HH24:MI:SS')"); return;
    default: refuse_as(p, expr, kind, "text"); return;
    }
}

/* Texts of numbers: PostgreSQL would also take nan and infinity, which have an n. */
#define NUMBER_TEXT_BEFORE "translate("
#define NUMBER_TEXT_AFTER  ", 'nN', '##')"

void pg_put_double(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_DOUBLE)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "CAST(" NUMBER_TEXT_BEFORE, expr, NUMBER_TEXT_AFTER " AS float8)");
    else if (sql_type_is_number(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS float8)");
    else
        refuse_as(p, expr, kind, "a number");
}

void pg_put_number(printer *p, const struct sql_expr *expr) {
    if (sql_type_is_number(pg_kind(p, expr)))
        sql_put_operand(p, expr);
    else
        pg_put_double(p, expr);
}

void pg_put_bigint(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_BIGINT)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "CAST(trunc(CAST(" NUMBER_TEXT_BEFORE, expr,
             NUMBER_TEXT_AFTER " AS numeric)) AS bigint)");
    else if (sql_type_is_integer(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS bigint)");
    else if (sql_type_is_number(kind))
        wrap(p, "CAST(trunc(", expr, ") AS bigint)");
    else
        refuse_as(p, expr, kind, "an integer");
}

void pg_put_integer(printer *p, const struct sql_expr *expr) {
    int64_t value;
    if (pg_constant_int(expr, &value) && value >= 0 && value <= INT32_MAX)
        sql_putf(p, "%lld", (long long)value);
    else
        pg_wrap(p, "CAST(", pg_put_bigint, expr, " AS integer)");
}

/* A double by way of its shortest text, as people read it. */
void pg_put_decimal(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_DECIMAL)
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "CAST(" NUMBER_TEXT_BEFORE, expr, NUMBER_TEXT_AFTER " AS numeric(38,18))");
    else if (kind == SQL_TYPE_DOUBLE || kind == SQL_TYPE_FLOAT)
        wrap(p, "CAST(CAST(", expr, " AS text) AS numeric)");
    else if (sql_type_is_number(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS numeric)");
    else
        refuse_as(p, expr, kind, "a decimal");
}

/* yyyy-mm-dd and yyyy-mm-dd hh:mi:ss, nothing else. */
#define TIME_SHAPE                                                                                 \
    "'^(?![0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?)?$).*$', ''"

void pg_put_time(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_DATE || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS timestamp)");
    else if (sql_type_is_time(kind))
        sql_put_operand(p, expr);
    else if (sql_type_is_text(kind))
        wrap(p, "CAST(regexp_replace(", expr, ", " TIME_SHAPE ") AS timestamp)");
    else
        refuse_as(p, expr, kind, "a time");
}

void pg_put_date(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_DATE)
        sql_put_operand(p, expr);
    else if (sql_type_is_time(kind) || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", expr, " AS date)");
    else if (sql_type_is_text(kind))
        pg_wrap(p, "CAST(", pg_put_time, expr, " AS date)");
    else
        refuse_as(p, expr, kind, "a date");
}

void pg_put_boolean(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_NULL || kind == SQL_TYPE_UNKNOWN)
        sql_put_operand(p, expr);
    else
        refuse_as(p, expr, kind, "a condition");
}

void pg_put_plain(printer *p, const struct sql_expr *expr) {
    if (is_integer_literal(expr))
        sql_put(p, expr->literal.text);
    else
        sql_put_operand(p, expr);
}

void pg_put_sorted(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_UNKNOWN || kind >= SQL_TYPE_JSON)
        pg_refuse(p, expr->span, "the order of values of type %s", sql_type_name(kind));
    sql_put_operand(p, expr);
    if (sql_type_is_text(kind)) sql_put(p, STR(" COLLATE \"C\""));
}

void pg_put_common(printer *p, const struct sql_expr *expr, const struct sql_type *type) {
    enum sql_type_kind kind = pg_kind(p, expr);
    if (kind == SQL_TYPE_NULL || kind == type->kind) {
        sql_put_expr(p, expr);
    } else if (sql_type_is_text(type->kind)) {
        pg_put_text(p, expr);
    } else if (type->kind == SQL_TYPE_DOUBLE) {
        pg_put_double(p, expr);
    } else if (sql_type_is_number(type->kind) && sql_type_is_number(kind)) {
        pg_put_number(p, expr);
    } else if (sql_type_is_time(type->kind) && sql_type_is_time(kind)) {
        pg_put_time(p, expr);
    } else if (kind == SQL_TYPE_UNKNOWN && type->kind == SQL_TYPE_UNKNOWN) {
        sql_put_expr(p, expr);
    } else {
        refuse_as(p, expr, kind, "one of values of several types");
    }
}

/* -- CAST ------------------------------------------------------------------------------------- */

void pg_put_type(printer *p, const struct sql_type *type) {
    static const char *const names[SQL_TYPE_KINDS] = {
        [SQL_TYPE_BOOLEAN] = "boolean",     [SQL_TYPE_TINYINT] = "smallint",
        [SQL_TYPE_SMALLINT] = "smallint",   [SQL_TYPE_INT] = "integer",
        [SQL_TYPE_BIGINT] = "bigint",       [SQL_TYPE_DOUBLE] = "float8",
        [SQL_TYPE_STRING] = "text",         [SQL_TYPE_VARCHAR] = "text",
        [SQL_TYPE_DATE] = "date",           [SQL_TYPE_DATETIME] = "timestamp",
        [SQL_TYPE_TIMESTAMP] = "timestamp", [SQL_TYPE_TIMESTAMP_NTZ] = "timestamp",
    };
    if (type->kind == SQL_TYPE_DECIMAL) {
        bool given = type->precision > 0;
        sql_putf(p, "numeric(%d,%d)", given ? type->precision : 38, given ? type->scale : 18);
    } else if (names[type->kind] != NULL) {
        sql_put(p, str_of(names[type->kind]));
    } else {
        pg_refuse(p, (struct sql_span){SQL_NOWHERE, SQL_NOWHERE}, "a cast to type %s",
                  sql_type_name(type->kind));
    }
}

static void cast_as_type(printer *p, const struct sql_expr *value, const struct sql_type *type,
                         pg_put put) {
    sql_put(p, STR("CAST("));
    put(p, value);
    sql_put(p, STR(" AS "));
    pg_put_type(p, type);
    sql_put_byte(p, ')');
}

static void cast_boolean(printer *p, const struct sql_expr *value) {
    enum sql_type_kind kind = pg_kind(p, value);
    if (kind == SQL_TYPE_BOOLEAN || kind == SQL_TYPE_NULL)
        wrap(p, "CAST(", value, " AS boolean)");
    else if (sql_type_is_text(kind))
        wrap(p, "CAST(regexp_replace(lower(", value, "), '^(?!(true|false)$).*$', '') AS boolean)");
    else if (sql_type_is_number(kind))
        wrap(p, "((", value, ") <> 0)");
    else
        refuse_as(p, value, kind, "boolean");
}

/* BOOLEAN is 1 or 0 where a number is wanted. */
static void cast_number(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    enum sql_type_kind kind = pg_kind(p, value);
    bool is_decimal = type->kind == SQL_TYPE_DECIMAL;
    if (type->kind == SQL_TYPE_TINYINT) /* there is none so narrow, and what overflows must fail */
        pg_refuse(p, value->span, "a cast to type tinyint");
    if (kind == SQL_TYPE_BOOLEAN && !is_decimal) {
        pg_wrap(p, "CAST(CAST(", sql_put_expr, value, " AS integer) AS ");
        pg_put_type(p, type);
        sql_put_byte(p, ')');
    } else if (sql_type_is_integer(type->kind)) {
        cast_as_type(p, value, type, pg_put_bigint);
    } else if (is_decimal) {
        cast_as_type(p, value, type, pg_put_decimal);
    } else {
        cast_as_type(p, value, type, pg_put_double);
    }
}

static void cast_text(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    bool is_cut = type->kind == SQL_TYPE_VARCHAR && type->precision > 0;
    if (is_cut) sql_put(p, STR("left("));
    if (sql_type_is_text(pg_kind(p, value)))
        wrap(p, "CAST(", value, " AS text)"); /* bare a constant would be no key to order by */
    else
        pg_put_text(p, value);
    if (is_cut) sql_putf(p, ", %u)", (unsigned)type->precision);
}

void pg_put_cast(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *value = expr->cast.value;
    const struct sql_type *type = &expr->cast.type;
    switch (type->kind) {
    case SQL_TYPE_BOOLEAN: cast_boolean(p, value); return;
    case SQL_TYPE_TINYINT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_DECIMAL:
    case SQL_TYPE_DOUBLE: cast_number(p, value, type); return;
    case SQL_TYPE_STRING:
    case SQL_TYPE_VARCHAR: cast_text(p, value, type); return;
    case SQL_TYPE_DATE: cast_as_type(p, value, type, pg_put_date); return;
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP_NTZ: cast_as_type(p, value, type, pg_put_time); return;
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_BINARY:
    case SQL_TYPE_JSON:
    case SQL_TYPE_ARRAY:
    case SQL_TYPE_MAP:
    case SQL_TYPE_STRUCT:
    case SQL_TYPE_CHAR: /* padded, and compared without its padding */
    case SQL_TYPE_UNKNOWN:
    case SQL_TYPE_NULL:
    case SQL_TYPE_INTERVAL_YEAR_MONTH:
    case SQL_TYPE_INTERVAL_DAY_TIME:
    case SQL_TYPE_KINDS: break;
    }
    pg_refuse(p, expr->span, "a cast to type %s", sql_type_name(type->kind));
}
