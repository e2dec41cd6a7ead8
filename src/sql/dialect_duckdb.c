/* DuckDB's words: the table, names, literals. What they mean is told in dialect_duckdb.h. */
#include "sql/dialect_duckdb_inner.h"

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

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

static void identifier(printer *p, const struct sql_name *name) {
    if (name->text.len == 0 || dialect_has_nul(name->text))
        dialect_refuse(p, name->span, "a name that is empty or holds NUL");
    put_doubled(p, name->text, '"');
}

static void string(printer *p, struct str text) {
    if (dialect_has_nul(text)) dialect_refuse(p, nowhere, "a text that holds NUL");
    put_doubled(p, text, '\'');
}

/* -- literals --------------------------------------------------------------------------------- */

static bool has_exponent(struct str text) {
    return str_find_byte(text, 'e') < text.len || str_find_byte(text, 'E') < text.len;
}

/* 1.5 is a DECIMAL there: 1.5e0 is none. 1.5BD is one also as 2BD or 1e2BD, which would be an
 * INTEGER or a DOUBLE. */
static void number(printer *p, const struct sql_literal *of) {
    bool is_double = of->kind == SQL_NUMBER;
    bool has_fraction = str_find_byte(of->text, '.') + 1 < of->text.len;
    if (!is_double && (!has_fraction || has_exponent(of->text))) {
        dialect_put_text_as(p, of->text, "DECIMAL(38,18)");
        return;
    }
    sql_put(p, of->text);
    if (is_double && !has_exponent(of->text)) sql_put(p, STR("e0"));
}

/* -- references ------------------------------------------------------------------------------- */

/* alias.column.field.field: what is a field is said, for else it might be a schema. */
static void put_column(printer *p, const struct sql_expr *expr) {
    const struct sql_names *ref = &expr->ref;
    const struct ruled *ruled = p->with;
    bool is_param = ruled != NULL && ruled_ref_kind(ruled, expr) == REF_PARAM;
    size_t n_own = is_param || ref->n == 1 ? 1 : 2;
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

/* -- casts ------------------------------------------------------------------------------------ */

static void cast_binary(printer *p, const struct sql_expr *value) {
    enum sql_type_kind kind = dialect_kind(p, value);
    if (sql_type_is_text(kind))
        dialect_fill(p, "encode(@)", value);
    else if (kind == SQL_TYPE_BINARY || kind == SQL_TYPE_NULL)
        dialect_fill(p, "CAST(@ AS BLOB)", value);
    else
        dialect_refuse_as(p, value, kind, "binary");
}

/* Known to be the same, or NULL. */
static bool is_same(const struct sql_type *from, const struct sql_type *to) {
    if (from->kind == SQL_TYPE_NULL) return true;
    return from->kind >= SQL_TYPE_JSON && sql_type_eq(from, to);
}

static void put_cast(printer *p, const struct sql_expr *value, const struct sql_type *type) {
    struct sql_type from = dialect_type(p, value);
    if (type->kind == SQL_TYPE_BINARY)
        cast_binary(p, value);
    else if (is_same(&from, type))
        sql_put_operand(p, value);
    else if (type->kind == SQL_TYPE_JSON && sql_type_is_text(from.kind))
        dialect_fill(p, "CAST(@ AS JSON)", value);
    else
        dialect_refuse_as(p, value, from.kind, sql_type_name(type->kind));
}

/* SELECT explode(m) AS (k, v): each column with its name. */
static bool item(printer *p, const struct sql_item *of) {
    if (of->aliases.n == 0 || !dialect_is_table_call(of->expr)) return false;
    duck_put_rows(p, of->expr, &of->aliases);
    return true;
}

/* -- the tables ------------------------------------------------------------------------------- */

static const char *spelling(const struct sql_function *function) {
    return function->duckdb;
}

static const struct dialect_engine engine = {
    .title = "DuckDB",
    .spelling = spelling,
    .hooks = {dialect_aggregate_hooks, dialect_plain_hooks, dialect_time_hooks, duck_plain_hooks,
              duck_text_hooks, duck_time_hooks, duck_nested_hooks, duck_aggregate_hooks},
    .types =
        {
            [SQL_TYPE_BOOLEAN] = "BOOLEAN",
            [SQL_TYPE_TINYINT] = "TINYINT",
            [SQL_TYPE_SMALLINT] = "SMALLINT",
            [SQL_TYPE_INT] = "INTEGER",
            [SQL_TYPE_BIGINT] = "BIGINT",
            [SQL_TYPE_DECIMAL] = "DECIMAL",
            [SQL_TYPE_FLOAT] = "FLOAT",
            [SQL_TYPE_DOUBLE] = "DOUBLE",
            [SQL_TYPE_STRING] = "VARCHAR",
            [SQL_TYPE_VARCHAR] = "VARCHAR",
            [SQL_TYPE_BINARY] = "BLOB",
            [SQL_TYPE_DATE] = "DATE",
            [SQL_TYPE_DATETIME] = "TIMESTAMP",
            [SQL_TYPE_TIMESTAMP] = "TIMESTAMP",
            [SQL_TYPE_TIMESTAMP_NTZ] = "TIMESTAMP",
            [SQL_TYPE_JSON] = "JSON",
        },
    .any_decimal = "DECIMAL(38,18)",
    .as_text =
        {
            [SQL_TYPE_NULL] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_BOOLEAN] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_TINYINT] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_SMALLINT] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_INT] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_BIGINT] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_DECIMAL] = "weir_decimal_text(@)",
            [SQL_TYPE_FLOAT] = "weir_double_text(@)",
            [SQL_TYPE_DOUBLE] = "weir_double_text(@)",
            [SQL_TYPE_STRING] = "@",
            [SQL_TYPE_VARCHAR] = "@",
            [SQL_TYPE_CHAR] = "@",
            [SQL_TYPE_DATE] = "CAST(@ AS VARCHAR)",
            [SQL_TYPE_DATETIME] = "strftime(@, '%Y-%m-%d %H:%M:%S')",
            [SQL_TYPE_BINARY] = "decode(@)",
        },
    .text_as_boolean = "weir_to_boolean(@)",
    .text_as_double = "weir_to_double(@)",
    .text_as_bigint = "weir_to_bigint(@)",
    .text_as_decimal = "weir_to_decimal(@)",
    .text_as_time = "weir_to_datetime(@)",
    .boolean_as_number = "@",
    .double_as_decimal = "@",
    .collation = "",
    .cast = put_cast,
    .number = number,
    .column = put_column,
    .field = put_field,
    .element = duck_put_element,
    .divide = duck_put_quotient,
    .multiply = duck_put_product,
    .divide_whole = duck_put_whole_quotient,
    .like = duck_put_like,
    .rlike = duck_put_rlike,
    .remainder = duck_put_remainder,
    .bit_xor = {"xor(", ", ", ")"},
    .sha256 = {"sha256(", ")"},
    .order = sql_put_order,
    .collect = "list",
    .empty_array = "[]",
    .has_distinct_over = true,
    .ordered_distinct = duck_put_ordered_distinct,
    .has_ignore_nulls = true,
    .argument = dialect_put_bigint,
    .now = "current_timestamp",
    .epoch = {"CAST(floor(epoch(CAST(", " AS TIMESTAMPTZ))) AS BIGINT)"},
    .amount = duck_put_amount,
    .interval = duck_put_interval,
    .part = duck_put_part,
    .truncate = duck_put_truncated,
    .difference = duck_put_difference,
    .format = duck_put_formatted,
    .parse = duck_put_parsed,
    .made = duck_put_made,
    .source = duck_put_source,
    .meets = duck_meets,
};

const struct sql_dialect sql_dialect_duckdb = {
    DIALECT_OF_ENGINES, .name = "duckdb", .identifier = identifier,
    .string = string,   .item = item,     .engine = &engine,
};
