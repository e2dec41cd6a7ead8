/* get_json_object() and json_tuple(). */
#include "sql/dialect_postgres_inner.h"

/* -- paths ------------------------------------------------------------------------------------ */

enum { STEPS_MOST = 16 };

struct steps { /* $.name[0] */
    struct str at[STEPS_MOST];
    bool is_index[STEPS_MOST];
    size_t n;
};

static bool is_step_name(struct str name) {
    for (size_t i = 0; i < name.len; i++)
        if (strchr("\"'\\*$@?()[] ", name.ptr[i]) != NULL) return false;
    return name.len > 0;
}

/* What all readers of paths read alike. */
static bool read_steps(const struct sql_expr *path, struct steps *out) {
    struct str rest;
    uint64_t index;
    out->n = 0;
    if (!dialect_constant_text(path, &rest) || rest.len < 2 || rest.ptr[0] != '$') return false;
    rest = str_slice(rest, 1, rest.len);
    while (rest.len > 0 && out->n < STEPS_MOST) {
        bool is_index = rest.ptr[0] == '[';
        size_t end = 1;
        if (!is_index && rest.ptr[0] != '.') return false;
        while (end < rest.len && rest.ptr[end] != (is_index ? ']' : '.') &&
               (is_index || rest.ptr[end] != '['))
            end++;
        struct str step = str_slice(rest, 1, end);
        if (is_index && (end == rest.len || !str_to_u64(step, &index) || index > INT32_MAX))
            return false;
        if (!is_index && !is_step_name(step)) return false;
        out->at[out->n] = step;
        out->is_index[out->n++] = is_index;
        rest = str_slice(rest, is_index ? end + 1 : end, rest.len);
    }
    return rest.len == 0;
}

/* -- what is JSON ----------------------------------------------------------------------------- */

/* PostgreSQL 15 can only try, and fail. So each string becomes "", each other scalar 0, blanks go,
 * and then what holds only those becomes 0, again and again. What is JSON ends as one of the two;
 * what is nested deeper still has something to be replaced, and then the cast decides. */
#define JSON_STRING "\"([^\"\\\\\\u0001-\\u001f]|\\\\([\"\\\\/bfnrt]|u[0-9a-fA-F]{4}))*\""
#define JSON_SCALAR "-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?|true|false|null"
#define JSON_VALUE  "(0|\"\")"
#define JSON_LIST   "\\[(" JSON_VALUE "(," JSON_VALUE ")*)?\\]"
#define JSON_PAIR   "\"\":" JSON_VALUE
#define JSON_OBJECT "\\{(" JSON_PAIR "(," JSON_PAIR ")*)?\\}"

enum { JSON_DEPTH = 4 };

static void put_replaced(printer *p, struct str pattern, struct str by) {
    sql_put(p, STR(", "));
    sql_put_string(p, pattern);
    sql_put(p, STR(", "));
    sql_put_string(p, by);
    sql_put(p, STR(", 'g')"));
}

static void put_is_json(printer *p, const struct sql_expr *json) {
    sql_put_byte(p, '(');
    for (size_t i = 0; i < JSON_DEPTH + 3; i++) sql_put(p, STR("regexp_replace("));
    dialect_put_text(p, json);
    put_replaced(p, STR(JSON_STRING), STR("\"\""));
    put_replaced(p, STR(JSON_SCALAR), STR("0"));
    put_replaced(p, STR("[ \\t\\n\\r]"), STR(""));
    for (size_t i = 0; i < JSON_DEPTH; i++)
        put_replaced(p, STR(JSON_LIST "|" JSON_OBJECT), STR("0"));
    sql_put(p, STR(" ~ "));
    sql_put_string(p, STR("^" JSON_VALUE "$|" JSON_LIST "|" JSON_OBJECT));
    sql_put_byte(p, ')');
}

/* -- the value -------------------------------------------------------------------------------- */

/* A literal is turned into JSON no sooner than it has been looked at. */
static void put_steps(printer *p, const struct sql_expr *json, const struct steps *steps,
                      bool as_text) {
    bool is_literal = json->kind == SQL_LITERAL;
    dialect_wrap(p, is_literal ? "(CAST(CAST(" : "(CAST(", dialect_put_text, json,
                 is_literal ? " AS text) AS json)" : " AS json)");
    for (size_t i = 0; i < steps->n; i++) {
        sql_put(p, as_text && i + 1 == steps->n ? STR(" ->> ") : STR(" -> "));
        if (steps->is_index[i])
            sql_put(p, steps->at[i]);
        else
            sql_put_string(p, steps->at[i]);
    }
    sql_put_byte(p, ')');
}

static void put_failure(printer *p, const struct sql_expr *json, const struct steps *steps) {
    sql_put(p, STR("CAST(CAST(left("));
    put_steps(p, json, steps, true);
    sql_put(p, STR(", 0) AS float8) AS text)"));
}

/* The text as it stands in the JSON, without blanks between parts, which json_strip_nulls() leaves
 * out, and fields that are null as well. What MaxCompute would write otherwise fails: numbers with
 * an exponent or zeros at their end, and nulls among blanks. */
static void put_value(printer *p, const struct sql_expr *json, const struct steps *steps) {
    sql_put(p, STR("CASE WHEN NOT "));
    put_is_json(p, json);
    sql_put(p, STR(" THEN NULL WHEN json_typeof"));
    put_steps(p, json, steps, false);
    sql_put(p, STR(" = 'number' AND "));
    put_steps(p, json, steps, true);
    sql_put(p, STR(" !~ '^-?[0-9]+([.][0-9]*[1-9])?$' THEN "));
    put_failure(p, json, steps);
    sql_put(p, STR(" WHEN json_typeof"));
    put_steps(p, json, steps, false);
    sql_put(p, STR(" IN ('object', 'array') AND "));
    put_steps(p, json, steps, true);
    sql_put(p, STR(" ~ '[[:space:]]' THEN CASE WHEN "));
    put_steps(p, json, steps, true);
    sql_put(p, STR(" ~ 'null' THEN "));
    put_failure(p, json, steps);
    sql_put(p, STR(" ELSE CAST(json_strip_nulls"));
    put_steps(p, json, steps, false);
    sql_put(p, STR(" AS text) END ELSE "));
    put_steps(p, json, steps, true);
    sql_put(p, STR(" END"));
}

static void put_get_json_object(printer *p, const struct sql_expr *expr) {
    struct steps steps;
    if (read_steps(args_of(expr)->at[1], &steps))
        put_value(p, args_of(expr)->at[0], &steps);
    else
        dialect_refuse(p, expr->span, "this JSON path");
}

void pg_put_json_key(printer *p, const struct sql_expr *json, const struct sql_expr *key) {
    struct steps steps = {.n = 1};
    if (dialect_constant_text(key, &steps.at[0]) && steps.at[0].len > 0)
        put_value(p, json, &steps);
    else
        dialect_refuse(p, key->span, "a key of JSON that is no constant");
}

const struct dialect_hook pg_json_hooks[] = {
    {"get_json_object", put_get_json_object},
    {NULL, NULL},
};
