/* Literals, references and the walk over kinds of expressions, as both engines say them. */
#include "sql/dialect_engine.h"

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

void dialect_refuse(printer *p, struct sql_span span, const char *fmt, ...) {
    char what[160];
    if (p->failed != FAIL_NONE) return;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    size_t at = span.from == SQL_NOWHERE ? REPORT_NO_OFFSET : span.from;
    p->failed = fail(p->report, FAIL_INPUT, "DIALECT_UNSUPPORTED", at,
                     "%s cannot say %s with the meaning it has in MaxCompute",
                     p->dialect->engine->title, what)
                    .why;
}

/* -- writing ---------------------------------------------------------------------------------- */

void dialect_wrap(printer *p, const char *before, dialect_put put, const struct sql_expr *expr,
                  const char *after) {
    sql_put(p, str_of(before));
    put(p, expr);
    sql_put(p, str_of(after));
}

void dialect_put_text_as(printer *p, struct str text, const char *type) {
    sql_put(p, STR("CAST("));
    sql_put(p, text);
    sql_putf(p, " AS %s)", type);
}

void dialect_put_list(printer *p, const struct sql_exprs *exprs, size_t from, dialect_put put) {
    for (size_t i = from; i < exprs->n; i++) {
        if (i > from) sql_put(p, STR(", "));
        put(p, exprs->at[i]);
    }
}

bool dialect_has_nul(struct str text) {
    return str_find_byte(text, '\0') < text.len;
}

/* -- literals --------------------------------------------------------------------------------- */

static bool has_shape(struct str text, const char *shape) {
    size_t n = strlen(shape);
    if (text.len < n) return false;
    for (size_t i = 0; i < n; i++) {
        bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (shape[i] == '0' ? !is_digit : text.ptr[i] != shape[i]) return false;
    }
    return true;
}

/* Engines read times in many forms, some of them with a zone; MaxCompute in one. */
static bool is_time(struct str text) {
    static const char full[] = "0000-00-00 00:00:00";
    if (text.len == 10) return has_shape(text, "0000-00-00");
    if (!has_shape(text, full)) return false;
    struct str rest = str_slice(text, sizeof full - 1, text.len);
    if (rest.len == 0) return true;
    if (rest.ptr[0] != '.' || rest.len < 2 || rest.len > 7) return false;
    for (size_t i = 1; i < rest.len; i++)
        if (rest.ptr[i] < '0' || rest.ptr[i] > '9') return false;
    return true;
}

static void put_time(printer *p, const char *word, struct str text, bool is_good) {
    if (!is_good) {
        dialect_refuse(p, nowhere, "the literal '" STR_FMT "'", STR_ARG(utf8_clip(text, 64)));
        return;
    }
    sql_put(p, str_of(word));
    sql_put_string(p, text);
}

/* What no BIGINT holds is a DECIMAL. */
static void put_integer(printer *p, struct str digits) {
    const struct dialect_engine *engine = p->dialect->engine;
    int64_t value;
    if (str_to_i64(digits, &value)) {
        dialect_put_text_as(p, digits, engine->types[SQL_TYPE_BIGINT]);
        return;
    }
    sql_put(p, STR("CAST("));
    sql_put(p, digits);
    sql_putf(p, " AS %s(38,0))", engine->types[SQL_TYPE_DECIMAL]);
}

/* Not every engine has an integer of one byte. */
static void put_small(printer *p, struct str digits, enum sql_type_kind kind) {
    const char *const *types = p->dialect->engine->types;
    dialect_put_text_as(p, digits, types[kind] != NULL ? types[kind] : types[SQL_TYPE_SMALLINT]);
}

void dialect_put_literal(printer *p, const struct sql_literal *of) {
    struct str text = of->text;
    switch (of->kind) {
    case SQL_NULL: sql_put(p, STR("NULL")); return;
    case SQL_TRUE: sql_put(p, STR("TRUE")); return;
    case SQL_FALSE: sql_put(p, STR("FALSE")); return;
    case SQL_INTEGER:
    case SQL_BIGINT: put_integer(p, text); return;
    case SQL_SMALLINT: put_small(p, text, SQL_TYPE_SMALLINT); return;
    case SQL_TINYINT: put_small(p, text, SQL_TYPE_TINYINT); return;
    case SQL_NUMBER:
    case SQL_DECIMAL: p->dialect->engine->number(p, of); return;
    case SQL_STRING: sql_put_string(p, text); return;
    case SQL_DATE: put_time(p, "DATE ", text, text.len == 10 && is_time(text)); return;
    case SQL_DATETIME:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMP_NTZ: put_time(p, "TIMESTAMP ", text, is_time(text)); return;
    }
    dialect_refuse(p, nowhere, "a literal without a kind");
}

/* -- expressions ------------------------------------------------------------------------------ */

static void put_ref(printer *p, const struct sql_expr *expr) {
    if (dialect_is_bare_call(p, expr))
        dialect_put_bare_call(p, expr);
    else
        p->dialect->engine->column(p, expr);
}

static void put_is_null(printer *p, const struct sql_expr *expr) {
    dialect_put_plain(p, expr->operand);
    sql_put(p, expr->negated ? STR(" IS NOT NULL") : STR(" IS NULL"));
}

static bool refuse_expr(printer *p, const struct sql_expr *expr, const char *what) {
    dialect_refuse(p, expr->span, "%s", what);
    return true;
}

/* By the engine's hook, or refused. */
static bool put_or_refuse(printer *p, const struct sql_expr *expr, dialect_put put,
                          const char *what) {
    if (put == NULL) return refuse_expr(p, expr, what);
    put(p, expr);
    return true;
}

static bool is_expanded(const struct sql_expr *star) {
    return star->star.qualifier.n == 0 && star->star.except.n == 0 && star->star.n_replace == 0;
}

bool dialect_put_expr(printer *p, const struct sql_expr *of) {
    const struct dialect_engine *engine = p->dialect->engine;
    switch (of->kind) {
    case SQL_LITERAL: return false;
    case SQL_INTERVAL: return dialect_put_interval(p, of);
    case SQL_PARAM: return refuse_expr(p, of, "a parameter");
    case SQL_REF: put_ref(p, of); return true;
    case SQL_STAR: return !is_expanded(of) && refuse_expr(p, of, "a star that was not expanded");
    case SQL_FIELD: return put_or_refuse(p, of, engine->field, "a field of a struct");
    case SQL_INDEX: engine->element(p, of->index.base, of->index.index); return true;
    case SQL_CALL: return dialect_put_call(p, of);
    case SQL_EXTRACT: return dialect_put_extract(p, of);
    case SQL_CAST: dialect_put_cast(p, of); return true;
    case SQL_CASE: return dialect_put_case(p, of);
    case SQL_UNARY: return dialect_put_unary(p, of);
    case SQL_BINARY: return dialect_put_binary(p, of);
    case SQL_CHAIN: return dialect_put_chain(p, of);
    case SQL_IS_NULL: put_is_null(p, of); return true;
    case SQL_BETWEEN: return dialect_put_between(p, of);
    case SQL_IN_LIST:
    case SQL_IN_QUERY: return dialect_put_in(p, of);
    case SQL_EXISTS:
    case SQL_SUBQUERY: return false;
    case SQL_ROW: return refuse_expr(p, of, "a row of values");
    case SQL_LAMBDA: return refuse_expr(p, of, "a lambda"); /* who takes one writes it */
    }
    return false;
}

bool dialect_is_table_call(const struct sql_expr *expr) {
    if (expr->kind != SQL_CALL || expr->call.name.n != 1) return false;
    const struct sql_function *function = sql_function_find(expr->call.name.at[0].text);
    return function != NULL && function->kind == FUNCTION_TABLE;
}
