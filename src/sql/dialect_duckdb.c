/* DuckDB's words: the table, names, literals. What they mean is told in dialect_duckdb.h. */
#include "sql/dialect_duckdb_inner.h"

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

void duck_refuse(printer *p, struct sql_span span, const char *fmt, ...) {
    char what[160];
    if (p->failed != FAIL_NONE) return;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    size_t at = span.from == SQL_NOWHERE ? REPORT_NO_OFFSET : span.from;
    p->failed = fail(p->report, FAIL_INPUT, "DIALECT_UNSUPPORTED", at,
                     "DuckDB cannot say %s with the meaning it has in MaxCompute", what)
                    .why;
}

/* -- names and texts -------------------------------------------------------------------------- */

static void put_doubled(printer *p, struct str text, char quote) {
    sql_put_byte(p, quote);
    for (size_t end; (end = str_find_byte(text, quote)) < text.len;) {
        sql_put(p, str_slice(text, 0, end + 1));
        sql_put_byte(p, quote);
        text = str_slice(text, end + 1, text.len);
    }
    sql_put(p, text);
    sql_put_byte(p, quote);
}

static bool has_nul(struct str text) {
    return str_find_byte(text, '\0') < text.len;
}

static void identifier(printer *p, const struct sql_name *name) {
    if (name->text.len == 0 || has_nul(name->text))
        duck_refuse(p, name->span, "a name that is empty or holds NUL");
    put_doubled(p, name->text, '"');
}

static void string(printer *p, struct str text) {
    if (has_nul(text)) duck_refuse(p, nowhere, "a text that holds NUL");
    put_doubled(p, text, '\'');
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

/* DuckDB reads times in many forms, some of them with a zone; MaxCompute in one. */
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
        duck_refuse(p, nowhere, "the literal '" STR_FMT "'", STR_ARG(utf8_clip(text, 64)));
        return;
    }
    sql_put(p, str_of(word));
    string(p, text);
}

/* 1.5 would be a DECIMAL. */
static void put_double(printer *p, struct str text) {
    sql_put(p, text);
    bool has_exponent = str_find_byte(text, 'e') < text.len || str_find_byte(text, 'E') < text.len;
    if (!has_exponent) sql_put(p, STR("e0"));
}

static void put_cast(printer *p, struct str text, const char *type) {
    sql_put(p, STR("CAST("));
    sql_put(p, text);
    sql_putf(p, " AS %s)", type);
}

static void put_integer(printer *p, struct str digits) {
    int64_t value;
    put_cast(p, digits, str_to_i64(digits, &value) ? "BIGINT" : "DECIMAL(38,0)");
}

static void literal(printer *p, const struct sql_literal *of) {
    struct str text = of->text;
    switch (of->kind) {
    case SQL_NULL: sql_put(p, STR("NULL")); return;
    case SQL_TRUE: sql_put(p, STR("TRUE")); return;
    case SQL_FALSE: sql_put(p, STR("FALSE")); return;
    case SQL_INTEGER:
    case SQL_BIGINT: put_integer(p, text); return;
    case SQL_SMALLINT: put_cast(p, text, "SMALLINT"); return;
    case SQL_TINYINT: put_cast(p, text, "TINYINT"); return;
    case SQL_NUMBER: put_double(p, text); return;
    case SQL_DECIMAL: sql_put(p, text); return;
    case SQL_STRING: string(p, text); return;
    case SQL_DATE: put_time(p, "DATE ", text, text.len == 10 && is_time(text)); return;
    case SQL_DATETIME:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMP_NTZ: put_time(p, "TIMESTAMP ", text, is_time(text)); return;
    }
    duck_refuse(p, nowhere, "a literal without a kind");
}

/* 1.5BD is a DECIMAL also as 2BD or 1e2BD, which would be an INTEGER or a DOUBLE. */
static void put_literal(printer *p, const struct sql_literal *of) {
    bool is_plain = of->kind != SQL_DECIMAL || (str_find_byte(of->text, '.') + 1 < of->text.len &&
                                                str_find_byte(of->text, 'e') == of->text.len &&
                                                str_find_byte(of->text, 'E') == of->text.len);
    if (is_plain)
        literal(p, of);
    else
        put_cast(p, of->text, "DECIMAL(38,18)");
}

/* -- references ------------------------------------------------------------------------------- */

static void put_bare_call(printer *p, const struct sql_expr *expr) {
    struct str name = expr->ref.at[0].text;
    if (str_ieq(name, STR("current_date")))
        sql_put(p, STR("CAST(CAST(current_timestamp AS TIMESTAMP) AS DATE)"));
    else if (str_ieq(name, STR("current_timestamp")) || str_ieq(name, STR("localtimestamp")))
        sql_put(p, STR("CAST(current_timestamp AS TIMESTAMP)"));
    else
        duck_refuse(p, expr->span, "the function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
}

static enum resolved_ref_kind ref_kind(const printer *p, const struct sql_expr *expr) {
    const struct ruled *ruled = p->with;
    return ruled == NULL ? REF_COLUMN : ruled_ref_kind(ruled, expr);
}

/* alias.column.field.field: what is a field is said, for else it might be a schema. */
static void put_ref(printer *p, const struct sql_expr *expr) {
    const struct sql_names *ref = &expr->ref;
    enum resolved_ref_kind kind = ref_kind(p, expr);
    if (kind == REF_CALL) {
        put_bare_call(p, expr);
        return;
    }
    size_t n_own = kind == REF_PARAM || ref->n == 1 ? 1 : 2;
    for (size_t i = n_own; i < ref->n; i++) sql_put(p, STR("struct_extract("));
    sql_put_path(p, &(struct sql_names){ref->at, n_own});
    for (size_t i = n_own; i < ref->n; i++) {
        sql_put(p, STR(", "));
        string(p, ref->at[i].text);
        sql_put_byte(p, ')');
    }
}

static void put_field(printer *p, const struct sql_expr *expr) {
    sql_put(p, STR("struct_extract("));
    sql_put_expr(p, expr->field.base);
    sql_put(p, STR(", "));
    string(p, expr->field.name.text);
    sql_put_byte(p, ')');
}

static void put_is_null(printer *p, const struct sql_expr *expr) {
    duck_put_plain(p, expr->operand);
    sql_put(p, expr->negated ? STR(" IS NOT NULL") : STR(" IS NULL"));
}

static bool refuse_expr(printer *p, const struct sql_expr *expr, const char *what) {
    duck_refuse(p, expr->span, "%s", what);
    return true;
}

static bool expr(printer *p, const struct sql_expr *of) {
    switch (of->kind) {
    case SQL_LITERAL: put_literal(p, &of->literal); return true;
    case SQL_INTERVAL: return duck_put_interval(p, of);
    case SQL_PARAM: return refuse_expr(p, of, "a placeholder");
    case SQL_REF: put_ref(p, of); return true;
    case SQL_STAR:
        if (of->star.qualifier.n > 0 || of->star.except.n > 0 || of->star.n_replace > 0)
            return refuse_expr(p, of, "a star that was not expanded");
        return false;
    case SQL_FIELD: put_field(p, of); return true;
    case SQL_INDEX: return duck_put_index(p, of);
    case SQL_CALL: return duck_put_call(p, of);
    case SQL_EXTRACT: return duck_put_extract(p, of);
    case SQL_CAST: duck_put_cast(p, of); return true;
    case SQL_CASE: return duck_put_case(p, of);
    case SQL_UNARY: return duck_put_unary(p, of);
    case SQL_BINARY: return duck_put_binary(p, of);
    case SQL_CHAIN: return duck_put_chain(p, of);
    case SQL_IS_NULL: put_is_null(p, of); return true;
    case SQL_BETWEEN: return duck_put_between(p, of);
    case SQL_IN_LIST:
    case SQL_IN_QUERY: return duck_put_in(p, of);
    case SQL_EXISTS:
    case SQL_SUBQUERY:
    case SQL_ROW: return false;
    case SQL_LAMBDA: return duck_put_lambda(p, of);
    }
    return false;
}

/* SELECT explode(m) AS (k, v): each column with its name. */
static bool item(printer *p, const struct sql_item *of) {
    const struct sql_call *call = &of->expr->call;
    if (of->expr->kind != SQL_CALL || call->name.n != 1 || of->aliases.n == 0) return false;
    const struct sql_function *function = sql_function_find(call->name.at[0].text);
    if (function == NULL || function->kind != FUNCTION_TABLE) return false;
    duck_put_rows(p, of->expr, &of->aliases);
    return true;
}

const struct sql_dialect sql_dialect_duckdb = {
    .name = "duckdb",
    .op =
        {
            [SQL_OP_NOT] = "NOT",
            [SQL_OP_MINUS] = "-",
            [SQL_OP_PLUS] = "+",
            [SQL_OP_BIT_NOT] = "~",
            [SQL_OP_MUL] = "*",
            [SQL_OP_ADD] = "+",
            [SQL_OP_SUB] = "-",
            [SQL_OP_CONCAT] = "||",
            [SQL_OP_BIT_AND] = "&",
            [SQL_OP_BIT_OR] = "|",
            [SQL_OP_AND] = "AND",
            [SQL_OP_OR] = "OR",
        },
    .join =
        {
            [SQL_JOIN_COMMA] = "CROSS JOIN",
            [SQL_JOIN_CROSS] = "CROSS JOIN",
            [SQL_JOIN_INNER] = "JOIN",
            [SQL_JOIN_LEFT] = "LEFT JOIN",
            [SQL_JOIN_RIGHT] = "RIGHT JOIN",
            [SQL_JOIN_FULL] = "FULL JOIN",
            [SQL_JOIN_SEMI] = "SEMI JOIN",
            [SQL_JOIN_ANTI] = "ANTI JOIN",
        },
    .set_op = {[SQL_UNION] = "UNION", [SQL_INTERSECT] = "INTERSECT", [SQL_MINUS] = "EXCEPT"},
    .explicit_nulls = true,
    .values_in_parens = true,
    .identifier = identifier,
    .string = string,
    .literal = literal,
    .type = duck_put_type,
    .function = duck_put_function,
    .expr = expr,
    .item = item,
    .source = duck_put_source,
    .group_by = duck_put_group_by,
    .tail = duck_put_tail,
};
