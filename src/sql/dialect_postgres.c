/* PostgreSQL's words: the table, names, literals. What they mean is told in dialect_postgres.h. */
#include "sql/dialect_postgres_inner.h"

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

enum { NAME_BYTES_MOST = 63 }; /* longer names are cut off there, silently */

void pg_refuse(printer *p, struct sql_span span, const char *fmt, ...) {
    char what[160];
    if (p->failed != FAIL_NONE) return;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    size_t at = span.from == SQL_NOWHERE ? REPORT_NO_OFFSET : span.from;
    p->failed = fail(p->report, FAIL_INPUT, "DIALECT_UNSUPPORTED", at,
                     "PostgreSQL cannot say %s with the meaning it has in MaxCompute", what)
                    .why;
}

/* -- names and texts -------------------------------------------------------------------------- */

static bool has_nul(struct str text) {
    return str_find_byte(text, '\0') < text.len;
}

static void identifier(printer *p, const struct sql_name *name) {
    if (name->text.len == 0 || has_nul(name->text))
        pg_refuse(p, name->span, "a name that is empty or holds NUL");
    if (name->text.len > NAME_BYTES_MOST)
        pg_refuse(p, name->span, "a name of more than %d bytes", (int)NAME_BYTES_MOST);
    sql_put_byte(p, '"');
    for (size_t i = 0; i < name->text.len; i++) {
        if (name->text.ptr[i] == '"') sql_put_byte(p, '"');
        sql_put_byte(p, name->text.ptr[i]);
    }
    sql_put_byte(p, '"');
}

/* With a backslash inside only E'' means the same under every setting of the session. */
static void string(printer *p, struct str text) {
    if (has_nul(text)) pg_refuse(p, nowhere, "a text that holds NUL");
    if (str_find_byte(text, '\\') < text.len) sql_put(p, STR(" E"));
    sql_put_byte(p, '\'');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\'' || c == '\\') sql_put_byte(p, c);
        sql_put_byte(p, c);
    }
    sql_put_byte(p, '\'');
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

/* PostgreSQL reads times in many forms, some of them with a zone; MaxCompute in one. */
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

static void put_time(printer *p, const char *type, struct str text, bool is_good) {
    if (!is_good) {
        pg_refuse(p, nowhere, "the literal '" STR_FMT "'", STR_ARG(utf8_clip(text, 64)));
        return;
    }
    sql_put(p, str_of(type));
    string(p, text);
}

static void put_as(printer *p, struct str text, const char *type) {
    sql_put(p, STR("CAST("));
    sql_put(p, text);
    sql_putf(p, " AS %s)", type);
}

static void put_integer(printer *p, struct str digits) {
    int64_t value;
    put_as(p, digits, str_to_i64(digits, &value) ? "bigint" : "numeric(38,0)");
}

static void literal(printer *p, const struct sql_literal *of) {
    struct str text = of->text;
    switch (of->kind) {
    case SQL_NULL: sql_put(p, STR("NULL")); return;
    case SQL_TRUE: sql_put(p, STR("TRUE")); return;
    case SQL_FALSE: sql_put(p, STR("FALSE")); return;
    case SQL_INTEGER:
    case SQL_BIGINT: put_integer(p, text); return;
    case SQL_SMALLINT:
    case SQL_TINYINT: put_as(p, text, "smallint"); return;
    case SQL_NUMBER: put_as(p, text, "float8"); return;
    case SQL_DECIMAL: put_as(p, text, "numeric(38,18)"); return;
    case SQL_STRING: string(p, text); return;
    case SQL_DATE: put_time(p, "DATE ", text, text.len == 10 && is_time(text)); return;
    case SQL_DATETIME:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMP_NTZ: put_time(p, "TIMESTAMP ", text, is_time(text)); return;
    }
    pg_refuse(p, nowhere, "a literal without a kind");
}

/* -- references ------------------------------------------------------------------------------- */

static void put_bare_call(printer *p, const struct sql_expr *expr) {
    struct str name = expr->ref.at[0].text;
    if (str_ieq(name, STR("current_date")))
        sql_put(p, STR("CAST(localtimestamp AS date)"));
    else if (str_ieq(name, STR("current_timestamp")) || str_ieq(name, STR("localtimestamp")))
        sql_put(p, STR("localtimestamp"));
    else
        pg_refuse(p, expr->span, "the function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
}

/* What has no type of its own there, or one that orders and prints by other rules. */
static bool is_foreign(enum sql_type_kind kind) {
    return kind == SQL_TYPE_BINARY || kind == SQL_TYPE_CHAR || kind == SQL_TYPE_JSON ||
           kind == SQL_TYPE_MAP || kind == SQL_TYPE_STRUCT ||
           kind == SQL_TYPE_INTERVAL_YEAR_MONTH || kind == SQL_TYPE_INTERVAL_DAY_TIME;
}

/* One part is an output, which only stands as a whole key of ORDER BY: pg_put_order() writes it. */
static void put_ref(printer *p, const struct sql_expr *expr) {
    const struct ruled *ruled = p->with;
    enum resolved_ref_kind kind = ruled != NULL ? ruled_ref_kind(ruled, expr) : REF_COLUMN;
    if (kind == REF_CALL)
        put_bare_call(p, expr);
    else if (kind == REF_PARAM || expr->ref.n == 1)
        pg_refuse(p, expr->span, "a name of one part");
    else if (expr->ref.n > 2)
        pg_refuse(p, expr->span, "a field of a struct");
    else if (is_foreign(pg_kind(p, expr)))
        pg_refuse(p, expr->span, "a value of type %s", sql_type_name(pg_kind(p, expr)));
    else
        sql_put_path(p, &expr->ref);
}

static void put_is_null(printer *p, const struct sql_expr *expr) {
    enum sql_type_kind kind = pg_kind(p, expr->operand);
    if (kind == SQL_TYPE_STRUCT || expr->operand->kind == SQL_ROW) /* asks of each field there */
        pg_refuse(p, expr->span, "IS NULL of a struct");
    pg_put_plain(p, expr->operand);
    sql_put(p, expr->negated ? STR(" IS NOT NULL") : STR(" IS NULL"));
}

static bool refuse_expr(printer *p, const struct sql_expr *expr, const char *what) {
    pg_refuse(p, expr->span, "%s", what);
    return true;
}

static bool expr(printer *p, const struct sql_expr *of) {
    switch (of->kind) {
    case SQL_LITERAL: return false;
    case SQL_INTERVAL: return pg_put_interval(p, of);
    case SQL_PARAM: return refuse_expr(p, of, "a parameter");
    case SQL_REF: put_ref(p, of); return true;
    case SQL_STAR:
        if (of->star.qualifier.n > 0 || of->star.except.n > 0 || of->star.n_replace > 0)
            return refuse_expr(p, of, "a star that was not expanded");
        return false;
    case SQL_FIELD: return refuse_expr(p, of, "a field of a struct");
    case SQL_INDEX: pg_put_element(p, of->index.base, of->index.index); return true;
    case SQL_CALL: return pg_put_call(p, of);
    case SQL_EXTRACT: return pg_put_extract(p, of);
    case SQL_CAST: pg_put_cast(p, of); return true;
    case SQL_CASE: return pg_put_case(p, of);
    case SQL_UNARY: return pg_put_unary(p, of);
    case SQL_BINARY: return pg_put_binary(p, of);
    case SQL_CHAIN: return pg_put_chain(p, of);
    case SQL_IS_NULL: put_is_null(p, of); return true;
    case SQL_BETWEEN: return pg_put_between(p, of);
    case SQL_IN_LIST:
    case SQL_IN_QUERY: return pg_put_in(p, of);
    case SQL_EXISTS:
    case SQL_SUBQUERY: return false;
    case SQL_ROW: return refuse_expr(p, of, "a row of values");
    case SQL_LAMBDA: return refuse_expr(p, of, "a lambda");
    }
    return false;
}

static bool is_explode(const struct sql_expr *expr) {
    if (expr->kind != SQL_CALL || expr->call.name.n != 1) return false;
    const struct sql_function *function = sql_function_find(expr->call.name.at[0].text);
    return function != NULL && function->kind == FUNCTION_TABLE;
}

/* Texts leave each block with the collation that orders by bytes, so that whoever orders by their
 * name need not say it, which DISTINCT would not let them. */
static bool item(printer *p, const struct sql_item *of) {
    if (is_explode(of->expr)) {
        pg_put_exploded(p, of);
        return true;
    }
    if (of->listed || !sql_type_is_text(pg_kind(p, of->expr))) return false;
    pg_put_sorted(p, of->expr);
    if (of->aliases.n > 0) sql_put_alias(p, &of->aliases.at[0], &(struct sql_names){0});
    return true;
}

const struct sql_dialect sql_dialect_postgres = {
    .name = "postgres",
    .join =
        {
            [SQL_JOIN_COMMA] = "CROSS JOIN",
            [SQL_JOIN_CROSS] = "CROSS JOIN",
            [SQL_JOIN_INNER] = "JOIN",
            [SQL_JOIN_LEFT] = "LEFT JOIN",
            [SQL_JOIN_RIGHT] = "RIGHT JOIN",
            [SQL_JOIN_FULL] = "FULL JOIN",
        },
    .set_op = {[SQL_UNION] = "UNION", [SQL_INTERSECT] = "INTERSECT", [SQL_MINUS] = "EXCEPT"},
    .explicit_nulls = true,
    .values_in_parens = true,
    .identifier = identifier,
    .string = string,
    .literal = literal,
    .type = pg_put_type,
    .function = pg_put_function,
    .expr = expr,
    .item = item,
    .source = pg_put_source,
    .group_by = pg_put_group_by,
    .tail = pg_put_tail,
};
