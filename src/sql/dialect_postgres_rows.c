/* Table functions as columns, of which those that have many rows are unnested side by side: what
 * LATERAL VIEW selects, and what stands alone in a select list. */
#include "sql/dialect_postgres_inner.h"

struct making {
    printer *p;
    const struct sql_expr *call;
    const struct sql_names *names;
    size_t n; /* columns that are begun */
};

static const struct sql_expr *arg(const struct making *m, size_t i) {
    return args_of(m->call)->at[i];
}

static size_t n_args(const struct making *m) {
    return args_of(m->call)->n;
}

static void begin(struct making *m, const char *text) {
    if (m->n++ > 0) sql_put(m->p, STR(", "));
    sql_put(m->p, str_of(text));
}

static void end(struct making *m, const char *text, const struct sql_type *type) {
    sql_put(m->p, str_of(text));
    if (sql_type_is_text(type->kind)) sql_put(m->p, STR(" COLLATE \"C\""));
    if (m->names != NULL && m->n <= m->names->n)
        sql_put_alias(m->p, &m->names->at[m->n - 1], &(struct sql_names){0});
}

static void refuse(struct making *m, const char *what) {
    dialect_refuse(m->p, m->call->span, "%s", what);
}

/* -- arrays ----------------------------------------------------------------------------------- */

static const struct sql_type *element_of(struct making *m, struct sql_type *array) {
    static const struct sql_type none = {.kind = SQL_TYPE_UNKNOWN};
    *array = dialect_type(m->p, arg(m, 0));
    bool is_flat = array->kind == SQL_TYPE_ARRAY && array->element != NULL &&
                   array->element->kind < SQL_TYPE_JSON;
    if (!is_flat) refuse(m, "explode of other than an array of plain values");
    return is_flat ? array->element : &none;
}

static void explode(struct making *m) {
    struct sql_type array;
    begin(m, "unnest(");
    sql_put_expr(m->p, arg(m, 0));
    end(m, ")", element_of(m, &array));
}

/* Positions count from 0. */
static void posexplode(struct making *m) {
    begin(m, "generate_series(CAST(0 AS bigint), cardinality(");
    sql_put_expr(m->p, arg(m, 0));
    end(m, ") - 1)", &SQL_TYPE(BIGINT));
    explode(m);
}

/* -- texts ------------------------------------------------------------------------------------ */

static void json_tuple(struct making *m) {
    for (size_t i = 1; i < n_args(m); i++) {
        begin(m, "");
        pg_put_json_key(m->p, arg(m, 0), arg(m, i));
        end(m, "", &SQL_TYPE(STRING));
    }
}

static bool is_count(const struct making *m, size_t most, size_t *out) {
    int64_t n;
    if (!dialect_constant_int(arg(m, 0), &n) || n < 0 || (uint64_t)n > most) return false;
    *out = (size_t)n;
    return true;
}

static void put_key(struct making *m, const struct sql_expr *key) {
    struct sql_type type = dialect_type(m->p, key);
    begin(m, "");
    sql_put_operand(m->p, key);
    end(m, "", &type);
}

/* trans_array(n, separator, n keys, lists…): the keys stand beside each element of the lists. */
static void trans_array(struct making *m) {
    struct str separator;
    size_t n_keys;
    if (!is_count(m, n_args(m) - 3, &n_keys) || !dialect_constant_text(arg(m, 1), &separator) ||
        separator.len == 0) {
        refuse(m, "trans_array without constants in front");
        return;
    }
    for (size_t i = 2; i < 2 + n_keys; i++) put_key(m, arg(m, i));
    for (size_t i = 2 + n_keys; i < n_args(m); i++) {
        begin(m, "unnest(");
        pg_put_split_plain(m->p, arg(m, i), separator);
        end(m, ")", &SQL_TYPE(STRING));
    }
}

/* -- rows of values --------------------------------------------------------------------------- */

/* An array of every `step`th argument from `from` on, in their common type, `n` of them. */
static void put_column(struct making *m, size_t from, size_t step, size_t n) {
    struct sql_type common = SQL_TYPE(NULL);
    for (size_t i = 0; i < n && from + i * step < n_args(m); i++) {
        struct sql_type type = dialect_type(m->p, arg(m, from + i * step));
        common = sql_type_common(&common, &type);
    }
    if (common.kind == SQL_TYPE_UNKNOWN || common.kind >= SQL_TYPE_JSON)
        refuse(m, "rows of other than plain values");
    begin(m, "unnest(ARRAY[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_put(m->p, STR(", "));
        if (from + i * step < n_args(m))
            dialect_put_common(m->p, arg(m, from + i * step), &common);
        else
            sql_put(m->p, STR("NULL"));
    }
    end(m, "])", &common);
}

/* stack(n, a, b, …): n rows; what is missing in the last is NULL. */
static void stack(struct making *m) {
    size_t n_rows, n = n_args(m) - 1;
    if (!is_count(m, n, &n_rows) || n_rows == 0) {
        refuse(m, "stack without a constant number of rows");
        return;
    }
    size_t width = (n + n_rows - 1) / n_rows;
    for (size_t c = 0; c < width; c++) put_column(m, 1 + c, width, n_rows);
}

/* trans_cols(n, n keys, values…): a row for each value, numbered from 1. */
static void trans_cols(struct making *m) {
    size_t n_keys, n = n_args(m);
    if (!is_count(m, n - 2, &n_keys)) {
        refuse(m, "trans_cols without a constant in front");
        return;
    }
    begin(m, "generate_series(CAST(1 AS bigint), ");
    sql_putf(m->p, "%zu", n - 1 - n_keys);
    end(m, ")", &SQL_TYPE(BIGINT));
    for (size_t i = 1; i <= n_keys; i++) put_key(m, arg(m, i));
    put_column(m, 1 + n_keys, 1, n - 1 - n_keys);
}

void pg_put_rows(printer *p, const struct sql_expr *call, const struct sql_names *names,
                 size_t n_names) {
    static const struct {
        const char *name;
        void (*put)(struct making *m);
    } makers[] = {
        {"explode", explode},         {"posexplode", posexplode}, {"json_tuple", json_tuple},
        {"trans_array", trans_array}, {"stack", stack},           {"trans_cols", trans_cols},
    };
    struct making m = {.p = p, .call = call, .names = names};
    struct str name = call->call.name.n == 1 ? call->call.name.at[0].text : STR_NONE;
    const struct sql_function *function = sql_function_find(name);
    for (size_t i = 0; i < COUNT(makers) && function != NULL; i++) {
        if (!str_ieq(name, str_of(makers[i].name))) continue;
        if (!sql_function_takes(function, args_of(call)->n)) break;
        makers[i].put(&m);
        if (m.n != n_names)
            dialect_refuse(p, call->span, "%zu names for %zu columns of %s", n_names, m.n,
                           makers[i].name);
        return;
    }
    dialect_refuse(p, call->span, "the table function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
}
