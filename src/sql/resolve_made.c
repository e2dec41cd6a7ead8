/* sql/resolve_made.c - what table functions give, LATERAL VIEW; see resolve_inner.h */
#include "base/limits.h"
#include "sql/resolve_from.h"

/* A made list being filled. */
struct making {
    struct resolver *r;
    struct made_column *at;
    size_t n, cap;
};

static result make(struct making *m, struct str name, struct sql_type type) {
    struct made_column *column = ARENA_PUSH(m->r->arena, m->at, m->n, m->cap);
    if (column == NULL) return fail_memory(m->r->report);
    *column = (struct made_column){name, type};
    return OK;
}

static result make_numbered(struct making *m, const char *stem, size_t n, struct sql_type type) {
    for (size_t i = 0; i < n; i++) {
        struct str name = str_printf(m->r->arena, "%s%zu", stem, i);
        if (name.ptr == NULL) return fail_memory(m->r->report);
        TRY(make(m, name, type));
    }
    return OK;
}

static struct sql_type part(const struct sql_type *type) {
    return type != NULL ? *type : SQL_TYPE(UNKNOWN);
}

static result made_by_explode(struct making *m, const struct sql_type *of) {
    if (of->kind == SQL_TYPE_ARRAY) return make(m, STR("col"), part(of->element));
    if (of->kind != SQL_TYPE_MAP) return OK;
    TRY(make(m, STR("key"), part(of->key)));
    return make(m, STR("value"), part(of->element));
}

static result made_by_posexplode(struct making *m, const struct sql_type *of) {
    TRY(make(m, STR("pos"), SQL_TYPE(BIGINT)));
    return make(m, STR("val"), part(of->element));
}

static result made_by_inline(struct making *m, const struct sql_type *of) {
    if (of->kind != SQL_TYPE_ARRAY || of->element == NULL) return OK;
    const struct sql_type *row = of->element;
    for (uint32_t i = 0; i < row->n_fields; i++)
        TRY(make(m, row->fields[i].name, row->fields[i].type));
    return OK;
}

static bool constant_of(const struct sql_expr *expr, uint64_t *out) {
    return expr->kind == SQL_LITERAL &&
           (expr->literal.kind == SQL_INTEGER || expr->literal.kind == SQL_BIGINT) &&
           str_to_u64(expr->literal.text, out);
}

/* stack(n, …): n rows of what follows, the last filled up with NULL. */
static result made_by_stack(struct making *m, const struct env *env, const struct sql_call *call) {
    uint64_t rows;
    size_t n = call->args.n - 1;
    if (!constant_of(call->args.at[0], &rows) || rows == 0 || rows > n) return OK;
    size_t width = (n + (size_t)rows - 1) / (size_t)rows;
    TRY(make_numbered(m, "col", width, SQL_TYPE(NULL)));
    for (size_t i = 0; i < n; i++) {
        struct sql_type type = type_of(env, call->args.at[1 + i]);
        struct sql_type *common = &m->at[i % width].type;
        *common = i < width ? type : sql_type_common(common, &type);
    }
    return OK;
}

/* trans_cols(nkeys, keys…, cols…): index, keys, one value. */
static result made_by_trans_cols(struct making *m, const struct sql_call *call) {
    uint64_t keys;
    if (!constant_of(call->args.at[0], &keys) || keys + 1 >= call->args.n) return OK;
    TRY(make(m, STR("idx"), SQL_TYPE(BIGINT)));
    TRY(make_numbered(m, "key", (size_t)keys, SQL_TYPE(UNKNOWN)));
    return make(m, STR("value"), SQL_TYPE(UNKNOWN));
}

result resolve_made(const struct env *env, const struct sql_expr *expr, struct made_column **out,
                    size_t *n) {
    struct making m = {.r = env->r};
    const struct sql_call *call = &expr->call;
    const struct resolved_call *noted = node_of(env->r, expr->id)->call;
    struct str name = noted->function != NULL ? str_of(noted->function->name) : STR_NONE;
    struct sql_type first = SQL_TYPE(UNKNOWN);
    if (call->args.n > 0) first = type_of(env, call->args.at[0]);
    if (str_eq(name, STR("explode")))
        TRY(made_by_explode(&m, &first));
    else if (str_eq(name, STR("posexplode")))
        TRY(made_by_posexplode(&m, &first));
    else if (str_eq(name, STR("inline")))
        TRY(made_by_inline(&m, &first));
    else if (str_eq(name, STR("stack")))
        TRY(made_by_stack(&m, env, call));
    else if (str_eq(name, STR("trans_cols")))
        TRY(made_by_trans_cols(&m, call));
    else if (str_eq(name, STR("json_tuple")) || str_eq(name, STR("parse_url_tuple")))
        TRY(make_numbered(&m, "c", call->args.n - 1, SQL_TYPE(STRING)));
    else if (str_eq(name, STR("keyvalue_tuple")))
        TRY(make_numbered(&m, "c", call->args.n - 3, SQL_TYPE(STRING)));
    else if (str_eq(name, STR("trans_array")))
        TRY(make_numbered(&m, "c", call->args.n - 2, SQL_TYPE(UNKNOWN)));
    *out = m.at;
    *n = m.n;
    return OK;
}

/* -- LATERAL VIEW ----------------------------------------------------------------------------- */

static result check_makes_rows(const struct env *env, const struct sql_expr *expr) {
    const struct sql_function *function = node_of(env->r, expr->id)->call->function;
    if (function == NULL || function->kind == FUNCTION_TABLE) return OK;
    return name_error(env->r, expr->span, "LATERAL VIEW: '%s' makes no rows", function->name);
}

static result resolve_view(const struct env *env, const struct sql_source *source,
                           const struct resolved_source *input, struct made_column **made,
                           size_t *n) {
    struct env inside = *env;
    inside.from = input;
    inside.clause = SQL_IN_LATERAL;
    inside.no_aggregate = inside.no_window = "LATERAL VIEW";
    inside.may_make_rows = true;
    TRY(resolve_expr(&inside, source->lateral.call));
    TRY(check_makes_rows(env, source->lateral.call));
    return resolve_made(&inside, source->lateral.call, made, n);
}

static result check_names(const struct env *env, const struct sql_source *source, size_t n_made) {
    size_t n = source->columns.n;
    if (n == 0 && n_made == 0)
        return name_error(
            env->r, source->span,
            "LATERAL VIEW: it cannot be told which columns come out; name them by AS");
    if (n > 0 && n_made > 0 && n != n_made)
        return name_error(env->r, source->columns.at[0].span,
                          "LATERAL VIEW: %zu names for %zu columns", n, n_made);
    return OK;
}

result resolve_lateral(const struct env *env, struct sql_source *source,
                       struct resolved_source *out) {
    struct resolver *r = env->r;
    struct made_column *made = NULL;
    size_t n = 0;
    if (source->lateral.input != NULL) {
        TRY(resolve_source(env, source->lateral.input, &out->left));
        out->n_leaves += out->left->n_leaves;
        TRY(scope_check_aliases(
            r, out->left,
            &(struct resolved_source){
                .source = &(struct sql_source){.kind = SQL_VALUES, .span = source->span},
                .alias = out->alias}));
    }
    if (out->n_leaves > SQL_SOURCES_MAX)
        return fail(r->report, FAIL_LIMIT, "SQL_TOO_LARGE", source->span.from,
                    "more than %d tables in one FROM", SQL_SOURCES_MAX);
    TRY(resolve_view(env, source, out->left, &made, &n));
    TRY(check_names(env, source, n));
    TRY(source_columns(r, out, source->columns.n > 0 ? source->columns.n : n));
    for (size_t i = 0; i < out->n_columns; i++) {
        struct resolved_column *column = &out->columns[i];
        column->kind = COLUMN_MADE;
        column->index = (uint32_t)i;
        column->name = source->columns.n > 0 ? source->columns.at[i].text : made[i].name;
        if (n > 0) column->type = made[i].type;
    }
    return scope_index(r, out);
}
