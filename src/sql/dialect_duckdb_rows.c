/* Table functions as a list of columns, some of which are unnested side by side: what LATERAL VIEW
 * selects, and what stands in a select list. */
#include "sql/dialect_duckdb_inner.h"

struct making {
    printer *p;
    const struct sql_expr *call;
    const struct sql_names *names; /* or NULL: columns are named from outside */
    size_t n;                      /* columns that are begun */
};

static const struct sql_expr *arg(const struct making *m, size_t i) {
    return m->call->call.args.at[i];
}

static size_t n_args(const struct making *m) {
    return m->call->call.args.n;
}

static void begin(struct making *m, const char *text) {
    if (m->n++ > 0) sql_put(m->p, STR(", "));
    sql_put(m->p, str_of(text));
}

static void end(struct making *m, const char *text) {
    sql_put(m->p, str_of(text));
    if (m->names == NULL || m->n > m->names->n) return;
    sql_put(m->p, STR(" AS "));
    sql_put_name(m->p, &m->names->at[m->n - 1]);
}

static void unnest(struct making *m, const char *before, const struct sql_expr *of,
                   const char *after) {
    begin(m, before);
    sql_put_expr(m->p, of);
    end(m, after);
}

/* -- arrays and maps -------------------------------------------------------------------------- */

static void explode(struct making *m) {
    enum sql_type_kind kind = dialect_kind(m->p, arg(m, 0));
    if (kind == SQL_TYPE_ARRAY) {
        unnest(m, "unnest(", arg(m, 0), ")");
    } else if (kind == SQL_TYPE_MAP) {
        unnest(m, "unnest(map_keys(", arg(m, 0), "))");
        unnest(m, "unnest(map_values(", arg(m, 0), "))");
    } else {
        dialect_refuse(m->p, m->call->span, "explode of a value of type %s", sql_type_name(kind));
    }
}

/* Positions count from 0. */
static void posexplode(struct making *m) {
    if (dialect_kind(m->p, arg(m, 0)) != SQL_TYPE_ARRAY)
        dialect_refuse(m->p, m->call->span, "posexplode of what is no array");
    unnest(m, "unnest(range(len(", arg(m, 0), ")))");
    unnest(m, "unnest(", arg(m, 0), ")");
}

/* One level of lists and one of structs, whose names only an alias from outside can change. */
static void inline_structs(struct making *m) {
    struct sql_type type = dialect_type(m->p, arg(m, 0));
    if (m->names != NULL) dialect_refuse(m->p, m->call->span, "inline outside of LATERAL VIEW");
    if (type.kind != SQL_TYPE_ARRAY ||
        (type.element != NULL && type.element->kind != SQL_TYPE_STRUCT &&
         type.element->kind != SQL_TYPE_UNKNOWN))
        dialect_refuse(m->p, m->call->span, "inline of what is no array of structs");
    unnest(m, "unnest(", arg(m, 0), ", max_depth := 2)");
}

/* -- texts ------------------------------------------------------------------------------------ */

static void json_tuple(struct making *m) {
    for (size_t i = 1; i < n_args(m); i++) {
        begin(m, "");
        duck_put_json_key(m->p, arg(m, 0), arg(m, i));
        end(m, "");
    }
}

/* keyvalue_tuple(s, between, within, keys…) */
static void keyvalue_tuple(struct making *m) {
    for (size_t i = 3; i < n_args(m); i++) {
        begin(m, "weir_keyvalue(");
        for (size_t j = 0; j < 3; j++) dialect_wrap(m->p, "", dialect_put_text, arg(m, j), ", ");
        dialect_put_text(m->p, arg(m, i));
        end(m, ")");
    }
}

/* parse_url_tuple(url, 'HOST', 'QUERY:key', …) */
static void parse_url_tuple(struct making *m) {
    for (size_t i = 1; i < n_args(m); i++) {
        struct str key, part;
        if (!dialect_constant_text(arg(m, i), &key))
            dialect_refuse(m->p, m->call->span, "a part of a URL that is no constant");
        bool has_key = str_find_byte(key, ':') < key.len;
        part = str_cut(&key, ':');
        begin(m, "");
        duck_put_url_part(m->p, arg(m, 0), m->call->span, part, has_key ? key : STR_NONE);
        end(m, "");
    }
}

static bool is_count(const struct making *m, size_t most, size_t *out) {
    int64_t n;
    if (!dialect_constant_int(arg(m, 0), &n) || n < 0 || (uint64_t)n > most) return false;
    *out = (size_t)n;
    return true;
}

/* trans_array(n, separator, n keys, lists…): the keys stand beside each element of the lists. */
static void trans_array(struct making *m) {
    struct str separator;
    size_t n_keys;
    if (!is_count(m, n_args(m) - 3, &n_keys) || !dialect_constant_text(arg(m, 1), &separator) ||
        separator.len == 0) {
        dialect_refuse(m->p, m->call->span, "trans_array without constants in front");
        return;
    }
    for (size_t i = 2; i < n_args(m); i++) {
        bool is_key = i < 2 + n_keys;
        begin(m, is_key ? "" : "unnest(string_split(");
        if (is_key) {
            sql_put_operand(m->p, arg(m, i));
        } else {
            dialect_put_text(m->p, arg(m, i));
            sql_put(m->p, STR(", "));
            sql_put_string(m->p, separator);
        }
        end(m, is_key ? "" : "))");
    }
}

/* -- rows of values --------------------------------------------------------------------------- */

/* A list of every `step`th argument from `from` on, in their common type, `n` of them. */
static void put_column(struct making *m, size_t from, size_t step, size_t n) {
    struct sql_type common = SQL_TYPE(NULL);
    for (size_t i = 0; i < n && from + i * step < n_args(m); i++) {
        struct sql_type type = dialect_type(m->p, arg(m, from + i * step));
        common = sql_type_common(&common, &type);
    }
    begin(m, "unnest([");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_put(m->p, STR(", "));
        if (from + i * step < n_args(m))
            dialect_put_common(m->p, arg(m, from + i * step), &common);
        else
            sql_put(m->p, STR("NULL"));
    }
    end(m, "])");
}

/* stack(n, a, b, …): n rows; what is missing in the last is NULL. */
static void stack(struct making *m) {
    size_t n_rows, n = n_args(m) - 1;
    if (!is_count(m, n, &n_rows) || n_rows == 0) {
        dialect_refuse(m->p, m->call->span, "stack without a constant number of rows");
        return;
    }
    size_t width = (n + n_rows - 1) / n_rows;
    for (size_t c = 0; c < width; c++) put_column(m, 1 + c, width, n_rows);
}

/* trans_cols(n, n keys, values…): a row for each value, numbered from 1. */
static void trans_cols(struct making *m) {
    size_t n_keys, n = n_args(m);
    if (!is_count(m, n - 2, &n_keys)) {
        dialect_refuse(m->p, m->call->span, "trans_cols without a constant in front");
        return;
    }
    begin(m, "unnest(range(1, ");
    sql_putf(m->p, "%zu", n - n_keys);
    end(m, "))");
    for (size_t i = 1; i <= n_keys; i++) {
        begin(m, "");
        sql_put_operand(m->p, arg(m, i));
        end(m, "");
    }
    put_column(m, 1 + n_keys, 1, n - 1 - n_keys);
}

void duck_put_rows(printer *p, const struct sql_expr *call, const struct sql_names *names) {
    static const struct {
        const char *name;
        void (*put)(struct making *m);
    } makers[] = {
        {"explode", explode},
        {"posexplode", posexplode},
        {"inline", inline_structs},
        {"json_tuple", json_tuple},
        {"stack", stack},
        {"trans_cols", trans_cols},
        {"trans_array", trans_array},
        {"keyvalue_tuple", keyvalue_tuple},
        {"parse_url_tuple", parse_url_tuple},
    };
    struct making m = {.p = p, .call = call, .names = names};
    struct str name = call->call.name.n == 1 ? call->call.name.at[0].text : STR_NONE;
    const struct sql_function *function = sql_function_find(name);
    for (size_t i = 0; i < COUNT(makers) && function != NULL; i++) {
        if (!str_ieq(name, str_of(makers[i].name))) continue;
        if (!sql_function_takes(function, call->call.args.n)) break;
        makers[i].put(&m);
        if (names != NULL && m.n != names->n)
            dialect_refuse(p, call->span, "%zu names for %zu columns of %s", names->n, m.n,
                           makers[i].name);
        return;
    }
    dialect_refuse(p, call->span, "the table function " STR_FMT, STR_ARG(utf8_clip(name, 64)));
}
