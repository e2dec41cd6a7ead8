/* PostgreSQL's words: the table, names, literals. What they mean is told in dialect_postgres.h. */
#include "sql/dialect_postgres_inner.h"

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

enum { NAME_BYTES_MOST = 63 }; /* longer names are cut off there, silently */

/* -- names and texts -------------------------------------------------------------------------- */

static void identifier(printer *p, const struct sql_name *name) {
    if (name->text.len == 0 || dialect_has_nul(name->text))
        dialect_refuse(p, name->span, "a name that is empty or holds NUL");
    if (name->text.len > NAME_BYTES_MOST)
        dialect_refuse(p, name->span, "a name of more than %d bytes", (int)NAME_BYTES_MOST);
    sql_put_byte(p, '"');
    for (size_t i = 0; i < name->text.len; i++) {
        if (name->text.ptr[i] == '"') sql_put_byte(p, '"');
        sql_put_byte(p, name->text.ptr[i]);
    }
    sql_put_byte(p, '"');
}

/* With a backslash inside only E'' means the same under every setting of the session. */
static void string(printer *p, struct str text) {
    if (dialect_has_nul(text)) dialect_refuse(p, nowhere, "a text that holds NUL");
    if (str_find_byte(text, '\\') < text.len) sql_put(p, STR(" E"));
    sql_put_byte(p, '\'');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\'' || c == '\\') sql_put_byte(p, c);
        sql_put_byte(p, c);
    }
    sql_put_byte(p, '\'');
}

/* Bare, a number with a fraction would be a numeric. */
static void number(printer *p, const struct sql_literal *of) {
    dialect_put_text_as(p, of->text, of->kind == SQL_NUMBER ? "float8" : "numeric(38,18)");
}

/* In 32 bits, for arguments that are counts. */
void pg_put_integer(printer *p, const struct sql_expr *expr) {
    int64_t value;
    if (dialect_constant_int(expr, &value) && value >= 0 && value <= INT32_MAX)
        sql_putf(p, "%lld", (long long)value);
    else
        dialect_wrap(p, "CAST(", dialect_put_bigint, expr, " AS integer)");
}

/* -- references ------------------------------------------------------------------------------- */

bool pg_is_foreign(enum sql_type_kind kind) {
    return kind == SQL_TYPE_BINARY || kind == SQL_TYPE_CHAR || kind == SQL_TYPE_JSON ||
           kind == SQL_TYPE_MAP || kind == SQL_TYPE_STRUCT ||
           kind == SQL_TYPE_INTERVAL_YEAR_MONTH || kind == SQL_TYPE_INTERVAL_DAY_TIME;
}

/* One part is an output, which only stands as a whole key of ORDER BY: pg_put_order() writes it. */
static void put_column(printer *p, const struct sql_expr *expr) {
    const struct ruled *ruled = p->with;
    bool is_param = ruled != NULL && ruled_ref_kind(ruled, expr) == REF_PARAM;
    if (is_param || expr->ref.n == 1)
        dialect_refuse(p, expr->span, "a name of one part");
    else if (expr->ref.n > 2)
        dialect_refuse(p, expr->span, "a field of a struct");
    else if (pg_is_foreign(dialect_kind(p, expr)))
        dialect_refuse(p, expr->span, "a value of type %s", sql_type_name(dialect_kind(p, expr)));
    else
        sql_put_path(p, &expr->ref);
}

/* Texts leave each block with the collation that orders by bytes, so that whoever orders by their
 * name need not say it, which DISTINCT would not let them. */
static bool item(printer *p, const struct sql_item *of) {
    if (dialect_is_table_call(of->expr)) {
        pg_put_rows(p, of->expr, &of->aliases, of->aliases.n);
        return true;
    }
    if (of->listed || !sql_type_is_text(dialect_kind(p, of->expr))) return false;
    dialect_put_sorted(p, of->expr);
    if (of->aliases.n > 0) sql_put_alias(p, &of->aliases.at[0], &(struct sql_names){0});
    return true;
}

/* -- the tables ------------------------------------------------------------------------------- */

static const char *spelling(const struct sql_function *function) {
    return function->postgres;
}

/* 1.5 and 100.0, as Java writes them, and from 10^7 on and below 10^-3 1.0E7 and 1.5E-4. The
 * digits are those of the shortest text, of which there are 17 at most. */
#define DOUBLE_TEXT                                                                                \
    "CASE WHEN abs(@) BETWEEN 1e7 AND 1.7976931348623157e308 OR (abs(@) < 1e-3 AND (@) <> 0) "     \
    "THEN regexp_replace(regexp_replace(ltrim(to_char(CAST(CAST(CAST(@ AS float8) AS text) AS "    \
    "numeric), '9.99999999999999999EEEE')), '([.][0-9]+?)0*e', E'\\\\1e'), 'e[+]?(-?)0*', "        \
    "E'E\\\\1') "                                                                                  \
    "ELSE regexp_replace(CAST(CAST(@ AS float8) AS text), '^(-?[0-9]+)$', E'\\\\1.0') END"

/* Texts of numbers: PostgreSQL would also take nan and infinity, which have an n. */
#define NUMBER_TEXT "translate(@, 'nN', '##')"

/* yyyy-mm-dd and yyyy-mm-dd hh:mi:ss, nothing else. */
#define TIME_SHAPE                                                                                 \
    "'^(?![0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?)?$).*$', ''"

static const struct dialect_engine engine = {
    .title = "PostgreSQL",
    .spelling = spelling,
    .hooks = {pg_plain_hooks, pg_text_hooks, pg_json_hooks, pg_time_hooks, pg_array_hooks,
              pg_aggregate_hooks, dialect_aggregate_hooks, dialect_plain_hooks, dialect_time_hooks},
    .types =
        {
            [SQL_TYPE_BOOLEAN] = "boolean",
            [SQL_TYPE_SMALLINT] = "smallint", /* TINYINT: none, and what overflows must fail */
            [SQL_TYPE_INT] = "integer",
            [SQL_TYPE_BIGINT] = "bigint",
            [SQL_TYPE_DECIMAL] = "numeric",
            [SQL_TYPE_DOUBLE] = "float8",
            [SQL_TYPE_STRING] = "text",
            [SQL_TYPE_VARCHAR] = "text",
            [SQL_TYPE_DATE] = "date",
            [SQL_TYPE_DATETIME] = "timestamp",
            [SQL_TYPE_TIMESTAMP] = "timestamp",
            [SQL_TYPE_TIMESTAMP_NTZ] = "timestamp",
        },
    .any_decimal = "numeric",
    .as_text =
        {
            [SQL_TYPE_NULL] = "CAST(@ AS text)",
            [SQL_TYPE_BOOLEAN] = "CAST(@ AS text)",
            [SQL_TYPE_TINYINT] = "CAST(@ AS text)",
            [SQL_TYPE_SMALLINT] = "CAST(@ AS text)",
            [SQL_TYPE_INT] = "CAST(@ AS text)",
            [SQL_TYPE_BIGINT] = "CAST(@ AS text)",
            [SQL_TYPE_DECIMAL] = "CAST(trim_scale(@) AS text)",
            [SQL_TYPE_DOUBLE] = DOUBLE_TEXT,
            [SQL_TYPE_STRING] = "@",
            [SQL_TYPE_VARCHAR] = "@",
            [SQL_TYPE_DATE] = "to_char(@, 'YYYY-MM-DD')",
            [SQL_TYPE_DATETIME] = "to_char(@, 'YYYY-MM-DD HH24:MI:SS')",
        },
    .text_as_boolean = "CAST(regexp_replace(lower(@), '^(?!(true|false)$).*$', '') AS boolean)",
    .text_as_double = "CAST(" NUMBER_TEXT " AS float8)",
    .text_as_bigint = "CAST(trunc(CAST(" NUMBER_TEXT " AS numeric)) AS bigint)",
    .text_as_decimal = "CAST(" NUMBER_TEXT " AS numeric(38,18))",
    .text_as_time = "CAST(regexp_replace(@, " TIME_SHAPE ") AS timestamp)",
    .boolean_as_number = "CAST(@ AS integer)",
    .double_as_decimal = "CAST(@ AS text)", /* its shortest text, as people read it */
    .collation = " COLLATE \"C\"",
    .needs_types = true,
    .number = number,
    .column = put_column,
    .element = pg_put_element,
    .divide = pg_put_quotient,
    .divide_whole = pg_put_whole_quotient,
    .like = pg_put_like,
    .rlike = pg_put_rlike,
    .remainder = pg_put_remainder,
    .bit_xor = {"", " # ", ""},
    .sha256 = {"encode(sha256(convert_to(", ", 'UTF8')), 'hex')"},
    .order = pg_put_order,
    .ordered_distinct = pg_put_ordered_distinct,
    .collect = "array_agg",
    .empty_array = "'{}'",
    .has_outer_windows = true,
    .argument = pg_put_integer,
    .now = "localtimestamp",
    .epoch = {"CAST(floor(extract(epoch FROM CAST(", " AS timestamptz))) AS bigint)"},
    .amount = pg_put_amount,
    .interval = pg_put_interval,
    .part = pg_put_part,
    .truncate = pg_put_truncated,
    .difference = pg_put_difference,
    .format = pg_put_formatted,
    .parse = pg_put_parsed,
    .made = pg_put_made,
    .source = pg_put_source,
    .meets = pg_meets,
};

const struct sql_dialect sql_dialect_postgres = {
    DIALECT_OF_ENGINES,      .name = "postgres", .identifier = identifier, .string = string,
    .select = pg_put_select, .item = item,       .engine = &engine,
};
